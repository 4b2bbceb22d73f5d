import fc from 'fast-check';
import type { Bytes, ResponseStep } from './expected/events.js';
import { failures, type FailureName } from './expected/failures.js';

export interface RetryPlan {
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxRetryAfterMs: number;
  /** What the jitter returns. */
  readonly fraction: number;
  readonly idempotent: boolean;
  readonly afterFirstChunk: 'error' | 'restart' | 'replay' | 'continue';
}

export interface SharePlan {
  readonly replay: 'all' | 'none';
  readonly maxReplayBytes: number;
  readonly lingerMs: number;
}

/** A pipeline of an invocation, `retryInvocation`, `shareInvocation` and `take`. */
export interface PipelinePlan {
  /** The payloads of the first, second, … response. After the last one the list begins again. */
  readonly documents: readonly Bytes[];
  readonly functionErrors: 'throw' | 'emit';
  readonly retry: RetryPlan | undefined;
  /** Undefined where each consumer has an invocation of its own. */
  readonly share: SharePlan | undefined;
  /** How many events a consumer takes. */
  readonly take: number;
  /** Whether the HTTP handler gives up an aborted request. Node's fetch may not, once its signal was collected. */
  readonly heedsAborts: boolean;
}

const retries: fc.Arbitrary<RetryPlan> = fc.record({
  maxAttempts: fc.constantFrom(1, 2, 3, 6, 6),
  initialDelayMs: fc.constantFrom(0, 1, 20),
  maxDelayMs: fc.constantFrom(0, 30, 1_000),
  maxRetryAfterMs: fc.constantFrom(500, 5_000),
  fraction: fc.constantFrom(0, 0.5, 1),
  idempotent: fc.constantFrom(true, true, true, false),
  afterFirstChunk: fc.constantFrom('error', 'restart', 'restart', 'replay', 'replay', 'continue', 'continue'),
});

const shares: fc.Arbitrary<SharePlan> = fc.record({
  replay: fc.constantFrom('all', 'all', 'none'),
  maxReplayBytes: fc.constantFrom(0, 5, 20, 10_000),
  lingerMs: fc.constantFrom(0, 0, 5, 100),
});

/** Payloads that steps cut anywhere. Short ones, so that a replay often meets the beginning of another document. */
const documents = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 60, size: 'max' }), {
  minLength: 1,
  maxLength: 3,
});

/** Pipelines with retries or without, shared or not, as it is stated, else as it comes. */
export function pipelinePlans(parts: {
  readonly retry?: boolean;
  readonly share?: boolean;
}): fc.Arbitrary<PipelinePlan> {
  const part = <T>(wanted: boolean | undefined, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    wanted === undefined ? fc.option(arbitrary, { nil: undefined }) : wanted ? arbitrary : fc.constant(undefined);
  return fc
    .record({
      documents,
      functionErrors: fc.constantFrom('throw', 'throw', 'emit'),
      retry: part(parts.retry, retries),
      share: part(parts.share, shares),
      take: fc.constantFrom(Infinity, Infinity, Infinity, 1, 2, 3, 5),
      heedsAborts: fc.boolean(),
      isSame: fc.nat(9),
    })
    .map(({ isSame, ...plan }) => {
      // A replay mostly needs the same document again.
      const documentsLeft = plan.retry?.afterFirstChunk === 'replay' && isSame < 5 ? 1 : 3;
      // Two timers of one millisecond, a retry's and a linger's: which is first is the network's affair.
      const share = plan.share && { ...plan.share, lingerMs: plan.retry ? 0 : plan.share.lingerMs };
      return { ...plan, share, documents: plan.documents.slice(0, documentsLeft) };
    });
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
