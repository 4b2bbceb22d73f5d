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

/** One step of a state machine. It runs on the expected state and on the real one, and then both are compared. */
export type Step<Expected extends object, Real> = fc.AsyncCommand<Expected, Real>;

/**
 * @param name - What a counterexample prints.
 * @param isPossible - Says of the expected state whether the step can be taken. An impossible step is left out.
 */
export function step<Expected extends object, Real extends { check(expected: Expected): Promise<void> }>(
  name: string,
  act: (expected: Expected, real: Real) => unknown,
  isPossible: (expected: Readonly<Expected>) => boolean = () => true,
): Step<Expected, Real> {
  return {
    check: isPossible,
    async run(expected, real) {
      await act(expected, real);
      await real.check(expected);
    },
    toString: () => name,
  };
}

/** Lists of steps. A step with the weight 2 is drawn twice as often as one with the weight 1. */
export function stepLists<Expected extends object, Real>(
  maxSteps: number,
  weighted: readonly (readonly [weight: number, steps: fc.Arbitrary<Step<Expected, Real>>])[],
): fc.Arbitrary<Iterable<Step<Expected, Real>>> {
  const { LIFECYCLE_REPLAY } = process.env;
  const any = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  const lists = fc.commands([any], {
    maxCommands: maxSteps,
    size: 'max',
    ...(LIFECYCLE_REPLAY !== undefined && { replayPath: LIFECYCLE_REPLAY }),
  });
  // Short lists, which fast-check prefers, say little here.
  return fc.noBias(lists);
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
