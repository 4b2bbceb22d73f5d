import type { Observer } from 'rxjs';

/** Values that are pulled one at a time into an observer. It begins paused. */
export interface Pull {
  /** Stops pulling, or goes on. */
  setPaused(paused: boolean): void;
}

/**
 * Pulls values, one at a time and never while paused, until there are no more.
 *
 * @param next - Returns the next value, or a promise of it.
 * @param isDone - Tells whether the observer is done: after its completion or error, or because nobody listens any
 * more.
 */
export function pull<T>(
  next: () => IteratorResult<T, unknown> | PromiseLike<IteratorResult<T, unknown>>,
  observer: Observer<T>,
  isDone: () => boolean,
): Pull {
  let isPaused = true;
  /** Whether the loop runs. There is never more than one. */
  let isRunning = false;
  /** The result that arrived while a pause began. */
  let held: IteratorResult<T, unknown> | undefined;

  const isIdle = (): boolean => isPaused || isDone();

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (!isIdle()) {
        held ??= await next();
        if (isIdle()) break;
        const result = held;
        held = undefined;
        if (result.done) observer.complete();
        else observer.next(result.value);
      }
    } catch (cause) {
      if (!isDone()) observer.error(cause);
    }
    isRunning = false;
  }

  return {
    setPaused(paused) {
      isPaused = paused;
      if (!isRunning) void run();
    },
  };
}
