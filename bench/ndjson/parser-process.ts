/** A process that reads NDJSON in one way, and is measured while it does: its argument is the contender. */
import { serveRounds } from '../harness/serve-rounds.js';
import { contenderOf } from './contenders.js';
import { makePayload, type Payload, type Recipe } from './payload.js';

/** Reads a payload some times, one after the other. */
export interface ParserTask {
  readonly recipe: Recipe;
  readonly times: number;
}

const parse = contenderOf(process.argv[2]);
const payloads = new Map<string, Payload>();

serveRounds(({ recipe, times }: ParserTask) => {
  const key = JSON.stringify(recipe);
  const payload = payloads.get(key) ?? makePayload(recipe);
  payloads.set(key, payload);
  const { chunks, lines } = payload;
  return async () => {
    for (let i = 0; i < times; i++) {
      const records = await parse(chunks, lines);
      if (records !== lines.length) throw new Error(`${records} of ${lines.length} records were read`);
    }
  };
});
