import fc from 'fast-check';
import { it } from 'vitest';
import { expectNoStrays } from '../support/no-strays.js';
import { createLedger } from './ledger.js';
import { plans } from './plan.js';
import { play } from './play.js';
import { runs } from './runs.js';
import { stepLists } from './steps.js';

expectNoStrays();

it('retryInvocation delivers what each mode promises, one attempt at a time, in any order of steps', () => {
  const ledger = createLedger({
    'a retry before the first chunk': /^retry \d+ in \d+ ms, fresh/,
    'a restart': /^retry \d+ in \d+ ms, restart/,
    'a replay': /^retry \d+ in \d+ ms, replay/,
    'a continue': /^retry \d+ in \d+ ms, continue/,
    'a third attempt': /^retry 3/,
    'a Retry-After': /^retry \d+ in 1000 ms/,
    'a longer Retry-After': /^throttled for ten minutes$/,
    'a retry at once': /^retry \d+ in 0 ms.*clock corrected/,
    'a verdict of later': /^retry .*not ready/,
    'another answer to a replay': /^ReplayMismatchError/,
    'a failure that is not retried': /^invalid zip$/,
    'an error that is undefined': /^nothing$/,
    'a failed function': /^FunctionError/,
    'an end': /^complete$/,
    'leaving while it waits': /^left while waiting$/,
  });
  fc.assert(
    fc.property(plans({ retry: true, share: false }), stepLists(2), (plan, steps) => play(plan, steps, ledger.note)),
    runs(1_000),
  );
  ledger.expectAllMet();
});
