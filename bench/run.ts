/**
 * `npm run bench`: measures this package and writes RESULTS.md and results.svg beside this file, and the table of
 * docs/benchmark.md.
 *
 *     npm run bench -- [PART…] [--quick] [--write]
 *
 * With the names of parts, only these are measured, and nothing is written. `--quick` takes few rounds, and writes only
 * with `--write`. A missed target is reported and does not fail the run.
 */
import { parseArgs } from 'node:util';
import { measureConcurrency } from './concurrency/measure-concurrency.js';
import { measureCrc32 } from './crc32.js';
import { measureEvents } from './events/measure-events.js';
import { full, quick, type Effort } from './harness/effort.js';
import { measureHttp } from './http/measure-http.js';
import { measureLatency } from './latency/measure-latency.js';
import { measureLinear } from './linear/measure-linear.js';
import { measureLoading } from './loading/measure-loading.js';
import { measureNdjson } from './ndjson/measure-ndjson.js';
import { measureLog } from './log/measure-log.js';
import { measureRelay } from './relay/measure-relay.js';
import { formatMarkdown } from './results/format-markdown.js';
import { describeSurroundings } from './results/machine.js';
import { describeRun } from './results/results-page.js';
import { toTable } from './results/results-table.js';
import type { Row } from './results/row.js';
import { writeResults } from './results/write-results.js';

const parts = {
  events: measureEvents,
  latency: measureLatency,
  http: measureHttp,
  ndjson: measureNdjson,
  concurrency: measureConcurrency,
  linear: measureLinear,
  crc32: measureCrc32,
  loading: measureLoading,
  log: measureLog,
  relay: measureRelay,
} satisfies Record<string, (effort: Effort) => Promise<Row[]>>;

const isPart = (name: string): name is keyof typeof parts => Object.hasOwn(parts, name);

const surroundings = describeSurroundings();
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !isPart(name));
if (unknown !== undefined) throw new TypeError(`No part "${unknown}": there are ${Object.keys(parts).join(', ')}`);
const isPartial = positionals.length > 0;
if (isPartial && values.write) throw new TypeError('--write is for all parts: the results would lose the others');

console.log(describeRun(surroundings));
const rows: Row[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (isPartial && !positionals.includes(name)) continue;
  const start = performance.now();
  const measured = await measure(values.quick ? quick : full);
  rows.push(...measured);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`\n${name}, in ${seconds} s\n\n${await formatMarkdown(toTable(measured))}`);
}

if (!isPartial && (values.write || !values.quick)) {
  console.log(`Written: ${(await writeResults(rows, surroundings, values.quick)).join(', ')}`);
}
