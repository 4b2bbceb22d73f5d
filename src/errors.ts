import type {
  InvocationStoppedError,
  LogUnavailableError,
  ProducerLostError,
  ReplayLimitError,
  UnknownInvocationError,
} from './log-errors.js';
import {
  errorBrand,
  type DetachedPayloadError,
  type FunctionError,
  type HttpStatusError,
  type InvalidRecordError,
  type InvalidTextError,
  type LineTooLongError,
  type ProtocolError,
  type ReplayMismatchError,
  type ResponseTooLargeError,
  type TruncatedStreamError,
} from './stream-errors.js';

export {
  InvocationStoppedError,
  LogUnavailableError,
  ProducerLostError,
  ReplayLimitError,
  UnknownInvocationError,
  type ProducerLossReason,
} from './log-errors.js';
export {
  errorBrand,
  DetachedPayloadError,
  FunctionError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  LambdaStreamError,
  LineTooLongError,
  ProtocolError,
  ReplayMismatchError,
  ResponseTooLargeError,
  TruncatedStreamError,
} from './stream-errors.js';

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
