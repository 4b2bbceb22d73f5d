/** Continues a CRC-32 (ISO 3309, as in zlib) over more bytes. The first call starts from 0. */
export type Crc32 = (bytes: Uint8Array, previous: number) => number;

/** Below this length a call into the runtime costs more than the tables do (measured by bench/crc32.ts). */
const nativeFromBytes = 256;

/**
 * The runtime's own CRC-32, which Node has and browsers do not. It is looked up without an import, so that this file
 * loads in browsers.
 */
const native = (
  globalThis as {
    process?: { getBuiltinModule?: (id: 'node:zlib') => { crc32?: Crc32 } | undefined };
  }
).process?.getBuiltinModule?.('node:zlib')?.crc32;

let tables: Uint32Array | undefined;

/** Computes a CRC-32 by the faster of two ways: the runtime's own implementation, or eight tables. */
export const crc32: Crc32 = (bytes, previous) =>
  native !== undefined && bytes.length >= nativeFromBytes
    ? native(bytes, previous)
    : crc32ByTables(bytes, 0, bytes.length, previous);

/**
 * Computes the CRC-32 of `bytes[start, end)`, eight bytes a step ("slicing by eight"). It serves short runs of bytes,
 * and runtimes without a CRC-32 of their own.
 */
export function crc32ByTables(bytes: Uint8Array, start: number, end: number, previous: number): number {
  const t = (tables ??= makeTables());
  let crc = ~previous;
  let i = start;
  // All indexes are within the tables and the bytes. The `!` only satisfies noUncheckedIndexedAccess.
  for (const last = end - 8; i <= last; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Makes the tables. Table k begins at index 256 * k and holds the CRC of each byte followed by k zero bytes. */
function makeTables(): Uint32Array {
  const t = new Uint32Array(8 * 256);
  for (let i = 0; i < t.length; i++) {
    let crc = i < 256 ? i : t[i - 256]!;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    t[i] = crc;
  }
  return t;
}
