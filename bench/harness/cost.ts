/** What a stretch of work took. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of the whole process: the collector's and the compiler's threads as well. */
  readonly cpuMs: number;
}

/** Starts to measure; calling what it returns tells the cost since. */
export function startClock(): () => Cost {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const wallMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000 };
  };
}
