import type { FunctionError, ProtocolError, TruncatedStreamError } from './invocation-errors.js';
import { errorBrand } from './lambda-stream-error.js';
import type {
  InvocationStoppedError,
  LogUnavailableError,
  ProducerLostError,
  ReplayLimitError,
  UnknownInvocationError,
} from './log-errors.js';
import type {
  DetachedPayloadError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  LineTooLongError,
  ReplayMismatchError,
  ResponseTooLargeError,
} from './payload-errors.js';

export { FunctionError, ProtocolError, TruncatedStreamError } from './invocation-errors.js';
export { errorBrand, LambdaStreamError } from './lambda-stream-error.js';
export {
  InvocationStoppedError,
  LogUnavailableError,
  ProducerLostError,
  ReplayLimitError,
  UnknownInvocationError,
  type ProducerLossReason,
} from './log-errors.js';
export {
  DetachedPayloadError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  LineTooLongError,
  ReplayMismatchError,
  ResponseTooLargeError,
} from './payload-errors.js';

/** Every error that this package makes. Its `code` tells which one it is: a switch over it narrows the type. */
export type AnyLambdaStreamError =
  | DetachedPayloadError
  | FunctionError
  | HttpStatusError
  | InvalidRecordError
  | InvalidTextError
  | LineTooLongError
  | ProtocolError
  | ReplayMismatchError
  | ResponseTooLargeError
  | TruncatedStreamError
  | InvocationStoppedError
  | LogUnavailableError
  | ProducerLostError
  | ReplayLimitError
  | UnknownInvocationError;

/** The `code` of every error that this package makes. */
export type LambdaStreamErrorCode = AnyLambdaStreamError['code'];

/**
 * Tells whether an error is one of this package's own. Its `code` then narrows the type.
 *
 * Also recognises the errors of another copy of the package in the process, which `instanceof` does not: each carries
 * the property `Symbol.for('rx-lambda-stream.error')`.
 *
 * @example
 * catchError((error: unknown) => {
 *   if (isLambdaStreamError(error) && error.code === 'truncated') return of(`cut after ${error.bytes} bytes`);
 *   throw error;
 * });
 */
export function isLambdaStreamError(error: unknown): error is AnyLambdaStreamError {
  return typeof error === 'object' && error !== null && errorBrand in error;
}
