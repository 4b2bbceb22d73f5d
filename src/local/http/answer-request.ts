import { maxClientContextBytes } from '../../shared/bytes.js';
import { answerBuffered } from '../invocation/answer-buffered.js';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import { encodeComplete } from '../invocation/encode-frames.js';
import { FrameSink } from '../invocation/frame-sink.js';
import { acceptInvocation, type IncomingInvocation, type Invocation } from '../invocation/invocation.js';
import { runInvocation } from '../invocation/run-invocation.js';
import { isScripted, type RunnableHandler } from '../runtime/local-function.js';
import { answerScript } from '../script/answer-script.js';
import { answerAccepted } from './answer-accepted.js';
import { answerCors } from './doors.js';
import type { Door } from './handle-request.js';
import { matchRoute, type Route } from './routes.js';
import { invalidParameter, invalidRequestContent } from './service-errors.js';

/** The door of Lambda's API. It refuses each request that AWS refuses before it runs a function. */
export const apiDoor: Door = {
  answerCors,
  route: ({ method, url }) => matchRoute(method, url),
  answer: (incoming, route, request) =>
    answerAccepted(incoming, request, (payload) => accept(incoming, route, payload), answer),
};

function accept(incoming: IncomingInvocation, route: Route, payload: Uint8Array): Invocation {
  checkParameters(incoming, route);
  // A script answers any payload, so that only a handler's payload has to be JSON.
  return acceptInvocation(incoming, ({ handler }) => (isScripted(handler) ? undefined : parseEvent(payload)));
}

async function answer(invocation: Invocation): Promise<FunctionFailure | undefined> {
  const { settings, record, writer, config } = invocation;
  const { handler } = config;
  if (isScripted(handler)) {
    await answerScript(handler.script, invocation);
    return undefined;
  }
  if (record.invocationType === 'DryRun' && settings.dryRun !== 'run') {
    writer.setHead(204, { 'x-amz-executed-version': invocation.version });
    await writer.end();
    return undefined;
  }
  return record.operation === 'Invoke' ? answerBuffered(handler, invocation) : answerStream(handler, invocation);
}

/** Runs a handler and streams what it writes, then the InvokeComplete. Resolves with the failure, if it failed. */
async function answerStream(handler: RunnableHandler, invocation: Invocation): Promise<FunctionFailure | undefined> {
  const { settings, record, writer, closing } = invocation;
  const sink = new FrameSink(invocation);
  const { failure, log } = await runInvocation(handler, invocation, sink);
  if (closing.aborted) return failure;
  sink.setHead();
  const reported = settings.errorReporting === 'silent' ? undefined : failure;
  const complete = encodeComplete({
    ...(reported && { errorCode: reported.errorType, errorDetails: JSON.stringify(reported) }),
    ...(record.logType === 'Tail' && { logTail: log.tail }),
  });
  if (!writer.write(complete)) await writer.drained();
  await writer.end();
  return failure;
}

function checkParameters({ record }: IncomingInvocation, { fault }: Route): void {
  if (fault !== undefined) throw invalidParameter(fault);
  const invocationTypes = ['RequestResponse', 'DryRun', ...(record.operation === 'Invoke' ? ['Event'] : [])];
  if (!invocationTypes.includes(record.invocationType)) {
    throw invalidParameter(`The invocation type is not one of ${invocationTypes.join(', ')}`);
  }
  const encoded = record.headers['x-amz-client-context'];
  if (typeof encoded !== 'string') return;
  if (encoded.length > maxClientContextBytes) {
    throw invalidParameter(`Client context must be no more than ${maxClientContextBytes} bytes.`);
  }
  try {
    record.clientContext = JSON.parse(Buffer.from(encoded, 'base64').toString()) as unknown;
  } catch {
    throw invalidRequestContent('Client context must be a valid Base64-encoded JSON object.');
  }
}

/** Parses the payload as JSON. An empty payload is an empty event. */
function parseEvent(payload: Uint8Array): unknown {
  if (payload.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw invalidRequestContent(`Could not parse request body into json: ${reason}`);
  }
}
