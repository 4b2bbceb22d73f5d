/** What a piece of work took. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of the whole process, with the threads of the collector and the compiler. */
  readonly cpuMs: number;
}

/** Starts to measure. The function that it returns tells the cost since then. */
export function startClock(): () => Cost {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const wallMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000 };
  };
}
