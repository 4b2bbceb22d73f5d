import {
  defer,
  fromEvent,
  map,
  merge,
  NEVER,
  Observable,
  of,
  retry,
  switchMap,
  take,
  throwError,
  timer,
  type ObservableInput,
} from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { delayMs, limitFrom, timeLimitMs } from '../shared/check-options.js';
import { connectToRelay, ConnectionLost, type RelaySession } from './relay-connection.js';

/** How the client reconnects to a keyed invocation after it lost the connection. */
export interface ReconnectOptions {
  /** How many times in a row the client reconnects without getting a byte. @defaultValue 8 */
  readonly maxAttempts?: number;
  /** The longest wait before the client first reconnects, in milliseconds. It doubles each time. @defaultValue 200 */
  readonly initialDelayMs?: number;
  /** The longest wait before the client reconnects, in milliseconds. @defaultValue 10,000 */
  readonly maxDelayMs?: number;
  /**
   * How long a connection may be silent, without a byte or a ping, before it counts as lost, in milliseconds. Keep it
   * above the relay's `pingMs`.
   *
   * @defaultValue 60,000
   */
  readonly timeoutMs?: number;
}

/** The rules of {@link ReconnectOptions}. */
export const reconnectRules = {
  maxAttempts: limitFrom(0),
  initialDelayMs: delayMs,
  maxDelayMs: delayMs,
  timeoutMs: timeLimitMs,
};

/** Events of all connections of a session, with a `retry` before each but the first. */
export function reconnecting(session: RelaySession, policy: Required<ReconnectOptions>): Observable<LambdaStreamEvent> {
  return new Observable((subscriber) => {
    let attempt = 1;
    /** Connections that were lost since the last byte. */
    let losses = 0;
    let bytes = 0;

    function nextConnection(lost: unknown): ObservableInput<unknown> {
      if (!(lost instanceof ConnectionLost) || !session.isKeyed) return throwError(() => lost as Error);
      if (session.bytes !== bytes) losses = 0;
      bytes = session.bytes;
      const offline = isOffline();
      if (!offline && ++losses > policy.maxAttempts) return throwError(() => lost.error as Error);
      const fullDelayMs = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** Math.min(losses - 1, 60));
      const delayMs = offline ? 0 : Math.round(Math.random() * fullDelayMs);
      const delivered = { ...session.delivered };
      subscriber.next({ type: 'retry', attempt: ++attempt, delayMs, error: lost.error, mode: 'replay', delivered });
      return untilOnline(delayMs);
    }

    return defer(() => connectToRelay(session))
      .pipe(retry({ delay: nextConnection }))
      .subscribe(subscriber);
  });
}

/** Emits after the delay, or when the browser comes online. Does not emit while the browser is offline. */
function untilOnline(delayMs: number): Observable<unknown> {
  const online = typeof globalThis.addEventListener === 'function' ? fromEvent(globalThis, 'online') : NEVER;
  return merge(timer(delayMs).pipe(map(isOffline)), online.pipe(map(() => false))).pipe(
    switchMap((offline) => (offline ? online : of(undefined))),
    take(1),
  );
}

/** Tells whether the browser says that it is offline. Node's navigator does not say. */
function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}
