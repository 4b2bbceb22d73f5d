import { onTestFinished, vi } from 'vitest';

/** RxJS's clock, in the test's hands. */
export interface VirtualClock {
  /** Runs what is due within so many milliseconds, and the promises that come of it. */
  readonly advance: (ms: number) => Promise<unknown>;
}

/** Stops RxJS's clock until the test is over. The network goes on: Node's own timers are others. */
export function stopClock(): VirtualClock {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return { advance: (ms) => vi.advanceTimersByTimeAsync(ms) };
}

/**
 * Waits until a figure stands still for two hundred turns of the event loop. For a test all of whose parts are in its
 * own process: nothing else tells that nothing more will come.
 */
export async function settled(figure: () => number): Promise<number> {
  let last = figure();
  for (let turns = 0; turns < 200; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (figure() === last) continue;
    last = figure();
    turns = 0;
  }
  return last;
}
