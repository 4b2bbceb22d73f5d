/**
 * A process that takes the CRC-32 of some bytes again and again, in one of three ways, and is measured while it does.
 */
import { crc32 as zlibCrc32 } from 'node:zlib';
import { crc32, crc32ByTables } from '../src/event-stream/crc32.js';
import { serveRounds } from './harness/serve-rounds.js';

export interface Crc32Task {
  readonly way: keyof typeof ways;
  readonly size: number;
  readonly times: number;
}

const ways = {
  ours: (bytes: Uint8Array) => crc32(bytes, 0),
  tables: (bytes: Uint8Array) => crc32ByTables(bytes, 0, bytes.length, 0),
  zlib: (bytes: Uint8Array) => zlibCrc32(bytes, 0),
} as const;

/** The inputs by length. All ways read the same bytes at the same place. */
const inputs = new Map<number, Uint8Array>();

serveRounds(({ way, size, times }: Crc32Task) => {
  const bytes = inputs.get(size) ?? Uint8Array.from({ length: size }, (_, i) => i * 7);
  inputs.set(size, bytes);
  const take = ways[way];
  const expected = zlibCrc32(bytes, 0);
  return () => {
    // The result depends on every call, so that the engine cannot leave one out.
    let differences = 0;
    for (let i = 0; i < times; i++) differences |= take(bytes) ^ expected;
    if (differences !== 0) throw new Error(`${way}: not the CRC-32 of ${size} bytes`);
    return Promise.resolve();
  };
});
