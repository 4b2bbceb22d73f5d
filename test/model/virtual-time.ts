import { TestScheduler } from 'rxjs/testing';

/** RxJS's time, in the test's hands. */
export interface VirtualTime {
  /** How many timers of RxJS are set. */
  readonly pending: number;
  /** Lets this many milliseconds pass: all timers that are due by then fire. */
  advance(ms: number): void;
}

/** Runs a test with virtual time, step by step: between two steps nothing passes unless the test says so. */
export function inVirtualTime(test: (time: VirtualTime) => void): void {
  const scheduler = new TestScheduler(() => {
    throw new Error('There are no marbles here');
  });
  scheduler.run(() => {
    test({
      get pending() {
        return scheduler.actions.length;
      },
      advance(ms) {
        const until = scheduler.frame + ms;
        scheduler.maxFrames = until;
        scheduler.flush();
        scheduler.frame = until;
      },
    });
  });
}
