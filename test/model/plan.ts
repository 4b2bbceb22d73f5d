import fc from 'fast-check';
import type { Bytes } from './rules/events.js';
import { responseSteps, type ResponseStep } from './steps.js';

/** What the function answers to one invocation. */
export interface ResponsePlan {
  /** The payload, which steps send part by part. */
  readonly document: Bytes;
  /** What it does at once, from within the subscription. */
  readonly prologue: readonly ResponseStep[];
}

export interface RetryPlan {
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxRetryAfterMs: number;
  /** What the jitter says. */
  readonly fraction: number;
  readonly idempotent: boolean;
  readonly afterFirstChunk: 'error' | 'restart' | 'replay' | 'continue';
  /** `classify` says 'soon' of a bug. */
  readonly retriesBugs: boolean;
  readonly budget?: { readonly capacity: number; readonly retryCost: number; readonly successRefund: number };
}

export interface SharePlan {
  readonly replay: 'all' | 'none';
  readonly maxReplayBytes: number;
  readonly lingerMs: number;
}

/** A whole pipeline: invocation, retry, share, takeUntil, take, switchMap, takeUntil. */
export interface Plan {
  /** In turn, over again. */
  readonly responses: readonly [ResponsePlan, ...ResponsePlan[]];
  readonly functionErrors: 'throw' | 'emit';
  readonly retry: RetryPlan | undefined;
  /** Without it each consumer has an invocation of its own. */
  readonly share: SharePlan | undefined;
  /** Content with so many values. */
  readonly take: number | undefined;
  /** The pipeline is the inner one of a `switchMap`. */
  readonly switches: boolean;
  /** Where `takeUntil` stands: inside the `switchMap`, or at the end. */
  readonly stopsEarly: boolean;
}

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

export const retries: fc.Arbitrary<RetryPlan> = fc
  .record({
    maxAttempts: fc.constantFrom(1, 2, 3, 6, 6),
    initialDelayMs: fc.constantFrom(0, 1, 20),
    maxDelayMs: fc.constantFrom(0, 30, 1_000),
    maxRetryAfterMs: fc.constantFrom(500, 5_000),
    fraction: fc.constantFrom(0, 0.5, 1),
    idempotent: fc.constantFrom(true, true, true, false),
    afterFirstChunk: fc.constantFrom('error', 'restart', 'restart', 'replay', 'replay', 'continue', 'continue'),
    retriesBugs: fc.boolean(),
    budget: optional(
      fc.record({
        capacity: fc.constantFrom(5, 12, 50),
        retryCost: fc.constant(5),
        successRefund: fc.constantFrom(1, 4),
      }),
    ),
  })
  .map(({ budget, ...others }) => ({ ...others, ...(budget && { budget }) }));

export const shares: fc.Arbitrary<SharePlan> = fc.record({
  replay: fc.constantFrom('all', 'all', 'none'),
  maxReplayBytes: fc.constantFrom(0, 5, 20, 10_000),
  lingerMs: fc.constantFrom(0, 0, 5, 100),
});

/** Payloads that steps cut anywhere. They are short, so that a replay meets another document's beginning in some. */
const documents: fc.Arbitrary<Bytes> = fc.string({ unit: 'binary-ascii', maxLength: 60, size: 'max' });

/** Makes a pipeline go on however often it fails, so that nothing but its attempts decides what it delivers. */
export function persistent(plan: Plan): Plan {
  const { retry, responses } = plan;
  if (!retry) throw new Error('The pipeline has no retries.');
  const { budget: _, ...others } = retry;
  const afterFirstChunk = retry.afterFirstChunk === 'error' ? 'restart' : retry.afterFirstChunk;
  return {
    ...plan,
    retry: { ...others, afterFirstChunk, idempotent: true, maxAttempts: 6, maxRetryAfterMs: 5_000 },
    responses: [withoutPrologue(responses[0]), ...responses.slice(1).map(withoutPrologue)],
    take: undefined,
  };
}

function withoutPrologue({ document }: ResponsePlan): ResponsePlan {
  return { document, prologue: [] };
}

/** Which parts a pipeline has; what is not stated may or may not be there. */
export interface PlanShape {
  readonly retry?: boolean;
  readonly share?: boolean;
}

/** Pipelines of a shape. */
export function plans(shape: PlanShape = {}): fc.Arbitrary<Plan> {
  const part = <T>(wanted: boolean | undefined, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    wanted === undefined ? optional(arbitrary) : wanted ? arbitrary : fc.constant(undefined);

  return fc
    .record({
      functionErrors: fc.constantFrom('throw', 'throw', 'emit'),
      retry: part(shape.retry, retries),
      share: part(shape.share, shares),
      take: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 3 }),
      switches: fc.constantFrom(true, false, false),
      stopsEarly: fc.boolean(),
    })
    .chain((parts) => {
      const response = fc.record({
        document: documents,
        prologue: fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(responseSteps, { maxLength: 4 }) },
        ),
      });
      const several = fc.tuple(response, fc.array(response, { maxLength: 2 }));
      // A replay needs the same document again, mostly.
      const same = several.map(([first, others]): Plan['responses'] => [
        first,
        ...others.map((one) => ({ ...one, document: first.document })),
      ]);
      const different = several.map(([first, others]): Plan['responses'] => [first, ...others]);
      const weight = parts.retry?.afterFirstChunk === 'replay' ? 8 : 1;
      return fc
        .oneof({ weight, arbitrary: same }, { weight: 2, arbitrary: different })
        .map((responses): Plan => ({ ...parts, responses }));
    });
}
