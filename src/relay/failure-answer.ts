import { isLambdaStreamError } from '../errors.js';
import { classifyInvocationError } from '../retry/classify-invocation-error.js';
import { encodeFailure } from '../shared/failure-codec.js';
import { isRelayRefusal, Refusal, refusals } from './relay-refusal.js';

/** A failure as a client sees it, with the HTTP status for an answer that has not begun. */
export interface FailureAnswer {
  readonly status: number;
  /** The class's name, for `x-amzn-errortype` and `:exception-type`. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON members. `Message` is one fixed sentence for each kind. */
  readonly body: Readonly<Record<string, unknown>>;
}

type Code = string;

/** The statuses of failures that are final. Any other failure that may have run is a 424, which no SDK sends again. */
const statuses: Readonly<Record<Code, number>> = { 'unknown-invocation': 404, stopped: 409, 'replay-limit': 410 };

/** One fixed sentence for each kind. The error's own message may name functions and quote records. */
const sentences: Readonly<Record<Code, string>> = {
  'function-error': 'The function failed',
  truncated: 'The response is not complete',
  'unknown-invocation': 'There is no such invocation, or its place was never given',
  stopped: 'The invocation was stopped',
  'replay-limit': 'The place is no longer held',
  'producer-lost': 'The machine that read the response is gone',
  'log-unavailable': 'The log does not answer',
};

/** The members of an error that every client may read. */
const openMembers = ['errorType', 'Reason', 'retryAfterSeconds', 'chunks', 'bytes', 'reason'];

/** The members that only `expose: 'all'` adds. */
const hiddenMembers = ['message', 'errorMessage', 'trace', 'logTail', 'requestId', 'errorDetails'];

/**
 * Makes the answer to a failure. A refusal is told in its own words. Of every other failure only the kind is told.
 *
 * @param mayWait - Whether nothing ran for this request. Then a log that does not answer is a 503, which clients retry.
 */
export function answerFailure(error: unknown, expose: 'all' | undefined, mayWait = false): FailureAnswer {
  if (isRelayRefusal(error)) {
    return refusalAnswer(new Refusal(avoid408(error.status), 'RelayRefusal', error.message));
  }
  if (error instanceof Refusal) return refusalAnswer(error);
  const members = Object(encodeFailure(error)) as Readonly<Record<string, unknown>>;
  const name = typeof members['name'] === 'string' ? members['name'] : 'Error';
  const status = statusOf(error, members, mayWait);
  const { code, $fault, $metadata, retryAfterSeconds } = members;
  const { requestId } = Object($metadata) as { requestId?: unknown };
  const wait = retryAfterSeconds ?? retryAfterHeader(members);
  return {
    status,
    name,
    headers: wait === undefined && status !== 503 ? {} : { 'retry-after': headerText(wait ?? 1) },
    body: {
      Type: status < 500 ? 'User' : 'Service',
      Message: (isLambdaStreamError(error) && sentences[String(code)]) || 'The invocation failed',
      ...pick(members, isLambdaStreamError(error) ? [...openMembers, 'code'] : openMembers),
      ...(isLambdaStreamError(error) && { ours: true }),
      // Renamed, because the SDK would take a `code` such as ECONNRESET for its own connection's, and send again.
      ...(!isLambdaStreamError(error) && code !== undefined && { transportCode: code }),
      ...(isLambdaStreamError(error) &&
        typeof members['errorCode'] === 'string' && { errorCode: members['errorCode'] }),
      ...($fault !== undefined && { $fault }),
      ...(expose === 'all' && { ...pick(members, hiddenMembers), ...(requestId !== undefined && { requestId }) }),
    },
  };
}

function refusalAnswer({ status, type, message, headers, code }: Refusal): FailureAnswer {
  const fault = status < 500 ? { Type: 'User', $fault: 'client' } : { Type: 'Service', $fault: 'server' };
  const kind = { ...fault, ...(code !== undefined && { code, ours: true }) };
  const body = message === '' ? kind : { ...kind, Message: message };
  return { status, name: type, headers, body };
}

function statusOf(error: unknown, members: Readonly<Record<string, unknown>>, mayWait: boolean): number {
  const { code, $fault, $metadata } = members;
  if (isLambdaStreamError(error)) {
    if (mayWait && code === 'log-unavailable') return 503;
    return statuses[String(code)] ?? 424;
  }
  const { httpStatusCode: status } = Object($metadata) as { httpStatusCode?: unknown };
  if ($fault !== undefined && typeof status === 'number' && status >= 400 && status <= 599) return avoid408(status);
  // A 503 is for a request that was not sent, or was refused before the function ran. It may be sent again.
  return classifyInvocationError(error).mayHaveRun ? 424 : 503;
}

/** Replaces 408 by 503, because Chromium sends a POST again after a 408. */
function avoid408(status: number): number {
  return status === 408 ? 503 : status;
}

function retryAfterHeader(members: Readonly<Record<string, unknown>>): unknown {
  const { headers } = Object(members['$response']) as { headers?: unknown };
  return (Object(headers) as Readonly<Record<string, unknown>>)['retry-after'];
}

/** Makes a valid header value of any value. */
function headerText(value: unknown): string {
  return String(value)
    .replace(/[^\x20-\x7e]/g, '')
    .slice(0, 64);
}

function pick(members: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (members[name] === undefined ? [] : [[name, members[name]]])));
}

/** Returns an error unchanged, or a new Error if reading its fields throws, as a Proxy or a getter can. */
export function readable(error: unknown): unknown {
  try {
    const fields = Object(error) as Readonly<Record<string, unknown>>;
    for (const name of ['name', 'code', 'status', 'message', 'errorCode', '$metadata']) Reflect.get(fields, name);
    return error;
  } catch (cause) {
    return new Error('An error was thrown that cannot be read', { cause });
  }
}

/** Answers a bug, such as one in `authorize`, before anything ran. The client is told nothing about it. */
export function answerBug(error: unknown): FailureAnswer {
  const isJson = Object(error) instanceof SyntaxError || (Object(error) as { name?: unknown }).name === 'SyntaxError';
  return refusalAnswer(isJson ? refusals.bodyNotJson() : refusals.internal());
}
