export {
  invokeWithResponseStream,
  type InvokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
} from './invoke/invoke-with-response-stream.js';
export type { InvokeInput, InvokeInputSource } from './invoke/invoke-input.js';
export type {
  LambdaStreamClient,
  LambdaStreamCommand,
  LambdaStreamOutput,
  LambdaStreamOutputEvent,
} from './invoke/lambda-stream-client.js';

export { decodeText, type DecodeTextOptions } from './decoding/decode-text.js';
export { splitLines, type SplitLinesOptions } from './decoding/split-lines.js';
export { parseNdjson, type ParseNdjsonOptions } from './decoding/parse-ndjson.js';
export {
  parseSse,
  type ParseSseJsonOptions,
  type ParseSseOptions,
  type ServerSentEvent,
} from './decoding/parse-sse.js';
export { decodeHttpResponse, type DecodeHttpResponseOptions } from './decoding/decode-http-response.js';
export { collectResponse, type CollectedResponse, type CollectResponseOptions } from './consumers/collect-response.js';
export { toSnapshots, type ToSnapshotsOptions } from './consumers/to-snapshots.js';
export type {
  CompleteSnapshot,
  ConnectingSnapshot,
  FailedSnapshot,
  RetryingSnapshot,
  Snapshot,
  SnapshotProgress,
  SnapshotStatus,
  StreamingSnapshot,
} from './consumers/snapshot-state.js';
export { shareInvocation, type ShareInvocationOptions } from './consumers/share-invocation.js';
export { toReadableStream } from './consumers/to-readable-stream.js';
export { toAsyncIterable } from './consumers/to-async-iterable.js';
export { observeInvocation, type InvocationReport } from './consumers/observe-invocation.js';
export type { PayloadSource } from './shared/payload.js';

export { retryInvocation } from './retry/retry-invocation.js';
export type { RetryInvocationOptions } from './retry/retry-options.js';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry/retry-budget.js';
export { classifyInvocationError, type InvocationErrorClass } from './retry/classify-invocation-error.js';
export type { FailureKind, RetryVerdict } from './retry/exception-table.js';

export { createFlowControl, type FlowControl, type FlowControlOptions } from './consumers/flow-control.js';

export type {
  ChunkEvent,
  CompleteEvent,
  HeadEvent,
  HttpHeadEvent,
  LambdaStreamEvent,
  MessageHeaders,
  MessageHeaderValue,
  RetryEvent,
  RetryMode,
  UnknownEvent,
} from './events.js';

export {
  DetachedPayloadError,
  FunctionError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  InvocationStoppedError,
  isLambdaStreamError,
  LambdaStreamError,
  LineTooLongError,
  LogUnavailableError,
  ProducerLostError,
  ProtocolError,
  ReplayLimitError,
  ReplayMismatchError,
  ResponseTooLargeError,
  TruncatedStreamError,
  UnknownInvocationError,
  type AnyLambdaStreamError,
  type LambdaStreamErrorCode,
  type ProducerLossReason,
} from './errors.js';
