import { vi } from 'vitest';

/** The time of a test, which only the test moves on. */
export interface FakeTime {
  readonly advance: (ms: number) => void;
}

/**
 * Runs a test with timers that only the test moves on. RxJS's TestScheduler fails where a timer clears another one that
 * is due at the same moment, as machines on one clock do.
 */
export function inFakeTime(test: (time: FakeTime) => void): void {
  vi.useFakeTimers({ now: 0, toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] });
  try {
    test({ advance: (ms) => void vi.advanceTimersByTime(ms) });
  } finally {
    vi.useRealTimers();
  }
}
