import { maxTimerMs } from '../shared/check-options.js';
import type { InvocationErrorClass } from './classify-invocation-error.js';

const soonGrowth = 2;
/** 'later' starts at so many times the delay of 'soon', since a change of state takes seconds, */
const laterStart = 10;
/** and grows by less: the change comes in its own time, no crowd has to be thinned out. */
const laterGrowth = 1.5;
/** After so many steps, 1 ms has long grown past the longest timer. */
const maxSteps = 60;

/**
 * The wait before the next attempt, in whole milliseconds: exponential with jitter, and never less than what the
 * service asks for.
 *
 * @param retries - How many retries there were, 0 before the first.
 * @param fraction - The jitter: which part of the full delay is waited, in [0, 1].
 */
export function backoffDelay(
  { verdict, retryAfterMs = -1 }: InvocationErrorClass,
  retries: number,
  fraction: number,
  { initialDelayMs, maxDelayMs }: { initialDelayMs: number; maxDelayMs: number },
): number {
  if (retryAfterMs === 0) return 0;
  // Limited, since `Infinity` times an initial delay of 0 would be no number.
  const steps = Math.min(retries, maxSteps);
  const grown = verdict === 'later' ? laterStart * laterGrowth ** steps : soonGrowth ** steps;
  const backoffMs = Math.round(fraction * Math.min(maxDelayMs, initialDelayMs * grown));
  // A timer fires at once where its delay is longer than timers can be.
  return Math.min(maxTimerMs, Math.max(retryAfterMs, backoffMs));
}
