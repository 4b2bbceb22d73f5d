import { exceptionTable, later, never, soon, type FailureKind } from './exception-table.js';
import { retryAfter } from './retry-after.js';

/** What an invocation's error means for trying again. */
export interface InvocationErrorClass extends FailureKind {
  /** How long the service asks to wait, in milliseconds. 0 says at once, without any backoff. */
  readonly retryAfterMs?: number;
}

/** As much as is read of an error, whatever made it. */
interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: ErrorLike;
  readonly Reason?: unknown;
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

const ambiguous: FailureKind = { verdict: 'soon', mayHaveRun: true };
const unknown: FailureKind = { verdict: 'never', mayHaveRun: true };

/** Service errors that are not in the operation's model, by name: throttles, and AWS's names for a 5xx. */
const passingNames = /Throttl|^(Request)?LimitExceeded|^SlowDown|^Internal(Failure|Server|Error)|^ServiceUnavailable/;

/**
 * Connections that never came about, by code (Node's and undici's: refusals, name resolution, routes, TLS), or by what
 * the message adds to it. A message alone says nothing: that of a failed function may quote any error.
 */
const notConnected =
  /^(\w*(REFUSED|NOTFOUND|AI_AGAIN|UNREACH|EPROTO|CONNECT_T|CERT|_SSL_|LEAF_SIG)|E[A-Z]+ (connect |.*before secure TLS)|TimeoutError .*did not establish)/;

/** Connections that broke or fell silent after the request may have been sent, by code. */
const broken = /^E(CONN|PIPE|TIMED)|^UND_ERR_[SHB]|HTTP2|PREMATURE/;

/** How the message of a network failure's TypeError begins in Chromium, Firefox, Safari, React Native and Node. */
const fetchFailed =
  /^(failed to fetch|fetch failed|network|load failed|terminated|the (internet|network) |error in input)/i;

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
  const { httpStatusCode: status, clockSkewCorrected } = error.$metadata ?? {};
  if (status === undefined) return ofTransport(error);
  // A gateway's words, not Lambda's, whose own 502s have names: what stands behind it may have had the request.
  if (status === 502 || status === 504) return ambiguous;
  if (status === 429 || status >= 500) return soon;
  // Last, since the SDK says so on any response whose date is far from its clock.
  return clockSkewCorrected ? { ...soon, retryAfterMs: 0 } : never;
}

/**
 * The status of an HTTP response, which a function or a gateway wrote. 429 and 503 refuse the request; behind the other
 * failures that pass, the function may have run.
 */
function ofHttpStatus(status: unknown): FailureKind {
  if (status === 429 || status === 503) return soon;
  return [408, 425, 500, 502, 504].includes(status as number) ? ambiguous : unknown;
}

function ofTransport(error: ErrorLike): FailureKind {
  const isFetchError = error.name === 'TypeError' && fetchFailed.test(String(error.message));
  // Node's `fetch` tells in the cause what it knows.
  const { name, message, code } = (isFetchError && error.cause) || error;
  if (notConnected.test(`${String(code ?? name)} ${String(message)}`)) return soon;
  const isAmbiguous =
    isFetchError || name === 'TruncatedStreamError' || name === 'TimeoutError' || broken.test(String(code));
  return isAmbiguous ? ambiguous : unknown;
}
