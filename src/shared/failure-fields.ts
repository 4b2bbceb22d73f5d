import type { AnyLambdaStreamError } from '../errors.js';
import { isTexts } from './json.js';

/** The fields that may be encoded, each with the check of its value. */
export type FieldTable = Readonly<Record<string, (value: unknown) => boolean>>;

export const isText = (value: unknown): boolean => typeof value === 'string';
export const isNumber = (value: unknown): boolean => typeof value === 'number';
const isBytes = (value: unknown): boolean => ArrayBuffer.isView(value);
const isTextOrNumber = (value: unknown): boolean => isText(value) || isNumber(value);
const isTextTable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every((item) => isText(item) || isTexts(item));

/** The fields of an error that are encoded. All others are left out, because they may be secret or huge. */
export const fields: FieldTable = {
  // This package's errors.
  functionName: isText,
  requestId: isText,
  errorCode: isText,
  errorDetails: isText,
  errorType: isText,
  errorMessage: isText,
  trace: isTexts,
  logTail: isText,
  chunks: isNumber,
  bytes: isNumber,
  line: isNumber,
  offset: isNumber,
  text: isText,
  maxLineBytes: isNumber,
  maxBytes: isNumber,
  maxReplayBytes: isNumber,
  deliveredBytes: isNumber,
  statusCode: isNumber,
  headers: isTextTable,
  body: isBytes,
  reason: isText,
  key: isText,
  position: isText,
  generation: isNumber,
  // The SDK's exceptions, and those of the transport.
  code: isTextOrNumber,
  $fault: isText,
  Reason: isText,
  Type: isText,
  retryAfterSeconds: isTextOrNumber,
  errno: isTextOrNumber,
  syscall: isText,
};

/** The codes of this package's errors, by name. A new error does not compile until it stands here. */
export const codes: { readonly [E in AnyLambdaStreamError as E['name']]: E['code'] } = {
  DetachedPayloadError: 'detached-payload',
  FunctionError: 'function-error',
  HttpStatusError: 'http-status',
  InvalidRecordError: 'invalid-record',
  InvalidTextError: 'invalid-text',
  InvocationStoppedError: 'stopped',
  LineTooLongError: 'line-too-long',
  LogUnavailableError: 'log-unavailable',
  ProducerLostError: 'producer-lost',
  ProtocolError: 'protocol',
  ReplayLimitError: 'replay-limit',
  ReplayMismatchError: 'replay-mismatch',
  ResponseTooLargeError: 'response-too-large',
  TruncatedStreamError: 'truncated',
  UnknownInvocationError: 'unknown-invocation',
};

export const metadataFields: FieldTable = {
  httpStatusCode: isNumber,
  requestId: isText,
  extendedRequestId: isText,
  cfId: isText,
  attempts: isNumber,
  totalRetryDelay: isNumber,
  clockSkewCorrected: (value) => typeof value === 'boolean',
};

/** The headers of the response from which `classifyInvocationError` reads when to try again. */
export const responseHeaders: FieldTable = {
  date: isText,
  'retry-after': isText,
  'x-amz-retry-after': isText,
};
