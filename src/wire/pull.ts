import type { Observer } from 'rxjs';

/** Values pulled one promise at a time into an observer. It begins paused. */
export interface Pull {
  resume(): void;
  pause(): void;
  /** From here on nothing is reported; false where that was so before. */
  stop(): boolean;
}

/** Pulls values, one at a time and never while paused, until there are no more. */
export function pull<T>(next: () => Promise<IteratorResult<T, unknown>>, observer: Observer<T>): Pull {
  let paused = true;
  let stopped = false;
  /** A loop is running; there is never more than one. */
  let running = false;
  /** Arrived after a pause that came while a value was pending. */
  let held: IteratorResult<T, unknown> | undefined;

  async function run(): Promise<void> {
    running = true;
    try {
      while (!paused) {
        const result = held ?? (await next());
        held = undefined;
        // The flags may have changed while the value was pending, which narrowing cannot see.
        if (isStopped()) return;
        if (isPaused()) {
          held = result;
        } else if (result.done) {
          stopped = true;
          observer.complete();
          return;
        } else {
          observer.next(result.value);
          if (isStopped()) return;
        }
      }
    } catch (cause) {
      if (isStopped()) return;
      stopped = true;
      observer.error(cause);
    } finally {
      running = false;
    }
  }
  const isStopped = (): boolean => stopped;
  const isPaused = (): boolean => paused;

  return {
    resume() {
      paused = false;
      if (!running && !stopped) void run();
    },
    pause() {
      paused = true;
    },
    stop() {
      const first = !stopped;
      stopped = true;
      held = undefined;
      return first;
    },
  };
}
