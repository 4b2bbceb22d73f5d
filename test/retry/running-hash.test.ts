import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startHash, updateHash } from '../../src/retry/running-hash.js';
import { cuts } from '../support/payload-arbitraries.js';

function hashOf(...chunks: Uint8Array[]): string {
  const hash = startHash();
  for (const chunk of chunks) updateHash(hash, chunk);
  return String(hash);
}

describe('the running hash', () => {
  it('is FNV-1a in its first half', () => {
    const hash = startHash();
    updateHash(hash, new TextEncoder().encode('foobar'));
    // From the FNV reference vectors.
    expect(hash[0] >>> 0).toBe(0xbf9cf968);
  });

  it('does not depend on where the chunks were cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, cut) => {
        expect(hashOf(...cut(bytes))).toBe(hashOf(bytes));
      }),
    );
  });

  it('differs for every change of a single byte, in both halves', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, place, change) => {
          const changed = bytes.slice();
          const index = place % bytes.length;
          changed[index] = (changed[index] as number) ^ change;
          const [a, b] = [hashOf(bytes).split(','), hashOf(changed).split(',')];
          expect(a[0]).not.toBe(b[0]);
          expect(a[1]).not.toBe(b[1]);
        },
      ),
    );
  });

  it('tells 60,000 texts apart', () => {
    const hashes = new Set<string>();
    for (let i = 0; i < 60_000; i++) hashes.add(hashOf(new TextEncoder().encode(`{"token":${i}}\n`)));
    expect(hashes.size).toBe(60_000);
  });
});
