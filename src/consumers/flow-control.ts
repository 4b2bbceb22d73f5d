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
   * How many values may be in work or wait before reading stops. Reading goes on at half of this number. The other
   * values of a read that is already made still arrive, and wait. `Infinity` never stops reading.
   *
   * @defaultValue 16
   */
  readonly highWaterMark?: number;
}

/** Slows reading down to the pace of the work. From {@link createFlowControl}. */
export interface FlowControl {
  /** For `pauseWhile`: true while the work is behind. Emits at the subscription and at each change. Never completes. */
  readonly paused: Observable<boolean>;
  /**
   * Maps values to work, as RxJS's `mergeMap` does, and counts them. With `concurrency` 1 the results keep the order of
   * the values.
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
 * - **Unsubscribing** unsubscribes from the source and from all work, drops the values that wait, and ends the pause.
 *   An error does the same.
 * - **Memory** `highWaterMark` values and those of one read, which has 64 KiB of payload in Node. The socket's buffers
 *   hold the next bytes, and the rest stays with Lambda.
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
    // Emits the present state and not the notified one. The end of a pause can bring values that begin the next pause,
    // before a second subscriber was notified of the end.
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
                    // The release below comes before the end of the work in progress, and has counted this value.
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
