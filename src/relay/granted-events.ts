import { catchError, defer, EMPTY, exhaustMap, filter, map, take, timer, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import {
  followInvocation,
  inspectInvocation,
  joinInvocation,
  type InvocationLog,
  type Position,
} from '../log/index.js';
import { defaultLeaseMs } from '../log/log-arguments.js';
import { defined } from '../shared/defined.js';
import type { CheckedGrant } from './grant.js';
import type { Place } from './read-call.js';
import type { Settings } from './relay-options.js';
import { refusals } from './relay-refusal.js';

/** How long and how much the log keeps of an invocation. */
type KeptSettings = Pick<Settings<unknown>, 'lingerMs' | 'ttlMs' | 'maxReplayBytes'>;

/** How often the log is asked whether an invocation has been claimed, in milliseconds. */
const beginningCheckMs = 250;

/** Returns the granted invocation from the place on. @throws TypeError for a grant that allows nothing. */
export function eventsOf(
  log: InvocationLog,
  settings: KeptSettings,
  grant: CheckedGrant,
  place: Place | undefined,
): (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent & { position?: Position }> {
  const { key, open, afterProducerLoss, idempotent } = grant;
  if (key === undefined) {
    if (open === undefined) throw new TypeError('authorize: a grant has a key, or open, or both');
    // An invocation without a key ends with its connection, so that no client can come back to it.
    if (place !== undefined) throw refusals.unknownInvocation();
    return (pauseWhile) => defer(() => open(pauseWhile));
  }
  const after = place && (`${place.generation}-${place.bytes}` as Position);
  const { lingerMs, ttlMs, maxReplayBytes } = settings;
  // A lease must not be longer than the log keeps the key.
  const leaseMs = Math.min(defaultLeaseMs, ttlMs);
  return (pauseWhile) =>
    open === undefined
      ? followInvocation(log, key, defined({ after, pauseWhile }))
      : joinInvocation(
          log,
          key,
          open,
          defined({ after, pauseWhile, lingerMs, ttlMs, leaseMs, maxReplayBytes, afterProducerLoss, idempotent }),
        );
}

/**
 * Emits the first position of a key's generation as soon as the key is claimed, before the function has answered. A
 * distant log may know of the claim a moment later, and so is asked again.
 */
export function begun(log: InvocationLog, key: string | undefined): Observable<string> {
  if (key === undefined) return EMPTY;
  return timer(0, beginningCheckMs).pipe(
    exhaustMap(() => inspectInvocation(log, key)),
    filter((found) => found?.state === 'running'),
    take(1),
    map((found) => `${found?.generation}-0`),
    // If the log fails, the stream itself reports the failure.
    catchError(() => EMPTY),
  );
}
