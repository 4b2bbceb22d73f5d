/** The expected timers. */
export interface ExpectedClock {
  /** How many timers are set. */
  readonly pending: number;
  /** How long it is until the next timer fires; `Infinity` without a timer. */
  readonly untilNextMs: number;
  /** Sets a timer, and returns a function that cancels it. */
  schedule(delayMs: number, action: () => void): () => void;
  advance(ms: number): void;
}

export function createExpectedClock(): ExpectedClock {
  let now = 0;
  let timers: { readonly due: number; readonly action: () => void }[] = [];

  return {
    get pending() {
      return timers.length;
    },
    get untilNextMs() {
      return Math.min(...timers.map(({ due }) => due - now));
    },
    schedule(delayMs, action) {
      const timer = { due: now + delayMs, action };
      timers.push(timer);
      return () => (timers = timers.filter((one) => one !== timer));
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        // The earliest; of several the one that was set first.
        const due = timers.filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        now = due.due;
        due.action();
      }
      now = until;
    },
  };
}
