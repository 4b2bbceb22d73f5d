/**
 * How fast parseNdjson is, beside its peers and beside JSON.parse alone: `npx tsx test/bench/ndjson/run.ts`.
 *
 * All contenders take turns in every round, so that whatever else the machine does hits all of them; the figures are
 * medians over the rounds.
 */
import { from } from 'rxjs';
import { parseNdjson } from '../../../src/operators/parse-ndjson.js';
import { contenders } from './contenders.js';
import { cutEvery, makeLines, makeTokenLines, toBytes } from './payload.js';

const limitName = 'JSON.parse of ready lines (the limit)';
const rounds = 11;

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

async function compare(title: string, lines: string[], chunkBytes: number): Promise<void> {
  const bytes = toBytes(lines);
  const chunks = cutEvery(bytes, chunkBytes);
  const times = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  // The first two rounds let the engine compile.
  for (let round = -2; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const start = performance.now();
      const records = await contender(chunks, lines);
      const time = performance.now() - start;
      if (records !== lines.length) throw new Error(`${name} read ${records} of ${lines.length} records`);
      if (round >= 0) times.get(name)?.push(time);
    }
  }
  const ours = median(times.get('parseNdjson') ?? []);
  const limit = median(times.get(limitName) ?? []);
  console.log(`\n${title}: ${lines.length} records, ${(bytes.length / 1e6).toFixed(1)} MB, ${chunks.length} chunks`);
  console.table(
    Object.fromEntries(
      [...times].map(([name, all]) => {
        const time = median(all);
        return [
          name,
          {
            'median ms': Number(time.toFixed(2)),
            'MB/s': Math.round(bytes.length / 1e3 / time),
            'share of the limit': `${Math.round((limit / time) * 100)} %`,
            'parseNdjson is faster by': name === 'parseNdjson' ? '' : `${(time / ours).toFixed(2)}x`,
          },
        ];
      }),
    ),
  );
}

function timeOf(chunks: readonly Uint8Array[]): number {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    from(chunks)
      .pipe(parseNdjson({ maxLineBytes: Infinity }))
      .subscribe();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Linear means: the last column stays what it is while the first doubles. */
function scale(title: string, sizes: number[], unit: string, make: (size: number) => Uint8Array[]): void {
  timeOf(make(sizes[0] ?? 0));
  console.log(`\n${title}`);
  console.table(
    sizes.map((size) => {
      const time = timeOf(make(size));
      return {
        [unit]: size,
        'median ms': Number(time.toFixed(2)),
        [`ns per ${unit}`]: Number(((time * 1e6) / size).toFixed(2)),
      };
    }),
  );
}

await compare('64 KiB chunks, ASCII', makeLines(30_000, 0), 65_536);
await compare('64 KiB chunks, every tenth record beyond ASCII', makeLines(30_000, 10), 65_536);
await compare('64 KiB chunks, short records', makeTokenLines(60_000), 65_536);
await compare('16-byte chunks, ASCII', makeLines(3_000, 0), 16);
await compare('16-byte chunks, every tenth record beyond ASCII', makeLines(3_000, 10), 16);

const longLine = (size: number): Uint8Array => {
  const line = new Uint8Array(size).fill(0x61);
  line[0] = line[size - 2] = 0x22;
  line[size - 1] = 0x0a;
  return line;
};
const mebibytes = [1, 2, 4, 8, 16].map((n) => n * 1_048_576);
scale('one line of growing length, in chunks of 1 KiB', mebibytes, 'byte', (size) => cutEvery(longLine(size), 1024));
scale('one line of growing length, in chunks of 16 bytes', mebibytes.slice(0, 3), 'byte', (size) =>
  cutEvery(longLine(size), 16),
);
const thousands = [10, 20, 40, 80, 160].map((n) => n * 1000);
const record = toBytes(makeLines(1, 0));
scale('growing number of chunks, a record each', thousands, 'chunk', (size) =>
  Array.from({ length: size }, () => record),
);
