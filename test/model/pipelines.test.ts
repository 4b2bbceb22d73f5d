import fc from 'fast-check';
import { it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { persistent, plans } from './plan.js';
import { play } from './play.js';
import { runs } from './runs.js';
import { retriedStepLists, stepLists } from './steps.js';

expectNoStrays();

it('any pipeline holds at most one connection a subscription, and delivers what it promises, in any order of steps', () => {
  fc.assert(
    fc.property(plans({ share: false }), stepLists(2), (plan, steps) => play(plan, steps)),
    runs(1_000),
  );
});

it('a shared pipeline holds at most one connection for all consumers, and delivers what it promises to each', () => {
  fc.assert(
    fc.property(plans({ share: true }), stepLists(3), (plan, steps) => play(plan, steps)),
    runs(1_000),
  );
});

it('a pipeline with retries begins anew, goes on or replays after each failure, as the retry says', () => {
  fc.assert(
    fc.property(plans({ retry: true }).map(persistent), retriedStepLists, (plan, steps) => play(plan, steps)),
    runs(1_000),
  );
});
