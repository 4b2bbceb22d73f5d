/**
 * The parameters of a property: how often it runs, and where it begins.
 *
 * Without settings they begin at the same place each time, so that what the ledgers ask for is always met.
 * `LIFECYCLE_RUNS` sets the number for every property of this folder, which then begin anywhere. A failure prints its
 * seed and path, which `LIFECYCLE_SEED` and `LIFECYCLE_PATH` repeat.
 */
export function runs(usual: number): { numRuns: number; seed?: number; path?: string } {
  const { LIFECYCLE_RUNS, LIFECYCLE_SEED, LIFECYCLE_PATH } = process.env;
  const seed = LIFECYCLE_SEED ?? (LIFECYCLE_RUNS === undefined ? '1' : undefined);
  return {
    numRuns: LIFECYCLE_RUNS === undefined ? usual : Number(LIFECYCLE_RUNS),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(LIFECYCLE_PATH !== undefined && { path: LIFECYCLE_PATH }),
  };
}
