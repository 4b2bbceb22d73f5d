import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import type { ConcurrencyGate, IncomingInvocation } from '../invocation/invocation.js';
import { runInScope } from '../invocation/invocation-scope.js';
import type { LocalProblem } from '../local-lambda-options.js';
import type { Settings } from '../settings.js';
import { checkDoors, type DoorSettings } from './doors.js';
import type { RequestLog } from './request-log.js';
import { ResponseWriter } from './response-writer.js';
import type { Route } from './routes.js';
import { sendServiceError, ServiceRefusal, unknownOperation } from './service-errors.js';

/** What all doors of an endpoint share. */
export interface Endpoint {
  readonly settings: Settings;
  readonly log: RequestLog;
  readonly gate: ConcurrencyGate;
  /** Aborted when the endpoint closes. */
  readonly closing: AbortSignal;
}

/** A way to call a function: Lambda's API, or the function's URL. */
export interface Door {
  /** Adds CORS headers. Returns true where the request was a preflight and is answered. */
  readonly answerCors: (settings: DoorSettings, request: IncomingMessage, response: ServerResponse) => boolean;
  /** Finds the function that the request asks for. Returns undefined where it asks for no function. */
  readonly route: (request: IncomingMessage) => Route | undefined;
  /**
   * Answers to the end of the response. Resolves with the function's failure, if it failed.
   *
   * @throws ServiceRefusal for a request that is refused.
   */
  readonly answer: (
    incoming: IncomingInvocation,
    route: Route,
    request: IncomingMessage,
  ) => Promise<FunctionFailure | undefined>;
}

/** Lets a request in through a door, records it, and answers it to its end. */
export async function handleRequest(
  endpoint: Endpoint,
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const arrivedAt = performance.now();
  const { settings } = endpoint;
  let incoming: IncomingInvocation | undefined;
  let failure: FunctionFailure | undefined;
  try {
    checkDoors(settings, request);
    if (door.answerCors(settings, request, response)) return;
    const route = door.route(request);
    if (route === undefined) throw unknownOperation();
    incoming = receive(endpoint, route, request, response, arrivedAt);
    failure = await door.answer(incoming, route, request);
  } catch (error) {
    if (!(error instanceof ServiceRefusal)) throw error;
    if (incoming === undefined) {
      refuseAtDoor(settings, error, request, response);
      return;
    }
    await incoming.writer.refuse(error.answer);
  }
  const { record } = incoming;
  const closedEarly = await record.closedEarly;
  const durationMs = performance.now() - arrivedAt;
  settings.onInvocation?.({ request: record, durationMs, closedEarly, ...(failure && { failure }) });
}

/** Records a request that asks for a function. */
function receive(
  { settings, log, gate, closing }: Endpoint,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  arrivedAt: number,
): IncomingInvocation {
  const record = log.add(route, request, response, () => closing.aborted || writer.wasReset);
  const writer = new ResponseWriter(response, record, arrivedAt);
  response.setHeader('x-amzn-requestid', record.requestId);
  return {
    settings,
    record,
    writer,
    gate,
    closing,
    report: (kind, what, error) =>
      tell(settings, {
        kind,
        message: `${record.functionName} (request ${record.requestId}): ${what}`,
        request: record,
        ...(error !== undefined && { error }),
      }),
  };
}

/** Refuses a request that asks for no function here, and so has no record. */
function refuseAtDoor(
  settings: Settings,
  { message, answer }: ServiceRefusal,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // A path that is not known is the client's mistake. A page or a host name that is not allowed may be an attack.
  if (answer.statusCode === 403) tell(settings, { kind: 'refused', message });
  else request.resume();
  sendServiceError(response, answer);
}

/**
 * Reports a problem on one line. The callback runs outside of the invocation's scope, so that what it prints is not
 * part of the invocation's log.
 */
function tell(settings: Settings, problem: LocalProblem): void {
  const message = problem.message.slice(0, 2_000).replaceAll(/[\p{Cc}\u2028\u2029]/gu, escapeCharacter);
  runInScope(undefined, () => settings.onProblem({ ...problem, message }));
}

function escapeCharacter(character: string): string {
  return JSON.stringify(character)
    .slice(1, -1)
    .replace(/^[^\\]/u, (raw) => `\\u${raw.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
