import { exceptionTable, later, never, soon, type FailureKind } from './exception-table.js';
import { networkFailureOf, startsWithAny, type TransportErrorLike } from './network-failures.js';
import { retryAfter } from './retry-after.js';

/** What an invocation's error means for trying again. */
export interface InvocationErrorClass extends FailureKind {
  /** How long the service asks to wait, in milliseconds. With 0 the next attempt follows at once, without backoff. */
  readonly retryAfterMs?: number;
}

/** The fields that are read of an error of any origin. */
interface ErrorLike extends TransportErrorLike {
  readonly Reason?: unknown;
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

/** The failure passes soon, and the function may have run. */
const ambiguous: FailureKind = { verdict: 'soon', mayHaveRun: true };
const unknown: FailureKind = { verdict: 'never', mayHaveRun: true };

/** This package's errors that may pass, by code. */
const ownErrors: Readonly<Record<string, FailureKind>> = {
  truncated: ambiguous,
  'producer-lost': ambiguous,
  // A cluster that elects a new primary takes seconds.
  'log-unavailable': { ...later, mayHaveRun: true },
};

/** The HTTP statuses with which a server refuses a request, so that the function has not run. */
const refusingStatuses: readonly unknown[] = [429, 503];
/** The HTTP statuses of other passing failures, after which the function may have run. */
const failingStatuses: readonly unknown[] = [408, 425, 500, 502, 504];

/** How the names of passing service errors begin that the model does not have: throttles, and AWS's names for a 5xx. */
const passingNames = [
  'LimitExceeded',
  'RequestLimitExceeded',
  'SlowDown',
  'InternalFailure',
  'InternalServer',
  'InternalError',
  'ServiceUnavailable',
];

/**
 * Tells whether a failed invocation may be tried again, and whether the function may have run.
 *
 * | error | verdict | may have run |
 * |---|---|---|
 * | an exception of the operation's model | by its name, not by its HTTP status | no; EFSIOException: yes |
 * | TooManyRequestsException | soon; by its Reason `ConcurrentSnapshotCreateLimitExceeded`: later | no |
 * | any other service error: throttles, 429, 5xx | soon | no; a nameless gateway's 502 and 504: yes |
 * | clock skew that the SDK has corrected | soon, at once | no |
 * | any other service error, expired credentials among them | never | no |
 * | refused connections, DNS, TLS, connection timeouts | soon | no: it was never sent |
 * | resets, timeouts (RxJS's too), `TruncatedStreamError`, browsers' network errors | soon | yes |
 * | `ProducerLostError` | soon | yes |
 * | `LogUnavailableError` | later | yes |
 * | `HttpStatusError` with 429 or 503 | soon | no |
 * | `HttpStatusError` with 408, 425, 500, 502 or 504 | soon | yes |
 * | `FunctionError`, any other `HttpStatusError`, this package's other errors, aborts, anything else | never | yes |
 *
 * The rules read names and fields and never use `instanceof`. So an exception has the same verdict whether it came
 * as an HTTP response or within the stream, and from whichever copy or version of the SDK.
 *
 * @example
 * catchError((error) => (classifyInvocationError(error).verdict === 'never' ? throwError(() => error) : of(busy)));
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html "Error codes are reserved for errors that prevent
 * your function from executing"
 */
export function classifyInvocationError(error: unknown): InvocationErrorClass {
  if (typeof error !== 'object' || error === null) return unknown;
  const kind = kindOf(error);
  const retryAfterMs = kind.retryAfterMs ?? retryAfter(error);
  return retryAfterMs === undefined ? kind : { ...kind, retryAfterMs };
}

/** The first line that knows the error decides. */
function kindOf(error: ErrorLike): InvocationErrorClass {
  const { name, code, Reason } = error;
  if (Reason === 'ConcurrentSnapshotCreateLimitExceeded') return later;
  return (
    entryOf(exceptionTable, name) ??
    ofHttpStatus(error) ??
    (isPassingName(String(name)) ? soon : undefined) ??
    ofServiceStatus(error) ??
    entryOf(ownErrors, code) ??
    ofTransport(error) ??
    unknown
  );
}

function entryOf(table: Readonly<Record<string, FailureKind>>, key: unknown): FailureKind | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Judges an `HttpStatusError`. */
function ofHttpStatus({ name, statusCode }: ErrorLike): FailureKind | undefined {
  if (name !== 'HttpStatusError') return undefined;
  if (refusingStatuses.includes(statusCode)) return soon;
  return failingStatuses.includes(statusCode) ? ambiguous : unknown;
}

/** Tells the throttles and the 5xx that the operation's model does not have. */
function isPassingName(name: string): boolean {
  return name.includes('Throttl') || startsWithAny(name, passingNames);
}

/** Judges a service error that the operation's model does not have, by its HTTP status. */
function ofServiceStatus({ $metadata }: ErrorLike): InvocationErrorClass | undefined {
  const { httpStatusCode, clockSkewCorrected } = $metadata ?? {};
  if (httpStatusCode === undefined) return undefined;
  // A 502 or 504 without an exception's name comes from a gateway. The gateway may have forwarded the request.
  if (httpStatusCode === 502 || httpStatusCode === 504) return ambiguous;
  if (httpStatusCode === 429 || httpStatusCode >= 500) return soon;
  // Last, because the SDK sets this field on any response whose date is far from its clock.
  return clockSkewCorrected ? { ...soon, retryAfterMs: 0 } : never;
}

function ofTransport(error: ErrorLike): FailureKind | undefined {
  const failure = networkFailureOf(error);
  return failure && (failure === 'never sent' ? soon : ambiguous);
}
