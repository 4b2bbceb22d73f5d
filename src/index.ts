export {
  invokeWithResponseStream,
  type InvokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
} from './invoke-with-response-stream.js';
export type { InvokeInput, InvokeInputSource } from './invoke-input.js';
export type { LambdaStreamClient } from './wire/open-response.js';
export type { MessageHeaders, MessageHeaderValue } from './wire/message-headers.js';
export type {
  ChunkEvent,
  CompleteEvent,
  HeadEvent,
  HttpHeadEvent,
  LambdaStreamEvent,
  RetryEvent,
  RetryMode,
  UnknownEvent,
} from './events.js';
export {
  FunctionError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  isLambdaStreamError,
  LambdaStreamError,
  LineTooLongError,
  ProtocolError,
  ReplayLimitError,
  ReplayMismatchError,
  ResponseTooLargeError,
  TruncatedStreamError,
  type LambdaStreamErrorCode,
} from './errors.js';
