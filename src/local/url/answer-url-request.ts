import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerAccepted } from '../http/answer-accepted.js';
import { addCorsHeaders, answerPreflight, type DoorSettings } from '../http/doors.js';
import type { Door } from '../http/handle-request.js';
import type { ServiceError } from '../http/service-errors.js';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import { acceptInvocation, type IncomingInvocation, type Invocation } from '../invocation/invocation.js';
import { runInvocation } from '../invocation/run-invocation.js';
import { isScripted } from '../runtime/local-function.js';
import { playScriptOnUrl } from './play-script-on-url.js';
import { toUrlEvent } from './to-url-event.js';
import { UrlSink } from './url-sink.js';

/** The answer of a function URL whose function failed before the response began. */
const badGateway: ServiceError = {
  statusCode: 502,
  body: 'Internal Server Error',
  headers: { 'content-type': 'text/plain' },
};

/** Makes the door of one function's URL. */
export function urlDoor(functionName: string): Door {
  return {
    answerCors: answerUrlCors,
    route: ({ url = '/' }) => ({ operation: 'FunctionUrl', path: url.split('?', 1)[0] ?? '/', functionName }),
    answer: (incoming, _route, request) => answerAccepted(incoming, request, () => accept(incoming, request), run),
  };
}

function accept(incoming: IncomingInvocation, request: IncomingMessage): Invocation {
  const invocation = acceptInvocation(incoming, () => undefined);
  return { ...invocation, event: toUrlEvent(request, incoming.record, invocation.traceId) };
}

async function run(invocation: Invocation): Promise<FunctionFailure | undefined> {
  const { config, writer, closing, report } = invocation;
  const sink = new UrlSink(invocation);
  const { failure } = isScripted(config.handler)
    ? await playScriptOnUrl(config.handler.script, invocation, sink)
    : await runInvocation(config.handler, invocation, sink);
  if (closing.aborted || writer.wasReset) return failure;
  if (failure === undefined) await sink.finish();
  if (failure !== undefined || sink.fault !== undefined) {
    if (sink.fault !== undefined) report('invalid-response', `its response is no HTTP response: ${sink.fault}`);
    await writer.refuse(badGateway);
    return failure ?? faultOf(sink.fault ?? '');
  }
  await writer.end();
  return undefined;
}

function faultOf(fault: string): FunctionFailure {
  return {
    errorType: 'Runtime.InvalidResponse',
    errorMessage: `The response is no HTTP response: ${fault}`,
    trace: [],
  };
}

/**
 * Answers a preflight of an allowed origin. For every other request it sets the CORS headers, which replace the
 * function's own.
 *
 * @returns Whether the request was a preflight and is answered.
 */
function answerUrlCors({ cors }: DoorSettings, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (cors === false || origin === undefined) return false;
  addCorsHeaders(origin, response);
  response.setHeader('access-control-expose-headers', 'x-amzn-requestid, x-amzn-errortype, retry-after, date');
  // Cookies are allowed only for pages that the option names. Otherwise any page could act for a logged-in user.
  if (cors !== true) response.setHeader('access-control-allow-credentials', 'true');
  const wantedMethod = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || wantedMethod === undefined) return false;
  response.setHeader('access-control-allow-methods', wantedMethod);
  const wantedHeaders = request.headers['access-control-request-headers'];
  if (wantedHeaders !== undefined) response.setHeader('access-control-allow-headers', wantedHeaders);
  answerPreflight(response);
  return true;
}
