import { crc32 } from 'node:zlib';
import { EventStreamCodec, Int64 } from '@smithy/eventstream-codec';
import type { MessageHeaderValue as CodecHeaderValue } from '@smithy/types';
import { expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.js';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import { concat, cutAt } from '../support/frames.js';
import { fuzz, type Random } from '../support/fuzz.js';

/** A decoder's answer to some bytes: the messages before the first fault, and whether there was one. */
interface Answer {
  /** A payload as a string of its bytes: long arrays take long to compare. */
  messages: { headers: Record<string, unknown>; payload: string }[];
  fault: unknown;
}

// It keeps a leading U+FEFF, as the SDK's own text decoding in Node does.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const codec = new EventStreamCodec(
  (bytes) => utf8.decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
);

function textOf(random: Random, length: number): string {
  const alphabet = ['a', 'Z', '0', ':', '-', ' ', '\0', 'é', '€', '漢', '🙂', '\u{feff}'];
  return Array.from({ length }, () => alphabet[random(alphabet.length)]).join('');
}

function bytesOf(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

/** A value of each of the encoding's types, its extremes included. */
function headerValue(random: Random): CodecHeaderValue {
  const signed = (bits: number): number => [0, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), random(100)][random(5)]!;
  switch (random(9)) {
    case 0:
      return { type: 'boolean', value: random(2) === 0 };
    case 1:
      return { type: 'byte', value: signed(8) };
    case 2:
      return { type: 'short', value: signed(16) };
    case 3:
      return { type: 'integer', value: signed(32) };
    case 4:
      return { type: 'long', value: new Int64(bytesOf(random, 8)) };
    case 5:
      return {
        type: 'binary',
        value: bytesOf(random, random(2) ? random(20) : random(32_768)),
      };
    case 6:
      return {
        type: 'string',
        value: textOf(random, random(4) ? random(30) : random(8_000)),
      };
    case 7:
      return {
        type: 'timestamp',
        value: new Date((random(2) ? 1 : -1) * random(8_640_000_000) * 1_000),
      };
    default:
      return {
        type: 'uuid',
        value: Buffer.from(bytesOf(random, 16)).toString('hex').replace(uuidShape, '$1-$2-$3-$4-'),
      };
  }
}

const uuidShape = /^(.{8})(.{4})(.{4})(.{4})/;

/** Frames of 0 to 64 KiB of payload. Half of them repeat the header block before them, as Lambda's do. */
function framesOf(random: Random): Uint8Array[] {
  let headers: Record<string, CodecHeaderValue> = {};
  return Array.from({ length: 1 + random(5) }, () => {
    if (random(2)) {
      const names = Array.from({ length: random(6) }, () => textOf(random, 1 + random(20)));
      headers = Object.fromEntries(names.map((name) => [name, headerValue(random)]));
    }
    const length = [0, random(16), random(600), random(65_537)][random(4)]!;
    return codec.encode({ headers, body: bytesOf(random, length) });
  });
}

/** What AWS's codec says: frames by their lengths, as its own stream reader finds them, each decoded alone. */
function theirs(bytes: Uint8Array): Answer {
  const answer: Answer = { messages: [], fault: undefined };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (let at = 0; at < bytes.length;) {
      if (bytes.length - at < 4) throw new Error('cut within a length');
      const total = view.getUint32(at);
      if (bytes.length - at < total) throw new Error('cut within a frame');
      // A copy: so the codec's views cannot reach into the next frame.
      const { headers, body } = codec.decode(bytes.slice(at, at + total));
      answer.messages.push({
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, header]) => [
            name,
            header.type === 'long' ? Buffer.from(header.value.bytes).readBigInt64BE() : header.value,
          ]),
        ),
        payload: Buffer.from(body).toString('latin1'),
      });
      at += total;
    }
  } catch (error) {
    answer.fault = error;
  }
  return answer;
}

/** What this package's decoder says. Bytes that end within a frame are a fault of the stream and not of the decoder. */
function ours(pieces: readonly Uint8Array[]): Answer {
  const answer: Answer = { messages: [], fault: undefined };
  const decoder = createMessageDecoder((headers, payload) => {
    answer.messages.push({
      headers,
      payload: Buffer.from(payload).toString('latin1'),
    });
    return true;
  });
  try {
    for (const piece of pieces) decoder.decode(piece);
  } catch (error) {
    answer.fault = error;
  }
  return answer;
}

const cutsOf = (random: Random): number[] =>
  Array.from({ length: random(3) ? random(12) : random(300) }, () => random(2 ** 31));

it('decodes what AWS’s codec decodes, however the bytes are cut', () => {
  fuzz('frames that are sound', 150, (random) => {
    const bytes = concat(...framesOf(random));
    const expected = theirs(bytes);
    expect(expected.fault).toBeUndefined();
    const actual = ours(cutAt(bytes, cutsOf(random)));
    expect(actual.fault).toBeUndefined();
    expect(actual).toEqual(expected);
    return 'both accept';
  });
});

it('refuses a changed byte where AWS’s codec does, after the same messages', () => {
  fuzz('frames with one changed byte', 150, (random) => {
    const frames = framesOf(random);
    const bytes = concat(...frames);
    // Every second time within the first bytes of a frame, where the lengths and the headers are.
    const start = concat(...frames.slice(0, random(frames.length))).length;
    const at = random(2) ? random(bytes.length) : Math.min(start + random(40), bytes.length - 1);
    bytes[at]! ^= 1 + random(255);
    const expected = theirs(bytes);
    const actual = ours(cutAt(bytes, cutsOf(random)));
    expect(expected.fault).toBeInstanceOf(Error);
    expect(actual.fault).toBeInstanceOf(ProtocolError);
    expect(actual.messages).toEqual(expected.messages);
    return 'both refuse';
  });
});

/**
 * The wanted differences, in frames whose checksums are right:
 * - AWS's codec reads a header past its block, into the payload. Ours refuses it.
 * - It takes header blocks of any length. Ours refuses more than 128 KiB, and frames over its limit.
 */
it('accepts a changed header block only where AWS’s codec does, with an equal message', () => {
  fuzz('header blocks with one changed byte and right checksums', 500, (random) => {
    const names = Array.from({ length: 1 + random(4) }, () => textOf(random, 1 + random(6)));
    const headers = Object.fromEntries(names.map((name) => [name, headerValue(random)]));
    const bytes = codec.encode({
      headers,
      body: bytesOf(random, random(60)),
    });
    const view = new DataView(bytes.buffer);
    const blockBytes = view.getUint32(4);
    // The names and the types are at the front of a header, so that its first bytes are the ones that matter.
    bytes[12 + random(random(2) ? blockBytes : Math.min(blockBytes, 12))]! ^= 1 + random(255);
    view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));

    const expected = theirs(bytes);
    const actual = ours(cutAt(bytes, cutsOf(random)));
    if (actual.fault === undefined) {
      expect(expected.fault).toBeUndefined();
      expect(actual.messages).toEqual(expected.messages);
      return 'both accept';
    }
    expect(actual.fault).toBeInstanceOf(ProtocolError);
    expect(actual.messages).toEqual([]);
    if (expected.fault !== undefined) return 'both refuse';
    expect((actual.fault as Error).message).toBe('A frame header reaches past its block');
    return 'only ours refuses: a header reaches past its block';
  });
});
