import { Observable } from 'rxjs';
import { checkOptions, observable, oneOf } from '../shared/check-options.js';
import type { Position } from './entry-id.js';
import type { InvocationLog } from './invocation-log.js';
import { roomOf } from './key-room.js';
import { checkLogAndKey, defaultLeaseMs, positionOrNow, readAfter } from './log-arguments.js';
import { startReader } from './log-reader.js';
import type { PositionedEvent } from './log-records.js';

/** Options of {@link followInvocation}. */
export interface FollowInvocationOptions {
  /** As for `joinInvocation`. @defaultValue everything from the start */
  readonly after?: Position | 'now';
  /** As for `joinInvocation`. @defaultValue never */
  readonly pauseWhile?: Observable<boolean>;
  /**
   * What happens when the process that reads the response is lost. `'error'` is a `ProducerLostError`. `'follow'` goes
   * on with the process that takes over, and is a `ProducerLostError` if none does within a lease.
   *
   * @defaultValue `'error'`
   */
  readonly afterProducerLoss?: 'error' | 'follow';
}

/**
 * Events of an invocation that somebody else has joined. Never invokes.
 *
 *     source  --h-a-----b-(c|)    h: head, a, b: chunks, c: complete
 *     result  ------(ha)b-(c|)    subscribes in frame 6
 *
 * - **Emits**, **completes** and **errors** as `joinInvocation` does, and with an `UnknownInvocationError` if the log
 *   does not have the key.
 * - **Unsubscribing** leaves. A follower counts as a consumer, so that the connection stays open while it is there.
 * - **Memory** as for `joinInvocation`.
 *
 * @example
 * followInvocation(log, key, { after: 'now' }).pipe(decodeText()).subscribe((text) => screen.append(text));
 *
 * @throws TypeError at the call for an option of the wrong type.
 */
export function followInvocation(
  log: InvocationLog,
  key: string,
  options: FollowInvocationOptions = {},
): Observable<PositionedEvent> {
  const caller = 'followInvocation';
  checkLogAndKey(caller, log, key);
  checkOptions(caller, options, {
    after: positionOrNow,
    pauseWhile: observable,
    afterProducerLoss: oneOf(['error', 'follow']),
  });
  const { after, pauseWhile, afterProducerLoss = 'error' } = options;
  return new Observable((subscriber) => {
    startReader(roomOf(log, key, defaultLeaseMs), subscriber, {
      after: readAfter(after),
      pauseWhile,
      followsLoss: afterProducerLoss === 'follow',
    });
  });
}
