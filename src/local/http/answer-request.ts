import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AcceptedInvocation } from '../invocation/accepted-invocation.js';
import { answerBuffered } from '../invocation/answer-buffered.js';
import { answerScript } from '../script/answer-script.js';
import { answerStream } from '../invocation/answer-stream.js';
import type { ConcurrencyGate } from '../invocation/concurrency-gate.js';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import { localFunctionArn, parseFunctionReference } from '../invocation/function-name.js';
import { resolveVersion } from '../invocation/function-version.js';
import { isScripted, toFunctionConfig } from '../runtime/local-function.js';
import type { LocalLambdaOptions } from '../local-lambda-options.js';
import type { RequestRecord } from './local-request.js';
import { readRequestBody } from './read-request-body.js';
import type { ResponseWriter } from './response-writer.js';
import type { Route } from './routes.js';
import {
  invalidParameter,
  invalidRequestContent,
  requestTooLarge,
  resourceNotFound,
  sendServiceError,
  type ServiceError,
} from './service-errors.js';

/** AWS's limit for the request body of a synchronous invocation. */
const defaultMaxRequestBytes = 6_291_456;
/** AWS's limit for the client context, in bytes of base64. */
const maxClientContextBytes = 3_583;

/** A recorded request and its surroundings. */
export interface IncomingInvocation {
  readonly options: LocalLambdaOptions;
  readonly route: Route;
  readonly record: RequestRecord;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly writer: ResponseWriter;
  readonly gate: ConcurrencyGate;
  /** Aborted when the endpoint closes. */
  readonly closing: AbortSignal;
}

/** Answers a request to its end. Resolves with a handler's failure, if there was one. */
export async function answerRequest(incoming: IncomingInvocation): Promise<FunctionFailure | undefined> {
  const { options, record, request, response } = incoming;
  const body = await readRequestBody(request, options.maxRequestBytes ?? defaultMaxRequestBytes);
  if (body === undefined) return undefined;
  if (body === 'too-large') {
    // Of a much too long body the rest is still on its way.
    response.setHeader('connection', 'close');
    await refuse(incoming, requestTooLarge(options.maxRequestBytes ?? defaultMaxRequestBytes));
    return undefined;
  }
  record.payload = body;
  const accepted = accept(incoming);
  if ('statusCode' in accepted) {
    await refuse(incoming, accepted);
    return undefined;
  }
  const { handler } = accepted.config;
  try {
    if (isScripted(handler)) await answerScript(handler.script, accepted);
    else if (record.invocationType === 'DryRun' && options.dryRun !== 'run') {
      accepted.writer.setHead(204, { 'x-amz-executed-version': accepted.version });
      await accepted.writer.end();
    } else if (record.operation === 'Invoke') return await answerBuffered(handler, accepted);
    else return await answerStream(handler, accepted);
    return undefined;
  } finally {
    accepted.release();
  }
}

/** Checks all that AWS checks before it runs a function. */
function accept(incoming: IncomingInvocation): AcceptedInvocation | ServiceError {
  const { options, record, response, writer, gate, closing } = incoming;
  const { functionName, qualifier } = record;
  const named = parseFunctionReference(incoming.route.reference);
  if (named === undefined) {
    return invalidParameter(`The function name is not valid: ${functionName.slice(0, 200)}`);
  }
  if (named.qualifier !== undefined && named.qualifier !== qualifier) {
    return invalidParameter('The derived qualifier from the function name does not match the specified qualifier.');
  }
  const invocationTypes = ['RequestResponse', 'DryRun', ...(record.operation === 'Invoke' ? ['Event'] : [])];
  if (!invocationTypes.includes(record.invocationType)) {
    return invalidParameter(`The invocation type is not one of ${invocationTypes.join(', ')}`);
  }
  const contextError = readClientContext(record);
  if (contextError !== undefined) return contextError;
  const arn = localFunctionArn(functionName, qualifier);
  // Own members only: a function of the name `__proto__` or `constructor` does not exist.
  const fn = Object.hasOwn(options.functions, functionName) ? options.functions[functionName] : undefined;
  if (fn === undefined) return resourceNotFound(arn);
  const config = toFunctionConfig(fn);
  const version = resolveVersion(config, qualifier);
  if (version === undefined) return resourceNotFound(arn);
  const event = isScripted(config.handler) ? { value: undefined } : parseEvent(record.payload);
  if ('statusCode' in event) return event;
  const release = gate.enter(functionName, config.reservedConcurrency);
  if (typeof release !== 'function') return release;
  return {
    options,
    config,
    record,
    version,
    event: event.value,
    response,
    writer,
    traceId: newTraceId(),
    release,
    closing,
  };
}

/** A function of its own event: an empty body is the empty event. */
function parseEvent(payload: Uint8Array): { value: unknown } | ServiceError {
  if (payload.length === 0) return { value: {} };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown };
  } catch (error) {
    return invalidRequestContent(error instanceof SyntaxError ? error.message : 'it is not UTF-8');
  }
}

function readClientContext(record: RequestRecord): ServiceError | undefined {
  const encoded = record.headers['x-amz-client-context'];
  if (typeof encoded !== 'string') return undefined;
  if (encoded.length > maxClientContextBytes) {
    return invalidParameter(`Client context must be no more than ${maxClientContextBytes} bytes.`);
  }
  try {
    record.clientContext = JSON.parse(Buffer.from(encoded, 'base64').toString()) as unknown;
    return undefined;
  } catch {
    return invalidRequestContent('Client context must be a valid Base64-encoded JSON object.');
  }
}

async function refuse({ record, response }: IncomingInvocation, error: ServiceError): Promise<void> {
  if (response.destroyed) return;
  record.statusCode = error.statusCode;
  sendServiceError(response, error);
  await record.closed;
}

/** In the form of `x-amzn-trace-id`. */
function newTraceId(): string {
  const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
  const seconds = Math.floor(Date.now() / 1_000).toString(16);
  return `Root=1-${seconds}-${hex(12)};Parent=${hex(8)};Sampled=0;Lineage=1:${hex(4)}:0`;
}
