import type { Observer } from 'rxjs';

/** Values pulled one promise at a time into an observer. It begins paused. */
export interface Pull {
  /** Pulls no more, or goes on. */
  pace(paused: boolean): void;
}

/**
 * Pulls values, one at a time and never while paused, until there are no more.
 *
 * @param isDone - Nobody listens any more. True after the observer's completion or error.
 */
export function pull<T>(
  next: () => Promise<IteratorResult<T, unknown>>,
  observer: Observer<T>,
  isDone: () => boolean,
): Pull {
  let paused = true;
  /** A loop is running; there is never more than one. */
  let running = false;
  /** Arrived after a pause that came while a value was pending. */
  let held: IteratorResult<T, unknown> | undefined;

  const isIdle = (): boolean => paused || isDone();

  async function run(): Promise<void> {
    running = true;
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
    running = false;
  }

  return {
    pace(pause) {
      paused = pause;
      if (!running) void run();
    },
  };
}
