import fc from 'fast-check';
import { describe, it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { persistent, plans, views } from './plan.js';
import { play } from './play.js';
import { runs } from './runs.js';
import { retriedStepLists, stepLists } from './steps.js';

expectNoStrays();

const viewNames = Object.keys(views) as (keyof typeof views)[];

describe.each(viewNames)('any pipeline whose consumers see %s', (view) => {
  it('holds at most one connection a subscription, and delivers what it promises, in any order of steps', () => {
    fc.assert(
      fc.property(plans({ view, share: false }), stepLists(2), (plan, steps) => play(plan, steps)),
      runs(300),
    );
  });

  it('holds at most one connection for all consumers where it is shared, and tells each what it promises', () => {
    fc.assert(
      fc.property(plans({ view, share: true }), stepLists(3), (plan, steps) => play(plan, steps)),
      runs(300),
    );
  });

  it('begins anew, goes on or proves the same again after each failure, as the retry says', () => {
    fc.assert(
      fc.property(plans({ view, retry: true }).map(persistent), retriedStepLists, (plan, steps) => play(plan, steps)),
      runs(300),
    );
  });
});
