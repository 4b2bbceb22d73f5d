import fc from 'fast-check';
import type { ResponseStep } from './expected/events.js';
import { failures, type FailureName } from './expected/failures.js';

type ValueOf<A> = A extends fc.Arbitrary<infer Value> ? Value : never;

const retries = fc.record({
  maxAttempts: fc.constantFrom(1, 2, 3, 6, 6),
  initialDelayMs: fc.constantFrom(0, 1, 20),
  maxDelayMs: fc.constantFrom(0, 30, 1_000),
  maxRetryAfterMs: fc.constantFrom(500, 5_000),
  /** What the jitter returns. */
  fraction: fc.constantFrom(0, 0.5, 1),
  idempotent: fc.constantFrom(true, true, true, false),
  afterFirstChunk: fc.constantFrom('error', 'restart', 'restart', 'replay', 'replay', 'continue', 'continue'),
});

export type RetryPlan = ValueOf<typeof retries>;

const shares = fc.record({
  replay: fc.constantFrom('all', 'all', 'none'),
  maxReplayBytes: fc.constantFrom(0, 5, 20, 10_000),
  lingerMs: fc.constantFrom(0, 0, 5, 100),
});
export type SharePlan = ValueOf<typeof shares>;

/** A pipeline of an invocation, `retryInvocation`, `shareInvocation` and `take`. */
const pipelines = fc.record({
  /** Payloads that steps cut anywhere. Short ones, so that a replay often meets the beginning of another document. */
  documents: fc.array(fc.string({ unit: 'binary-ascii', maxLength: 60, size: 'max' }), { minLength: 1, maxLength: 3 }),
  functionErrors: fc.constantFrom('throw', 'throw', 'emit'),
  retry: fc.option(retries, { nil: undefined }),
  /** Undefined where each consumer has an invocation of its own. */
  share: fc.option(shares, { nil: undefined }),
  /** How many events a consumer takes. */
  take: fc.constantFrom(Infinity, Infinity, Infinity, 1, 2, 3, 5),
  /** Whether the HTTP handler gives up an aborted request. Node's fetch may not, once its signal was collected. */
  heedsAborts: fc.boolean(),
  /** Whether a replay gets the same document again. Most replays need that. */
  isSame: fc.boolean(),
});
export type PipelinePlan = ValueOf<typeof pipelines>;

/** Pipelines with retries or without, shared or not, as it is stated, else as it comes. */
export function pipelinePlans(parts: {
  readonly retry?: boolean;
  readonly share?: boolean;
}): fc.Arbitrary<PipelinePlan> {
  const retry = { true: retries, false: fc.constant(undefined), undefined: fc.option(retries, { nil: undefined }) };
  const share = { true: shares, false: fc.constant(undefined), undefined: fc.option(shares, { nil: undefined }) };
  return fc.tuple(pipelines, retry[`${parts.retry}`], share[`${parts.share}`]).map(([plan, retry, share]) => ({
    ...plan,
    retry,
    // Two timers of one millisecond, a retry's and a linger's: which is first is the network's affair.
    share: share && { ...share, lingerMs: retry ? 0 : share.lingerMs },
    documents: retry?.afterFirstChunk === 'replay' && plan.isSame ? plan.documents.slice(0, 1) : plan.documents,
  }));
}

type Plain = Exclude<ResponseStep['does'], 'chunk' | 'fail'>;
const plain = (...does: Plain[]): fc.Arbitrary<ResponseStep> => fc.constantFrom(...does.map((one) => ({ does: one })));
const fail = (...names: FailureName[]): fc.Arbitrary<ResponseStep> =>
  fc.constantFrom(...names).map((how): ResponseStep => ({ does: 'fail', how }));

export const responseSteps: fc.Arbitrary<ResponseStep> = fc.oneof(
  { weight: 24, arbitrary: fc.nat(12).map((bytes): ResponseStep => ({ does: 'chunk', bytes })) },
  { weight: 4, arbitrary: plain('head') },
  // The failures that are most often retried, so that runs get beyond them.
  { weight: 3, arbitrary: fail('throttled', 'reset', 'refused', 'throttled for a second') },
  { weight: 2, arbitrary: plain('break') },
  { weight: 1, arbitrary: fail(...(Object.keys(failures) as FailureName[])) },
  { weight: 3, arbitrary: plain('complete', 'complete', 'complete, without an end') },
  { weight: 1, arbitrary: plain('unknown', 'end', 'function error', 'head 204', 'damaged frame') },
);
