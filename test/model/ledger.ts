import { expect } from 'vitest';

/** What the runs of a property have come across: a fuzz that never gets there proves nothing. */
export interface Ledger {
  readonly note: (what: string) => void;
  /** Fails where a situation was not met in the usual number of runs. Fewer may miss some. */
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
