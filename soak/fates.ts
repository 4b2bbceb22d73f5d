import fc from 'fast-check';
import type { DoorName } from './door.js';
import type { Fate, Plan } from './fate.js';
import { fatesOfClients } from './fates-of-clients.js';
import { fatesOfFunctions } from './fates-of-functions.js';
import { fatesOfHttp } from './fates-of-http.js';
import { resumingFates } from './fates-of-retries.js';

type Fates = Readonly<Record<string, Fate>>;

/** Every way for a stream of the SDK to go, by what becomes of it. */
export const invocationFates: Fates = { ...fatesOfClients, ...resumingFates, ...fatesOfFunctions };

/** Every way for an HTTP response to go. */
export const httpFates: Fates = { ...fatesOfClients, ...resumingFates, ...fatesOfHttp };

export const fatesOf = (door: DoorName): Fates => (door === 'fetchResponseStream' ? httpFates : invocationFates);

/** Streams of random fates and sizes. A seed repeats them. */
export function drawPlans(door: DoorName, seed: number, firstId: number, count: number): Plan[] {
  const plans = fc.record({
    fate: fc.constantFrom(...Object.keys(fatesOf(door))),
    chunks: fc.integer({ min: 1, max: 8 }),
    chunkBytes: fc.integer({ min: 1, max: 2_000 }),
    failures: fc.integer({ min: 1, max: 2 }),
  });
  const drawn = fc.sample(fc.noBias(plans), { seed, numRuns: count });
  return drawn.map((plan, n) => ({ id: firstId + n, ...plan }));
}
