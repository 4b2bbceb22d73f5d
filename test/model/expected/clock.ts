interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** The expected timers. */
export class ExpectedClock {
  #nowMs = 0;
  #timers: readonly Timer[] = [];

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** How long it is until the next timer fires; `Infinity` without a timer. */
  get untilNextMs(): number {
    return Math.min(...this.#timers.map(({ dueMs }) => dueMs - this.#nowMs));
  }

  /** Sets a timer, and returns a function that cancels it. */
  schedule(delayMs: number, action: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, action };
    this.#timers = [...this.#timers, timer];
    return () => (this.#timers = this.#timers.filter((one) => one !== timer));
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.untilNextMs <= untilMs - this.#nowMs) {
      this.#nowMs += this.untilNextMs;
      // Of several timers that are due the one that was set first.
      const due = this.#timers.find(({ dueMs }) => dueMs === this.#nowMs)!;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      due.action();
    }
    this.#nowMs = untilMs;
  }
}
