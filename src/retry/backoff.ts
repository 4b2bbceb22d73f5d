import { maxTimerMs } from '../shared/check-options.js';
import type { InvocationErrorClass } from './classify-invocation-error.js';

/** The factor by which the delay of 'soon' grows with each retry. */
const soonGrowth = 2;
/** The first delay of 'later' is this many times that of 'soon', because a change of state takes seconds. */
const laterStart = 10;
/** The factor of 'later'. It is smaller because more waiting does not make a change of state come sooner. */
const laterGrowth = 1.5;
/** The number of steps after which a delay of 1 ms has grown past the longest timer. */
const maxSteps = 60;

/**
 * Computes the wait before the next attempt, in whole milliseconds. The wait grows exponentially, has jitter, and is
 * never shorter than what the service asks for.
 *
 * @param retries - The number of retries so far: 0 before the first.
 * @param fraction - The jitter: the part of the full delay that is waited, in [0, 1].
 */
export function backoffDelay(
  { verdict, retryAfterMs = -1 }: InvocationErrorClass,
  retries: number,
  fraction: number,
  { initialDelayMs, maxDelayMs }: { initialDelayMs: number; maxDelayMs: number },
): number {
  if (retryAfterMs === 0) return 0;
  // The limit keeps the power finite: `Infinity` times an initial delay of 0 is NaN.
  const steps = Math.min(retries, maxSteps);
  const grown = verdict === 'later' ? laterStart * laterGrowth ** steps : soonGrowth ** steps;
  const backoffMs = Math.round(fraction * Math.min(maxDelayMs, initialDelayMs * grown));
  // A timer with a longer delay than timers can have would fire at once.
  return Math.min(maxTimerMs, Math.max(retryAfterMs, backoffMs));
}
