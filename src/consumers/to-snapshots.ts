import {
  asyncScheduler,
  catchError,
  EMPTY,
  filter,
  ignoreElements,
  Observable,
  tap,
  type OperatorFunction,
  type Subscription,
} from 'rxjs';
import { checkOptions, delayMs, limitFrom } from '../shared/check-options.js';
import type { PayloadSource } from '../shared/payload.js';
import { createSnapshotState, type Snapshot } from './snapshot-state.js';

/** Options of {@link toSnapshots}. */
export interface ToSnapshotsOptions {
  /**
   * The shortest time between two snapshots, in milliseconds of RxJS scheduler time. The last snapshot does not wait.
   *
   * @defaultValue 16, a frame of a 60 Hz display
   */
  readonly intervalMs?: number;
  /**
   * The largest payload whose text is held, in bytes. A larger one becomes a `failed` snapshot with a
   * {@link ResponseTooLargeError} and the text before the chunk that passes the limit, and the connection is closed.
   * `Infinity` sets no limit.
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  readonly maxBytes?: number;
}

/**
 * Turns a response into snapshots for a user interface, at a pace that it can render.
 *
 *     source  h-a-b-c----------------d--(e|)      h: head, a to d: chunks, e: complete; intervalMs: 10
 *     result  s---------t------------u--(v|)      s: connecting, t: 'abc', u: 'abcd', v: complete
 *
 * - **Emits** the first snapshot (`connecting`) at the subscription. After a change it emits the current snapshot, at
 *   most every `intervalMs`. It emits the last snapshot at once, with everything in it.
 * - **Completes** with the source, after a snapshot with status `complete`. Completes also when the source fails or the
 *   payload passes `maxBytes`, after a snapshot with status `failed`, the error, and the text so far.
 * - **Errors** never.
 * - **Unsubscribing** unsubscribes from the source and cancels the timer.
 * - **Memory** the text of at most `maxBytes`. Each snapshot holds the whole text, which is appended to and not copied.
 *
 * A character cut between chunks appears when it is whole. A `retry` becomes a snapshot with status `retrying`. With
 * mode `restart` it empties the text.
 *
 * @example
 * toSignal(
 *   invokeWithResponseStream(client, { FunctionName: 'chat' }).pipe(retryInvocation(), toSnapshots()),
 *   { requireSync: true },
 * );
 *
 * @param options.intervalMs - The shortest time between two snapshots, in milliseconds. @defaultValue 16
 * @param options.maxBytes - The largest payload, in bytes. @defaultValue 16,777,216 (16 MiB)
 */
export function toSnapshots(options: ToSnapshotsOptions = {}): OperatorFunction<PayloadSource, Snapshot> {
  checkOptions('toSnapshots', options, { intervalMs: delayMs, maxBytes: limitFrom(0) });
  const { intervalMs = 16, maxBytes = 16 * 1024 * 1024 } = options;
  return (source) =>
    new Observable<Snapshot>((subscriber) => {
      const state = createSnapshotState(maxBytes);
      /** The time until the next snapshot may come. Undefined where it may come now. */
      let wait: Subscription | undefined;
      let changed = false;

      function emit(): void {
        changed = false;
        // Scheduled before the snapshot is emitted, because its consumer may cause the next change synchronously.
        wait = asyncScheduler.schedule(() => {
          wait = undefined;
          if (changed) emit();
        }, intervalMs);
        subscriber.next(state.snapshot());
      }

      function emitLast(): void {
        wait?.unsubscribe();
        subscriber.next(state.snapshot());
      }

      subscriber.add(() => wait?.unsubscribe());
      emit();
      // A consumer that left at the first snapshot needs no invocation.
      if (subscriber.closed) return;
      return source
        .pipe(
          // An operator of its own, so that an error that it throws becomes a failed snapshot too.
          filter((item) => state.take(item)),
          tap({
            next() {
              if (wait === undefined) emit();
              else changed = true;
            },
            error(error: unknown) {
              state.fail(error);
              emitLast();
            },
            complete() {
              state.complete();
              emitLast();
            },
          }),
          ignoreElements(),
          catchError(() => EMPTY),
        )
        .subscribe(subscriber);
    });
}
