import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPieceDecoder } from '../../src/shared/text-decoder.js';

/** The text of these bytes, cut at these places. */
function decodeCut(bytes: Uint8Array, places: readonly number[]): string {
  const decode = createPieceDecoder();
  const edges = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  const pieces = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
  return pieces.map((piece) => decode(piece)).join('') + decode();
}

describe('createPieceDecoder', () => {
  const marks = new Uint8Array([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61]);

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('drops the first byte order mark and keeps the second, cut at byte %i', (place) => {
    expect(decodeCut(marks, [place])).toBe('\ufeffa');
  });

  it('gives the same text for any bytes and any cut', () => {
    const byte = fc.oneof(fc.constantFrom(0xef, 0xbb, 0xbf, 0xe2, 0x82, 0xac, 0x61, 0x80, 0xff), fc.nat(255));
    const bytes = fc.array(byte, { maxLength: 24 }).map((list) => Uint8Array.from(list));
    const check = fc.property(bytes, fc.array(fc.nat(24), { maxLength: 5 }), (payload, places) => {
      const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload).replace(/^\ufeff/, '');
      expect(
        decodeCut(
          payload,
          places.map((place) => Math.min(place, payload.length)),
        ),
      ).toBe(whole);
    });
    fc.assert(check, { numRuns: 3_000 });
  });

  it('throws a TypeError for bytes that are not UTF-8 where it is told to', () => {
    expect(() => createPieceDecoder(true)(new Uint8Array([0xff]))).toThrow(TypeError);
  });
});
