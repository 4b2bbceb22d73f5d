import fc from 'fast-check';
import { documents } from './documents.js';
import type { Bytes } from './model/events.js';
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

export interface HttpPlan {
  readonly failOnStatus: boolean;
  readonly maxErrorBodyBytes: number;
}

/** What the consumers see. */
export type ViewPlan =
  | { readonly of: 'events' }
  | { readonly of: 'text'; readonly fatal: boolean }
  | { readonly of: 'lines'; readonly maxLineBytes: number }
  | { readonly of: 'records'; readonly onInvalid: 'error' | 'skip'; readonly maxLineBytes: number }
  | { readonly of: 'server-sent events' }
  | { readonly of: 'response'; readonly maxBytes: number }
  | { readonly of: 'snapshots'; readonly intervalMs: number };

/** A whole pipeline: invocation, retry, share, takeUntil, HTTP, view, take, switchMap, takeUntil. */
export interface Plan {
  /** In turn, over again. */
  readonly responses: readonly [ResponsePlan, ...ResponsePlan[]];
  readonly functionErrors: 'throw' | 'emit';
  readonly retry: RetryPlan | undefined;
  /** Without it each consumer has an invocation of its own. */
  readonly share: SharePlan | undefined;
  readonly http: HttpPlan | undefined;
  readonly view: ViewPlan;
  /** Content with so many values. */
  readonly take: number | undefined;
  /** The pipeline is the inner one of a `switchMap`. */
  readonly switches: boolean;
  /** Where `takeUntil` stands: before the decoders, or at the end. */
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

const limits = fc.constantFrom(6, 1_000, 1_000);

export const views = {
  events: fc.record({ of: fc.constant('events' as const) }),
  text: fc.record({ of: fc.constant('text' as const), fatal: fc.constantFrom(true, false, false) }),
  lines: fc.record({ of: fc.constant('lines' as const), maxLineBytes: limits }),
  records: fc.record({
    of: fc.constant('records' as const),
    onInvalid: fc.constantFrom('error', 'skip'),
    maxLineBytes: limits,
  }),
  'server-sent events': fc.record({ of: fc.constant('server-sent events' as const) }),
  response: fc.record({ of: fc.constant('response' as const), maxBytes: limits }),
  snapshots: fc.record({ of: fc.constant('snapshots' as const), intervalMs: fc.constantFrom(0, 3, 50) }),
} as const satisfies Readonly<Record<ViewPlan['of'], fc.Arbitrary<ViewPlan>>>;

const anyView: fc.Arbitrary<ViewPlan> = fc.oneof(...Object.values(views));

/** A pipeline that goes on however often it fails: attempts, and what they bring, are all there is to it. */
export function persistent(plan: Plan): Plan {
  const { retry, responses } = plan;
  if (!retry) throw new Error('Only what retries is persistent');
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
  readonly view?: ViewPlan['of'];
  readonly retry?: boolean;
  readonly share?: boolean;
  readonly http?: boolean;
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
      http: part(shape.http, fc.record({ failOnStatus: fc.boolean(), maxErrorBodyBytes: fc.constantFrom(0, 3, 100) })),
      view: shape.view ? views[shape.view] : anyView,
      take: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 3 }),
      switches: fc.constantFrom(true, false, false),
      stopsEarly: fc.boolean(),
    })
    .chain((parts) => {
      const response = fc.record({
        document: documents(parts.view.of, parts.http !== undefined),
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
