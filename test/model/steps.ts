import fc from 'fast-check';
import { failureFacts, type FailureName } from './rules/failure-facts.js';

/** What the function's response does. */
export type ResponseStep =
  | { readonly does: 'head' }
  /** An accepted DryRun: a 204, which is its own end. */
  | { readonly does: 'empty head' }
  /** The next so many bytes of the response's document, as one chunk; fewer where that ends. */
  | { readonly does: 'chunk'; readonly bytes: number }
  | { readonly does: 'unknown' }
  | { readonly does: 'complete' }
  | { readonly does: 'function error' }
  /** The connection ends without an InvokeComplete. */
  | { readonly does: 'end' }
  | { readonly does: 'fail'; readonly how: FailureName };

/** One step of a run. `who` is a consumer, or where none is shared the function that it invokes. */
export type Step =
  | { readonly step: 'subscribe' | 'unsubscribe' | 'switch' | 'stop' | 'haunt'; readonly who: number }
  | { readonly step: 'response'; readonly who: number; readonly response: ResponseStep }
  | { readonly step: 'wait'; readonly ms: number };

const chunk = fc.record({ does: fc.constant('chunk' as const), bytes: fc.nat(12) });
const failing = fc.record({
  does: fc.constant('fail' as const),
  how: fc.constantFrom(...(Object.keys(failureFacts) as FailureName[])),
});
/** The failures that are most often tried again, so that runs get beyond them. */
const passing = fc.record({
  does: fc.constant('fail' as const),
  how: fc.constantFrom<FailureName>('throttled', 'reset', 'refused', 'throttled for a second'),
});

export const responseSteps: fc.Arbitrary<ResponseStep> = fc.oneof(
  { weight: 24, arbitrary: chunk },
  { weight: 4, arbitrary: fc.constant({ does: 'head' as const }) },
  { weight: 6, arbitrary: passing },
  { weight: 2, arbitrary: failing },
  { weight: 2, arbitrary: fc.constant({ does: 'complete' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<ResponseStep>(
      { does: 'unknown' },
      { does: 'end' },
      { does: 'function error' },
      { does: 'empty head' },
    ),
  },
);

/**
 * Steps of one consumer whose attempts get somewhere before they fail, and whose waits are long enough: what retries
 * void is not nothing.
 */
export const retriedStepLists: fc.Arbitrary<Step[]> = fc
  .array(fc.tuple(fc.array(chunk, { minLength: 1, maxLength: 6 }), passing), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  })
  .chain((attempts) =>
    fc.tuple(fc.array(chunk, { maxLength: 6, size: 'max' }), fc.boolean()).map(([last, completes]) => {
      const respond = (response: ResponseStep): Step => ({ step: 'response', who: 0, response });
      const failed = attempts.flatMap(([chunks, failure]): Step[] => [
        ...chunks.map(respond),
        respond(failure),
        { step: 'wait', ms: 20_000 },
      ]);
      const end: ResponseStep[] = completes ? [{ does: 'complete' }] : [];
      return [{ step: 'subscribe', who: 0 }, ...failed, ...[...last, ...end].map(respond)];
    }),
  );

/**
 * Steps for so many consumers. The first of them is subscribed from the start, for a run without a subscriber says
 * nothing.
 */
export function stepLists(consumers: number, maxLength = 40): fc.Arbitrary<Step[]> {
  const who = fc.nat(consumers - 1);
  const of = (step: 'subscribe' | 'unsubscribe' | 'switch' | 'stop' | 'haunt'): fc.Arbitrary<Step> =>
    who.map((one) => ({ step, who: one }));
  const step = fc.oneof(
    { weight: 18, arbitrary: fc.record({ step: fc.constant('response' as const), who, response: responseSteps }) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(0, 1, 3, 10, 50, 1_000, 20_000).map((ms) => ({ step: 'wait' as const, ms })),
    },
    { weight: 3, arbitrary: of('subscribe') },
    { weight: 2, arbitrary: of('unsubscribe') },
    { weight: 1, arbitrary: of('switch') },
    { weight: 1, arbitrary: of('stop') },
    { weight: 1, arbitrary: of('haunt') },
  );
  // Without the bias towards short lists, which say little here.
  return fc.noBias(fc.array(step, { maxLength, size: 'max' })).map((list) => [{ step: 'subscribe', who: 0 }, ...list]);
}
