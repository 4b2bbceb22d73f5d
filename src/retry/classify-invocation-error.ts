import { exceptionTable, later, never, soon, type FailureKind } from './exception-table.js';
import { networkFailureOf, type TransportErrorLike } from './network-failures.js';
import { retryAfter } from './retry-after.js';

/** What an invocation's error means for trying again. */
export interface InvocationErrorClass extends FailureKind {
  /** How long the service asks to wait, in milliseconds. 0 says at once, without any backoff. */
  readonly retryAfterMs?: number;
}

/** The part of an error that is read, whatever made it. */
interface ErrorLike extends TransportErrorLike {
  readonly Reason?: unknown;
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

/** A passing failure, after which the function may have run. */
const ambiguous: FailureKind = { verdict: 'soon', mayHaveRun: true };
const unknown: FailureKind = { verdict: 'never', mayHaveRun: true };

/** This package's errors that may pass, by code. All others stay what they are. */
const ownErrors: Readonly<Record<string, FailureKind>> = {
  truncated: ambiguous,
  'producer-lost': ambiguous,
  // A cluster that elects a new primary takes seconds.
  'log-unavailable': { ...later, mayHaveRun: true },
};

/** HTTP statuses with which a server refuses a request, so that the function has not run. */
const refusingStatuses: readonly unknown[] = [429, 503];
/** HTTP statuses of other failures that pass, after which the function may have run. */
const failingStatuses: readonly unknown[] = [408, 425, 500, 502, 504];

/** Service errors that are not in the operation's model, by name: throttles, and AWS's names for a 5xx. */
const passingNames = /Throttl|^(Request)?LimitExceeded|^SlowDown|^Internal(Failure|Server|Error)|^ServiceUnavailable/;

/**
 * Says whether a failed invocation may be tried again, and whether the function may have run.
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
 * Goes by names and fields, never by `instanceof`: the verdict is the same for an exception that came as an HTTP
 * response or within the stream, from any copy or version of the SDK.
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

function kindOf(error: ErrorLike): InvocationErrorClass {
  const name = String(error.name);
  if (error.Reason === 'ConcurrentSnapshotCreateLimitExceeded') return later;
  if (Object.hasOwn(exceptionTable, name)) return exceptionTable[name as keyof typeof exceptionTable];
  if (name === 'HttpStatusError') return ofHttpStatus(error.statusCode);
  if (passingNames.test(name)) return soon;
  if (error.$metadata?.httpStatusCode !== undefined) return ofServiceError(error.$metadata);
  if (typeof error.code === 'string' && Object.hasOwn(ownErrors, error.code)) return ownErrors[error.code] ?? unknown;
  return ofTransport(error);
}

/** A service error that the operation's model does not have, by its HTTP status. */
function ofServiceError({
  httpStatusCode = 0,
  clockSkewCorrected,
}: NonNullable<ErrorLike['$metadata']>): InvocationErrorClass {
  // A 502 or 504 without an exception's name comes from a gateway. It may have forwarded the request.
  if (httpStatusCode === 502 || httpStatusCode === 504) return ambiguous;
  if (httpStatusCode === 429 || httpStatusCode >= 500) return soon;
  // Last, since the SDK says so on any response whose date is far from its clock.
  return clockSkewCorrected ? { ...soon, retryAfterMs: 0 } : never;
}

function ofHttpStatus(status: unknown): FailureKind {
  if (refusingStatuses.includes(status)) return soon;
  return failingStatuses.includes(status) ? ambiguous : unknown;
}

function ofTransport(error: ErrorLike): FailureKind {
  const failure = networkFailureOf(error);
  if (failure === undefined) return unknown;
  return failure === 'never sent' ? soon : ambiguous;
}
