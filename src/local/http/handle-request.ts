import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import type { ConcurrencyGate, IncomingInvocation } from '../invocation/invocation.js';
import { runInScope } from '../invocation/invocation-scope.js';
import type { LocalProblem, Settings } from '../local-lambda-options.js';
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

/** A way in: Lambda's API, or a function's URL. */
export interface Door {
  /** Adds CORS headers; true where the request was a preflight and is answered. */
  readonly answerCors: (settings: DoorSettings, request: IncomingMessage, response: ServerResponse) => boolean;
  /** Finds what the request is for; undefined where it is for nothing here. */
  readonly route: (request: IncomingMessage) => Route | undefined;
  /** Answers to the end. Resolves with the function's failure; throws a ServiceRefusal for what is refused. */
  readonly answer: (
    incoming: IncomingInvocation,
    route: Route,
    request: IncomingMessage,
  ) => Promise<FunctionFailure | undefined>;
}

/** Lets a request in through a door, records it, and answers it to its end. */
export async function handleRequest(
  { settings, log, gate, closing }: Endpoint,
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const arrivedAt = performance.now();
  const refused = refusalAtDoor(settings, request);
  if (refused !== undefined) {
    tell(settings, { kind: 'refused', message: refused.message });
    sendServiceError(response, refused.answer);
    return;
  }
  if (door.answerCors(settings, request, response)) return;
  const route = door.route(request);
  if (route === undefined) {
    request.resume();
    sendServiceError(response, unknownOperation().answer);
    return;
  }
  const record = log.add(route, request, response, () => closing.aborted || writer.wasReset);
  const writer = new ResponseWriter(response, record, arrivedAt);
  response.setHeader('x-amzn-requestid', record.requestId);
  const incoming: IncomingInvocation = {
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
  const failure = await answerOrRefuse(door, incoming, route, request);
  const closedEarly = await record.closedEarly;
  const durationMs = performance.now() - arrivedAt;
  settings.onInvocation?.({ request: record, durationMs, closedEarly, ...(failure && { failure }) });
}

async function answerOrRefuse(
  door: Door,
  incoming: IncomingInvocation,
  route: Route,
  request: IncomingMessage,
): Promise<FunctionFailure | undefined> {
  try {
    return await door.answer(incoming, route, request);
  } catch (error) {
    if (!(error instanceof ServiceRefusal)) throw error;
    await incoming.writer.refuse(error.answer);
    return undefined;
  }
}

function refusalAtDoor(settings: DoorSettings, request: IncomingMessage): ServiceRefusal | undefined {
  try {
    checkDoors(settings, request);
    return undefined;
  } catch (error) {
    if (error instanceof ServiceRefusal) return error;
    throw error;
  }
}

/** Reports a problem on one line. Outside of the invocation's own context: what the callback prints is not its log. */
function tell(settings: Settings, problem: LocalProblem): void {
  const message = problem.message.slice(0, 2_000).replaceAll(/[\p{Cc}\u2028\u2029]/gu, escapeCharacter);
  runInScope(undefined, () => settings.onProblem({ ...problem, message }));
}

function escapeCharacter(character: string): string {
  return JSON.stringify(character)
    .slice(1, -1)
    .replace(/^[^\\]/u, (raw) => `\\u${raw.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
