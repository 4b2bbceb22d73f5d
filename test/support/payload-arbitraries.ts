import fc from 'fast-check';
import { chunkEvent } from '../../src/testing/event-builders.js';
import type { PayloadSource } from '../../src/shared/payload.js';

const utf8 = new TextEncoder();

/** What decoders stumble over: marks, terminators, long and short sequences, surrogates, overlong and cut sequences. */
const pieces = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\n\n', ' ', 'a', '"', '{}', '1', 'data: ', ': ', 'id:'),
  },
  { weight: 3, arbitrary: fc.constantFrom('é', '€', '漢字', '🙂', '👩‍👩‍👧', '\u{feff}', '\u{0}', '\u2028') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);

const rawPieces = fc.oneof(
  fc.constantFrom(
    [0xef, 0xbb, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xed, 0xb0, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xf4, 0x90, 0x80, 0x80],
    [0xc0, 0xaf],
    [0xe2, 0x82],
    [0xe0, 0x80],
    [0x80],
    [0xff],
  ),
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 }),
);

/** Bytes, valid UTF-8 or not, often with a byte order mark in front. */
export const payloads: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: pieces.map((text) => [...utf8.encode(text)]) },
        { weight: 1, arbitrary: rawPieces },
      ),
      { maxLength: 30 },
    ),
  )
  .map(([marked, parts]) => Uint8Array.from([...(marked ? [0xef, 0xbb, 0xbf] : []), ...parts.flat()]));

/** A way to cut any payload: one byte at a time, whole, or anywhere; empty chunks included. */
export const cuts: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array[]> = fc.oneof(
  fc.constant((bytes: Uint8Array) => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))),
  fc.constant((bytes: Uint8Array) => [bytes]),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }).map((places) => (bytes: Uint8Array) => {
    const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
    return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
  }),
);

/** Chunks as a pipeline carries them: events and plain bytes. */
export function toItems(chunks: Uint8Array[]): PayloadSource[] {
  return chunks.map((chunk, index) => (index % 2 === 0 ? chunkEvent(chunk) : chunk));
}

/** All chunks of a payload's every cut in two. */
export function cutsInTwo(bytes: Uint8Array): Uint8Array[][] {
  return Array.from({ length: bytes.length + 1 }, (_, index) => [bytes.subarray(0, index), bytes.subarray(index)]);
}
