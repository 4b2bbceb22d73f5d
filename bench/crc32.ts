import type { Crc32Task } from './crc32-process.js';
import { alternate } from './harness/alternate.js';
import type { Effort } from './harness/effort.js';
import { measureIn } from './harness/measure-in.js';
import { medianOf } from './harness/median.js';
import { withProcesses } from './harness/processes.js';
import { nanosecondsCpuPerCall, type Row } from './results/row.js';

const ways = ['ours', 'tables', 'zlib'] as const;
const sizes = [16, 128, 192, 256, 384, 512, 4096, 65_536];

/**
 * Measures the CRC-32 of src/event-stream/crc32.ts against the two ways that it chooses from. Its threshold is right if
 * it is never much slower than either way.
 */
export function measureCrc32({ crc32Rounds: rounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    // One process measures all ways, because the place of its memory matters more than the way.
    const process = await start(new URL('./crc32-process.ts', import.meta.url));
    const rows: Row[] = [];
    for (const size of sizes) {
      const times = Math.max(2_000, Math.floor(20_000_000 / (size + 50)));
      const costs = await alternate(ways, (way) => measureIn(process, { way, size, times } satisfies Crc32Task), {
        rounds,
        warmUps: 1,
      });
      const ns = (way: (typeof ways)[number]): number => (medianOf(costs[way], ({ cpuMs }) => cpuMs) * 1e6) / times;
      const row = {
        measured: `CRC-32 of ${size.toLocaleString('en')} B`,
        unit: nanosecondsCpuPerCall,
        ours: ns('ours'),
      };
      rows.push(
        { ...row, against: { name: 'tables alone', figure: ns('tables') } },
        { ...row, against: { name: '`zlib.crc32` alone', figure: ns('zlib') } },
      );
    }
    return rows;
  });
}
