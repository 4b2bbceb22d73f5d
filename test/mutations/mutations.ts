import { logFences } from './log-fences.js';

/** One change of one line that a suite has to notice. */
export interface Mutation {
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test file or folder that kills it. */
  readonly suite: string;
  /** Why a mutation may survive: because nothing that can be observed changes. */
  readonly justified?: string;
}

/**
 * Applies a mutation to the text of its file.
 *
 * @throws Error unless the text that is looked for occurs exactly once.
 */
export function applyMutation(code: string, { file, find, replace }: Mutation): string {
  const parts = code.split(find);
  if (parts.length !== 2)
    throw new Error(`${file}: ${JSON.stringify(find)} occurs ${parts.length - 1} times, not once`);
  return parts.join(replace);
}

const decoder = 'test/event-stream/message-decoder.test.ts';

export const mutations: readonly Mutation[] = [
  // event-stream
  {
    file: 'src/event-stream/message-decoder.ts',
    find: 'if (crc32(payload, headCrc) !== view.getUint32(end)) {',
    replace: 'if (false) {',
    suite: decoder,
  },
  {
    file: 'src/event-stream/message-decoder.ts',
    find: 'if (crc32ByTables(bytes, start, start + 8, 0) !== preludeCrc) {',
    replace: 'if (false) {',
    suite: decoder,
  },
  {
    file: 'src/event-stream/message-decoder.ts',
    find: 'if (headersLength > maxHeadersBytes) {',
    replace: 'if (headersLength >= maxHeadersBytes) {',
    suite: 'test/event-stream/header-block-limit.test.ts',
  },
  {
    file: 'src/event-stream/message-decoder.ts',
    find: 'if (total > maxMessageBytes) {',
    replace: 'if (total >= maxMessageBytes) {',
    suite: decoder,
  },
  {
    file: 'src/event-stream/message-decoder.ts',
    find: 'if (!onMessage(lastHeaders, payload)) return false;',
    replace: 'onMessage(lastHeaders, payload);',
    suite: decoder,
  },
  {
    file: 'src/event-stream/message-headers.ts',
    find: 'return view.getInt16(skip(2));',
    replace: 'return view.getUint16(skip(2));',
    suite: decoder,
  },
  // invoke
  {
    file: 'src/invoke/read-body.ts',
    find: 'let left = maxDrainBytes;',
    replace: 'let left = Infinity;',
    suite: 'test/invoke/drain.test.ts',
  },
  {
    file: 'src/invoke/read-body.ts',
    find: 'if (left >= 0) return;',
    replace: 'if (left > 0) return;',
    suite: 'test/invoke/drain.test.ts',
  },
  {
    file: 'src/invoke/read-body.ts',
    find: 'if (listener === observer) source.setPaused(paused);',
    replace: '',
    suite: 'test/live/pause.test.ts',
  },
  {
    file: 'src/invoke/stream-events.ts',
    find: 'complete: () => runInContext(delivery.truncated, undefined),',
    replace: 'complete: () => subscriber.complete(),',
    suite: 'test/live/errors.test.ts',
  },
  {
    file: 'src/invoke/stream-events.ts',
    find: 'if (isEnded) return;',
    replace: 'return;',
    suite: 'test/live/cancellation.test.ts',
  },
  {
    file: 'src/invoke/stream-events.ts',
    find: 'if (isEnded) return;',
    replace: '',
    suite: 'test/model/pipelines.test.ts',
  },
  // decoding
  {
    file: 'src/decoding/line-decoder.ts',
    find: 'if (content > maxLineBytes) throw tooLong();',
    replace: 'if (content >= maxLineBytes) throw tooLong();',
    suite: 'test/decoding/split-lines.test.ts',
  },
  {
    file: 'src/decoding/line-decoder.ts',
    find: 'const content = length - (held[length - 2] === carriageReturn ? 2 : 1);',
    replace: 'const content = length - 1;',
    suite: 'test/decoding/split-lines.test.ts',
  },
  {
    file: 'src/decoding/line-decoder.ts',
    find: "if (mode === 'restart') resumeAt = { line: 1, offset: 0 };",
    replace: '',
    suite: 'test/decoding/retries-within.test.ts',
  },
  {
    file: 'src/decoding/event-scanner.ts',
    find: 'if (++eventBytes > maxEventBytes) {',
    replace: 'if (++eventBytes > 2 * maxEventBytes) {',
    suite: 'test/decoding/parse-sse.test.ts',
  },
  {
    file: 'src/decoding/event-scanner.ts',
    find: 'eventBytes = lineBytes = 0;\n      afterReturn = false;',
    replace: 'eventBytes = lineBytes = 0;',
    suite: 'test/decoding/parse-sse.test.ts',
  },
  {
    file: 'src/decoding/sse-decoder.ts',
    find: "lastEventId = mode === 'restart' ? undefined : emittedId;",
    replace: 'lastEventId = emittedId;',
    suite: 'test/decoding/parse-sse.test.ts',
  },
  {
    file: 'src/decoding/http-response-decoder.ts',
    find: 'phase = preludePhase();\n        announced = false;',
    replace: 'announced = false;',
    suite: 'test/decoding/retries-within.test.ts',
  },
  {
    file: 'src/decoding/http-response-decoder.ts',
    find: 'if (body.length === maxErrorBodyBytes) fail(head, body);',
    replace: '',
    suite: 'test/decoding/decode-http-response.test.ts',
  },
  // consumers
  {
    file: 'src/consumers/collect-response.ts',
    find: 'collected = createByteCollector();\n          }',
    replace: '}',
    suite: 'test/decoding/retries-within.test.ts',
  },
  {
    file: 'src/consumers/collect-response.ts',
    find: 'if (collected.length + bytes.length > maxBytes) {',
    replace: 'if (collected.length + bytes.length >= maxBytes) {',
    suite: 'test/consumers/collect-response.test.ts',
  },
  {
    file: 'src/consumers/flow-control.ts',
    find: 'if (load <= lowWaterMark && state.value) state.next(false);',
    replace: 'if (load < lowWaterMark && state.value) state.next(false);',
    suite: 'test/consumers/flow-control.test.ts',
  },
  {
    file: 'src/consumers/flow-control.ts',
    find: 'leave(rest);',
    replace: '',
    suite: 'test/consumers/flow-control.test.ts',
  },
  {
    file: 'src/consumers/share-invocation.ts',
    find: "resetOnComplete: replay === 'none',",
    replace: 'resetOnComplete: true,',
    suite: 'test/consumers/share-invocation.test.ts',
  },
  {
    file: 'src/consumers/share-invocation.ts',
    find: "return present === 'overflowed' ? of(present) : NEVER;",
    replace: 'return NEVER;',
    suite: 'test/consumers/share-invocation.test.ts',
  },
  {
    file: 'src/consumers/share-invocation.ts',
    find: 'if (buffer.overflowed) throw new ReplayLimitError({ maxReplayBytes });',
    replace: '',
    suite: 'test/consumers/share-invocation.test.ts',
  },
  {
    file: 'src/consumers/to-snapshots.ts',
    find: 'if (changed) emit();',
    replace: 'emit();',
    suite: 'test/consumers/to-snapshots.test.ts',
  },
  // retry
  {
    file: 'src/retry/retry-invocation.ts',
    find: '(errorClass.mayHaveRun && !idempotent) ||',
    replace: '',
    suite: 'test/retry/retry-invocation.test.ts',
  },
  {
    file: 'src/retry/retry-invocation.ts',
    find: 'attempt >= maxAttempts ||',
    replace: 'attempt > maxAttempts ||',
    suite: 'test/retry/retry-invocation.test.ts',
  },
  {
    file: 'src/retry/retry-invocation.ts',
    find: 'if (waiting) budget?.returnRetry();',
    replace: '',
    suite: 'test/retry/retry-budget.test.ts',
  },
  {
    file: 'src/retry/replay-guard.ts',
    find: 'assertReplay(String(replayHash) === String(hash));',
    replace: '',
    suite: 'test/retry/retry-invocation.test.ts',
  },
  {
    file: 'src/retry/replay-guard.ts',
    find: "return toReplay > 0 && event.type === 'unknown' ? undefined : event;",
    replace: 'return event;',
    suite: 'test/retry/retry-invocation.test.ts',
  },
  {
    file: 'src/retry/backoff.ts',
    find: 'if (retryAfterMs === 0) return 0;',
    replace: '',
    suite: 'test/retry/retry-invocation.test.ts',
  },
  {
    file: 'src/retry/classify-invocation-error.ts',
    find: 'if (httpStatusCode === 502 || httpStatusCode === 504) return ambiguous;',
    replace: '',
    suite: 'test/retry/classify-invocation-error.test.ts',
  },
  {
    file: 'src/retry/retry-budget.ts',
    find: 'tokens = Math.min(capacity, tokens + more);',
    replace: 'tokens += more;',
    suite: 'test/retry/retry-budget.test.ts',
  },
  // log
  ...logFences,
];
