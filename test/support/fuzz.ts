/** A whole number from 0 up to, and without, the limit. */
export type Random = (limit: number) => number;

/** The generator mulberry32: a seed gives the same numbers on every machine. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const { FUZZ_RUNS, FUZZ_SEED = '1' } = process.env;

/** Parameters for fast-check, by the same variables as {@link fuzz}. */
export const fuzzParameters = (defaultRuns: number): { numRuns: number; seed: number } => ({
  numRuns: Number(FUZZ_RUNS ?? defaultRuns),
  seed: Number(FUZZ_SEED),
});

/**
 * Runs a property with numbers from a fixed seed: some seconds by default, and for minutes by hand, which prints how
 * often each outcome came up:
 *
 *     FUZZ_RUNS=20000 FUZZ_SEED=7 npx vitest run --testTimeout=0 test/event-stream test/decoding
 *
 * @param run - One run. It returns the name of its outcome, and throws where the property does not hold.
 * @throws An error with the seed that repeats the failing run alone (with `FUZZ_RUNS=1`).
 */
export function fuzz(name: string, defaultRuns: number, run: (random: Random) => string): void {
  const runs = Number(FUZZ_RUNS ?? defaultRuns);
  const counts: Record<string, number> = {};
  for (let index = 0; index < runs; index++) {
    const seed = Number(FUZZ_SEED) + index;
    try {
      const outcome = run(randomFrom(seed));
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    } catch (cause) {
      throw new Error(`${name}: FUZZ_SEED=${seed} FUZZ_RUNS=1 repeats what failed: ${String(cause)}`, { cause });
    }
  }
  if (FUZZ_RUNS !== undefined) console.log(`${name}, seeds from ${FUZZ_SEED}:`, counts);
}
