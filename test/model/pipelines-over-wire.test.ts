import fc from 'fast-check';
import { describe, it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import type { BodyKind } from './driven-body.js';
import { createLedger } from './ledger.js';
import { plans, type Plan, type RetryPlan } from './plan.js';
import { playOverWire, type WireStep } from './play-over-wire.js';
import { runs } from './runs.js';
import { stepLists } from './steps.js';
import { useDrivenClient } from './use-driven-client.js';

expectNoStrays();

const driven = useDrivenClient();

/** Nothing is begun and ended by two timers of the same millisecond: of that the network never hears. */
function sendable(plan: Plan): Plan {
  const { retry, share } = plan;
  const responses = plan.responses.map(({ document }) => ({ document, prologue: [] })) as unknown as Plan['responses'];
  return {
    ...plan,
    responses,
    // Who takes from a common budget first, when a pause ends for several, is the network's affair.
    retry: retry && !share ? withoutBudget(retry) : retry,
    share: share && { ...share, lingerMs: retry ? 0 : share.lingerMs },
  };
}

function withoutBudget({ budget: _, ...plan }: RetryPlan): RetryPlan {
  return plan;
}

const steps: fc.Arbitrary<WireStep[]> = fc
  .tuple(
    stepLists(3, 30),
    fc.array(fc.tuple(fc.nat(30), fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const)), {
      maxLength: 6,
    }),
  )
  .map(([list, pauses]) => {
    const all: WireStep[] = [...list];
    for (const [at, step] of pauses) all.splice(at, 0, { step });
    return all;
  });

describe.each<BodyKind>(['Node', 'web'])('with bodies of kind %s', (kind) => {
  it('any pipeline on a real client holds at most one connection a subscription, and delivers what it promises', async () => {
    const ledger = createLedger({
      'a second attempt': /^attempt 2$/,
      'a third attempt': /^attempt 3$/,
      'an end': /^complete$/,
      'a subscriber that comes late': /^came late$/,
      'something held back by a pause': /^paused$/,
      'a truncated stream': /^TruncatedStreamError/,
      'an exception': /^throttled$/,
      'a request that is refused': /^refused$/,
    });
    await fc.assert(
      fc.asyncProperty(plans().map(sendable), steps, (plan, list) =>
        playOverWire(driven, kind, plan, list, ledger.note),
      ),
      runs(200),
    );
    ledger.expectAllMet();
  });
});
