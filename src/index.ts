export {
  invokeWithResponseStream,
  type InvokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
} from './invoke-with-response-stream.js';
export type { InvokeInput, InvokeInputSource } from './invoke-input.js';
export type { LambdaStreamClient } from './wire/open-response.js';

export { decodeText, type DecodeTextOptions } from './operators/decode-text.js';
export { splitLines, type SplitLinesOptions } from './operators/split-lines.js';
export { parseNdjson, type ParseNdjsonOptions } from './operators/parse-ndjson.js';
export {
  parseSse,
  type ParseSseJsonOptions,
  type ParseSseOptions,
  type ServerSentEvent,
} from './operators/parse-sse.js';
export { decodeHttpResponse, type DecodeHttpResponseOptions } from './operators/decode-http-response.js';
export { collectResponse, type CollectedResponse, type CollectResponseOptions } from './operators/collect-response.js';
export { toSnapshots, type ToSnapshotsOptions } from './operators/to-snapshots.js';
export type { Snapshot, SnapshotStatus } from './operators/snapshot-state.js';
export { shareInvocation, type ShareInvocationOptions } from './operators/share-invocation.js';
export type { PayloadSource } from './operators/payload-source.js';

export { retryInvocation, type RetryInvocationConfig } from './retry/retry-invocation.js';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry/retry-budget.js';
export { classifyInvocationError, type InvocationErrorClass } from './retry/classify-invocation-error.js';
export type { FailureKind, RetryVerdict } from './retry/exception-table.js';

export { createFlowControl, type FlowControl, type FlowControlOptions } from './flow-control.js';

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
export type { MessageHeaders, MessageHeaderValue } from './wire/message-headers.js';

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
