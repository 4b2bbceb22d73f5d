/**
 * Where the runtime's CRC-32 begins to beat the tables: the constant in src/wire/crc32.ts.
 * Run: npx tsx test/bench/crc32.ts
 */
import { crc32 as native } from 'node:zlib';
import { crc32ByTables } from '../../src/wire/crc32.js';

function nanosecondsPer(run: () => number, times: number): number {
  let sink = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) sink ^= run();
  const elapsed = Number(process.hrtime.bigint() - start);
  if (Number.isNaN(sink)) throw new Error('unreachable, but keeps the work alive');
  return elapsed / times;
}

console.log('bytes  tables ns  native ns  ratio');
for (const size of [16, 64, 128, 192, 256, 384, 512, 1024, 4096, 16384, 65536]) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7);
  const times = Math.max(2_000, Math.floor(20_000_000 / (size + 50)));
  const rounds = Array.from({ length: 5 }, () => [
    nanosecondsPer(() => crc32ByTables(bytes, 0, size, 0), times),
    nanosecondsPer(() => native(bytes, 0), times),
  ]);
  const median = (column: number): number => rounds.map((r) => r[column]!).sort((a, b) => a - b)[2]!;
  const [tables, own] = [median(0), median(1)];
  console.log(
    `${String(size).padStart(5)}  ${tables.toFixed(1).padStart(9)}  ${own.toFixed(1).padStart(9)}  ${(tables / own).toFixed(2)}`,
  );
}
