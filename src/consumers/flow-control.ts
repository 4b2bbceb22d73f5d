import {
  BehaviorSubject,
  defer,
  distinctUntilChanged,
  finalize,
  from,
  map,
  mergeMap,
  tap,
  type Observable,
  type ObservableInput,
  type OperatorFunction,
} from 'rxjs';
import { callback, checkOptions, checkValue, limitFrom } from '../shared/check-options.js';

/** Options of {@link createFlowControl}. */
export interface FlowControlOptions {
  /**
   * How many values may be in work or wait before reading stops. It goes on at half of this number. The values of a
   * read that was already made still arrive and wait.
   *
   * @defaultValue 16
   */
  readonly highWaterMark?: number;
}

/** Slows reading down to the pace of the work. From {@link createFlowControl}. */
export interface FlowControl {
  /** Whether the work is behind: for `pauseWhile`. Emits at the subscription, then at each change. Never completes. */
  readonly paused: Observable<boolean>;
  /**
   * RxJS's `mergeMap`, counted. With `concurrency` 1 results keep the order of the values.
   *
   * @param project - Starts the work for a value. The value counts until what it returns has completed.
   * @param concurrency - How many values are in work at a time; the others wait. @defaultValue unlimited, which leaves
   * the limit to `highWaterMark`
   */
  mergeMap<T, R>(
    project: (value: T, index: number) => ObservableInput<R>,
    concurrency?: number,
  ): OperatorFunction<T, R>;
}

/**
 * Makes a flow control, by which slow work slows the function's stream down instead of filling the heap.
 *
 *     source  abcd---------|    highWaterMark: 2, concurrency: 1, 3 frames of work for each value
 *     result  ---a--b--c--d|
 *     paused  ft-------f----    f: false, t: true
 *
 * - **Emits** what the projected Observables or promises emit, as RxJS's `mergeMap` does.
 * - **Completes** when the source and all work are complete.
 * - **Errors** with the source's or the work's error, or with what `project` throws.
 * - **Unsubscribing** unsubscribes from the source and from all work, drops what waits, and ends the pause. An error
 *   does too.
 * - **Memory** `highWaterMark` values and what one read brings (64 KiB of payload in Node, however many values are in
 *   it). Behind them are the socket's buffers, and the rest stays with Lambda.
 *
 * One flow control belongs to one invocation. Used in several branches of a shared one, it counts them together.
 *
 * @example
 * const flow = createFlowControl({ highWaterMark: 32 });
 * invokeWithResponseStream(client, { FunctionName: 'export' }, { pauseWhile: flow.paused })
 *   .pipe(parseNdjson(), flow.mergeMap((record) => save(record), 4))
 *   .subscribe({ error: console.error });
 *
 * @param options.highWaterMark - Values in work at which reading stops. @defaultValue 16
 */
export function createFlowControl(options: FlowControlOptions = {}): FlowControl {
  checkOptions('createFlowControl', options, { highWaterMark: limitFrom(1) });
  const { highWaterMark = 16 } = options;
  const lowWaterMark = Math.floor(highWaterMark / 2);
  const state = new BehaviorSubject(false);
  let load = 0;

  function enter(): void {
    load++;
    if (load >= highWaterMark && !state.value) state.next(true);
  }

  function leave(count: number): void {
    load -= count;
    if (load <= lowWaterMark && state.value) state.next(false);
  }

  return {
    // The present value is emitted instead of the notified one. The end of a pause can bring values that begin the next
    // pause before a second subscriber has heard of the end.
    paused: state.pipe(
      map(() => state.value),
      distinctUntilChanged(),
    ),
    mergeMap: (project, concurrency = Infinity) => {
      checkValue('mergeMap of createFlowControl', 'project', project, callback);
      checkValue('mergeMap of createFlowControl', 'concurrency', concurrency, limitFrom(1));
      return (source) =>
        defer(() => {
          let held = 0;
          return source.pipe(
            tap(() => {
              held++;
              enter();
            }),
            mergeMap(
              (value, index) =>
                from(project(value, index)).pipe(
                  finalize(() => {
                    // Zero after the release below, which comes before the end of the work in progress.
                    if (held === 0) return;
                    held--;
                    leave(1);
                  }),
                ),
              concurrency,
            ),
            // Releases the values that waited or were in work when the subscription ended early.
            finalize(() => {
              const rest = held;
              held = 0;
              leave(rest);
            }),
          );
        });
    },
  };
}
