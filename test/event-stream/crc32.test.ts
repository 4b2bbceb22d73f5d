import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { crc32, crc32ByTables } from '../../src/event-stream/crc32.js';

it('agrees with zlib for any bytes, in one piece or continued', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), (bytes, cut) => {
      const at = cut % (bytes.length + 1);
      const expected = zlibCrc32(bytes);
      expect(crc32(bytes, 0)).toBe(expected);
      expect(crc32ByTables(bytes, 0, bytes.length, 0)).toBe(expected);
      expect(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at), 0))).toBe(expected);
      expect(crc32ByTables(bytes, at, bytes.length, crc32ByTables(bytes, 0, at, 0))).toBe(expected);
    }),
  );
});

it('computes by tables where the runtime has no CRC-32', async () => {
  vi.stubGlobal('process', undefined);
  vi.resetModules();
  try {
    const { crc32: portable } = await import('../../src/event-stream/crc32.js');
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31);
    expect(portable(bytes, 0)).toBe(zlibCrc32(bytes));
  } finally {
    vi.unstubAllGlobals();
  }
});
