import fc from 'fast-check';
import { expect } from 'vitest';

/**
 * The parameters of a property: so many runs, always from one seed, so that a run in CI repeats one at home. The
 * environment asks for another number of runs (from a random seed), for a seed, or for the path of one failure.
 */
export function runs(usual: number): fc.Parameters<unknown> {
  const { LIFECYCLE_RUNS, LIFECYCLE_SEED, LIFECYCLE_PATH } = process.env;
  const seed = LIFECYCLE_SEED ?? (LIFECYCLE_RUNS === undefined ? '1' : undefined);
  return {
    numRuns: LIFECYCLE_RUNS === undefined ? usual : Number(LIFECYCLE_RUNS),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(LIFECYCLE_PATH !== undefined && { path: LIFECYCLE_PATH }),
  };
}

/** The situations that the runs of a property have met. A property whose runs never get there proves nothing. */
export interface Ledger {
  readonly note: (what: string) => void;
  /** Fails where a situation was not met in the usual number of runs. */
  expectAllMet(): void;
}

/** @param situations - By name, the note that shows each. */
export function createLedger(situations: Readonly<Record<string, RegExp>>): Ledger {
  const missing = new Map(Object.entries(situations));
  return {
    note(what) {
      for (const [name, sign] of missing) if (sign.test(what)) missing.delete(name);
    },
    expectAllMet() {
      const { LIFECYCLE_RUNS, LIFECYCLE_PATH } = process.env;
      if (LIFECYCLE_RUNS === undefined && LIFECYCLE_PATH === undefined) expect([...missing.keys()]).toEqual([]);
    },
  };
}
