import { Observable } from 'rxjs';
import {
  callback,
  checkOptions,
  checkValue,
  durationFrom,
  flag,
  limitFrom,
  maxTimerMs,
  observable,
  oneOf,
} from '../shared/check-options.js';
import type { Position } from './entry-id.js';
import type { InvocationLog } from './invocation-log.js';
import { roomOf } from './key-room.js';
import { checkLogAndKey, defaultLeaseMs, positionOrNow, readAfter } from './log-arguments.js';
import { startReader } from './log-reader.js';
import type { PositionedEvent } from './log-records.js';
import type { OpenInvocation } from './production.js';

/** What a consumer of {@link joinInvocation} does when the process that reads the response is lost. */
export type AfterProducerLoss = 'error' | 'restart' | 'replay' | 'continue';

/** Options of {@link joinInvocation}. */
export interface JoinInvocationOptions {
  /**
   * Goes on after this position, which a consumer had reached before, on any machine; `'now'` emits only later events.
   * Nothing is invoked then, except in a take-over that `afterProducerLoss` asks for.
   *
   * @defaultValue everything from the start
   */
  readonly after?: Position | 'now';
  /**
   * Holds the events back while its last value is true. They stay in the log. A consumer that is `maxReplayBytes`
   * behind slows the producer down, for at most `leaseMs`.
   *
   * @defaultValue never
   */
  readonly pauseWhile?: Observable<boolean>;
  /**
   * How long the connection stays open after the last consumer anywhere has left, in milliseconds.
   *
   * @defaultValue `5_000`
   */
  readonly lingerMs?: number;
  /**
   * How long the log keeps the response after its end, in milliseconds.
   *
   * @defaultValue `600_000`
   */
  readonly ttlMs?: number;
  /**
   * How long a process counts as alive after its last renewal, in milliseconds. The death of a producer is noticed
   * within two leases. Each lease costs three renewals.
   *
   * @defaultValue `10_000`
   */
  readonly leaseMs?: number;
  /**
   * How much the log holds for consumers that come late or are slow, in bytes. Each entry counts 64 bytes more than its
   * payload. A consumer that asks for dropped entries gets a `ReplayLimitError`.
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  readonly maxReplayBytes?: number;
  /**
   * What happens when the process that reads the response dies, or closes its log. Every mode except `'error'` needs
   * `idempotent`:
   *
   * - `'error'`: a `ProducerLostError`.
   * - `'restart'`: one of the consumers invokes anew. A `retry` event says that the delivered data is void.
   * - `'replay'`: one of the consumers invokes anew. The bytes that the log has are held back. Other bytes than before
   *   are a `ReplayMismatchError`.
   * - `'continue'`: one of the consumers calls `open`, which goes on from the application's own cursor. If the log
   *   itself has lost bytes that others have read, it is a `ProducerLostError`.
   *
   * @defaultValue `'error'`
   */
  readonly afterProducerLoss?: AfterProducerLoss;
  /**
   * Says that the function may run twice; without it nobody takes over.
   *
   * @defaultValue `false`
   */
  readonly idempotent?: boolean;
}

/**
 * Events of an invocation that all consumers of one key share, on whichever machine they are.
 *
 *     source  --h-a-----b-(c|)    h: head, a, b: chunks, c: complete
 *     subs    ^-----------!
 *     first   --h-a-----b-(c|)
 *     late    ------(ha)b-(c|)    subscribes in frame 6, on another machine
 *
 * The first consumer to subscribe, anywhere, calls `open`, and its process writes the log. All others read it.
 *
 * - **Emits** the invocation's events with their `position`, from the start or after `after`. Each byte comes once.
 * - **Completes** with the invocation, also for a consumer that comes after its end.
 * - **Errors** with the invocation's error, with the same class, fields and verdict on every machine;
 *   `ProducerLostError`; `InvocationStoppedError`; `ReplayLimitError` if the log no longer holds the start;
 *   `UnknownInvocationError` for an `after` that was never given; `LogUnavailableError`.
 * - **Unsubscribing** the last consumer anywhere closes the connection, after `lingerMs`.
 * - **Memory** one page of the log for each consumer (64 KiB with `pauseWhile`, else 1 MiB), and 1 MiB that the log has
 *   not acknowledged. The rest stays in the log, at most `maxReplayBytes` for each key.
 *
 * A key must name everything that changes the answer, because every consumer gets what the first one asked for. After a
 * failure, and after all consumers had left, the next consumer without `after` invokes anew. After `stopInvocation`
 * nobody invokes until `ttlMs` is over or `forgetInvocation` is called.
 *
 * @example
 * joinInvocation(log, `chat:${chatId}:${messageId}`, (pauseWhile) =>
 *   invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { chatId, messageId } }, { pauseWhile }),
 * ).pipe(decodeText()).subscribe((text) => process.stdout.write(text));
 *
 * @param log - From `memoryLog` or `redisLog`.
 * @param key - 1 to 512 bytes of any text.
 * @param open - Makes the invocation. It is called in the process that produces. Pass `pauseWhile` on to the source.
 * @throws TypeError or RangeError at the call for an option of the wrong type or out of its range.
 */
export function joinInvocation(
  log: InvocationLog,
  key: string,
  open: OpenInvocation,
  options: JoinInvocationOptions = {},
): Observable<PositionedEvent> {
  const caller = 'joinInvocation';
  checkLogAndKey(caller, log, key);
  checkValue(caller, 'open', open, callback);
  checkOptions(caller, options, {
    after: positionOrNow,
    pauseWhile: observable,
    lingerMs: durationFrom(0),
    ttlMs: durationFrom(1_000),
    leaseMs: durationFrom(1_000),
    maxReplayBytes: limitFrom(1),
    afterProducerLoss: oneOf(['error', 'restart', 'replay', 'continue']),
    idempotent: flag,
  });
  const {
    after,
    pauseWhile,
    lingerMs = 5_000,
    ttlMs = 600_000,
    leaseMs = defaultLeaseMs,
    maxReplayBytes = 16 * 1024 * 1024,
    afterProducerLoss = 'error',
    idempotent = false,
  } = options;
  for (const [name, ms] of Object.entries({ lingerMs, leaseMs })) {
    if (ms > ttlMs) {
      throw new RangeError(
        `${caller}: ${name} (${ms}) must not be longer than ttlMs (${ttlMs}), at most ${maxTimerMs}`,
      );
    }
  }
  const takeOver = idempotent && afterProducerLoss !== 'error' ? afterProducerLoss : undefined;
  return new Observable((subscriber) => {
    startReader(roomOf(log, key, leaseMs), subscriber, {
      after: readAfter(after),
      pauseWhile,
      producer: { open, lingerMs, ttlMs, leaseMs, maxReplayBytes, ...(takeOver && { takeOver }) },
      followsLoss: false,
    });
  });
}
