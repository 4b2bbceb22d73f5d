import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.js';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import { encodeFrame } from '../support/frames.js';

/** Decodes a frame whose header block is 131,072 bytes and so many more long, and returns its headers' names. */
function namesOf(extraBytes: number): string[] {
  let names: string[] = [];
  const decoder = createMessageDecoder((headers) => {
    names = Object.keys(headers);
    return true;
  });
  // Each header adds five bytes to its value: lengths, type, name. The encoder takes values up to 32,767 bytes.
  const long = 'x'.repeat(32_759);
  const headers = { a: long, b: long, c: long, d: long, e: 'x'.repeat(11 + extraBytes) };
  const frame = encodeFrame(headers, 'payload');
  decoder.decode(frame);
  return names;
}

test('a header block of 128 KiB is read', () => {
  expect(namesOf(0)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a header block of one byte more is a ProtocolError that says the limit', () => {
  expect(() => namesOf(1)).toThrow(ProtocolError);
  expect(() => namesOf(1)).toThrow('131073 bytes of headers, over the limit of 131072');
});
