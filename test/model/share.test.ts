import fc from 'fast-check';
import { it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { createLedger } from './ledger.js';
import { plans } from './plan.js';
import { play } from './play.js';
import { runs } from './runs.js';
import { stepLists } from './steps.js';

expectNoStrays();

it('shareInvocation has at most one invocation for all subscribers, and none when they have left, in any order of steps', () => {
  const ledger = createLedger({
    'a subscriber that comes late': /^came late$/,
    'nobody listening while it lingers': /^lingers$/,
    'more late than the limit allows': /^ReplayLimitError/,
    'a restart': /^retry \d+ in \d+ ms, restart/,
    'a second invocation': /^head 200 shared#2/,
    'an error': /^reset$/,
    'an end': /^complete$/,
  });
  fc.assert(
    fc.property(plans({ share: true }), stepLists(4), (plan, steps) => play(plan, steps, ledger.note)),
    runs(1_000),
  );
  ledger.expectAllMet();
});
