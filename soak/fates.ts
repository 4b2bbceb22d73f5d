import type { Fate } from './fate.js';
import { fatesOfClients } from './fates-of-clients.js';
import { fatesOfFunctions } from './fates-of-functions.js';
import { fatesOfRetries } from './fates-of-retries.js';
import type { Plan } from './plan.js';
import type { Random } from './random.js';

/** Every way for a stream to go, by what becomes of it. */
export const fates: Readonly<Record<string, Fate>> = { ...fatesOfFunctions, ...fatesOfClients, ...fatesOfRetries };

const names = Object.keys(fates);

/** Streams of random fates and sizes. */
export function makePlans(random: Random, firstId: number, count: number): Plan[] {
  return Array.from({ length: count }, (_, n) => ({
    id: firstId + n,
    fate: random.pick(names),
    chunks: random.integer(1, 8),
    chunkBytes: random.integer(1, 2_000),
    failures: random.integer(1, 2),
  }));
}
