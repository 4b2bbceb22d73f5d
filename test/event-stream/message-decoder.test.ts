import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Int64 } from '@smithy/eventstream-codec';
import type { MessageHeaderValue as CodecHeaderValue } from '@smithy/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLambdaStreamError, ProtocolError } from '../../src/errors.js';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import type { MessageHeaders, MessageHeaderValue } from '../../src/events.js';
import { chunkFrame, codec, concat, cutAt, encodeFrame } from '../support/frames.js';

interface Decoded {
  headers: MessageHeaders;
  payload: Uint8Array;
}

function decodeAll(pieces: readonly Uint8Array[], maxMessageBytes?: number): Decoded[] {
  const messages: Decoded[] = [];
  const decoder = createMessageDecoder((headers, payload) => {
    messages.push({ headers, payload });
    return true;
  }, maxMessageBytes);
  for (const piece of pieces) decoder.decode(piece);
  return messages;
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

const vectors = join(
  dirname(createRequire(import.meta.url).resolve('@aws-sdk/eventstream-marshaller/package.json')),
  'test_vectors',
);

interface Vector {
  total_length: number;
  headers_length: number;
  headers: { name: string; type: number; value: unknown }[];
  payload: string;
}

const fromBase64 = (base64: unknown): Uint8Array => new Uint8Array(Buffer.from(base64 as string, 'base64'));

/** What the vectors' JSON says a header's value is, in this package's terms. */
function vectorValue(type: number, value: unknown): MessageHeaderValue {
  switch (type) {
    case 5:
      return BigInt(value as number);
    case 6:
      return fromBase64(value);
    case 7:
      return new TextDecoder().decode(fromBase64(value));
    case 8:
      return new Date(value as number);
    case 9:
      return Buffer.from(fromBase64(value))
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    default:
      return value as boolean | number;
  }
}

describe('the official test vectors', () => {
  const positive = readdirSync(join(vectors, 'encoded/positive'));
  const negative = readdirSync(join(vectors, 'encoded/negative'));

  it('are there', () => {
    expect(positive.length).toBeGreaterThanOrEqual(5);
    expect(negative.length).toBeGreaterThanOrEqual(4);
  });

  it.each(positive)('accepts %s as it is described', (name) => {
    const encoded = new Uint8Array(readFileSync(join(vectors, 'encoded/positive', name)));
    const described = JSON.parse(readFileSync(join(vectors, 'decoded/positive', name), 'utf8')) as Vector;
    const [message, ...others] = decodeAll([encoded]);
    expect(others).toEqual([]);
    expect(encoded.length).toBe(described.total_length);
    expect(message?.headers).toEqual(
      Object.fromEntries(described.headers.map(({ name, type, value }) => [name, vectorValue(type, value)])),
    );
    expect(message?.payload).toEqual(fromBase64(described.payload));
  });

  it.each(negative)('refuses %s as it is described', (name) => {
    const encoded = new Uint8Array(readFileSync(join(vectors, 'encoded/negative', name)));
    const described = readFileSync(join(vectors, 'decoded/negative', name), 'utf8').trim();
    const error = thrownBy(() => decodeAll([encoded]));
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toMatch(
      described === 'Prelude checksum mismatch' ? /prelude checksum/ : /message checksum/,
    );
  });
});

describe('agreement with the official codec', () => {
  const uuid = fc.uuid();
  const codecValue: fc.Arbitrary<CodecHeaderValue> = fc.oneof(
    fc.boolean().map((value) => ({ type: 'boolean' as const, value })),
    fc.integer({ min: -128, max: 127 }).map((value) => ({ type: 'byte' as const, value })),
    fc.integer({ min: -32768, max: 32767 }).map((value) => ({ type: 'short' as const, value })),
    fc.integer().map((value) => ({ type: 'integer' as const, value })),
    fc.maxSafeInteger().map((value) => ({ type: 'long' as const, value: Int64.fromNumber(value) })),
    fc.uint8Array({ maxLength: 300 }).map((value) => ({ type: 'binary' as const, value })),
    fc.string({ unit: 'grapheme', maxLength: 60 }).map((value) => ({ type: 'string' as const, value })),
    fc.date({ noInvalidDate: true }).map((value) => ({ type: 'timestamp' as const, value })),
    uuid.map((value) => ({ type: 'uuid' as const, value })),
  );
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((n) => n !== '__proto__');
  const frame = fc.record({
    headers: fc.dictionary(name, codecValue, { maxKeys: 6, noNullPrototype: true }),
    body: fc.uint8Array({ maxLength: 600 }),
  });

  const ours = (value: CodecHeaderValue): MessageHeaderValue =>
    value.type === 'long' ? BigInt(value.value.toString()) : value.value;

  it('holds for any headers, any payload and any cut of the bytes', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = concat(...frames.map((message) => codec.encode(message)));
        const theirs = frames.map((message) => codec.decode(codec.encode(message)));
        const decoded = decodeAll(cutAt(bytes, cuts));
        expect(decoded).toEqual(
          theirs.map(({ headers, body }) => ({
            headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, ours(value)])),
            payload: new Uint8Array(body),
          })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('holds one byte at a time', () => {
    const bytes = concat(chunkFrame('€uro'), chunkFrame(''), chunkFrame(new Uint8Array(1000)));
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(decodeAll(single)).toEqual(decodeAll([bytes]));
    expect(decodeAll(single).map(({ payload }) => payload.length)).toEqual([6, 0, 1000]);
  });

  it('never takes a frame with one changed byte for another frame', () => {
    const whole = concat(chunkFrame('first'), chunkFrame('second'), chunkFrame('third'));
    const right = decodeAll([whole]).map(({ payload }) => new TextDecoder().decode(payload));
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = whole.slice();
        damaged[at]! ^= change;
        const seen: string[] = [];
        const decoder = createMessageDecoder((_headers, payload) => {
          seen.push(new TextDecoder().decode(payload));
          return true;
        });
        const error = thrownBy(() => decoder.decode(damaged));
        expect(error).toBeInstanceOf(ProtocolError);
        expect(seen).toEqual(right.slice(0, seen.length));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('limits', () => {
  /** A prelude with a right checksum, whatever it claims. */
  function prelude(total: number, headersLength: number): Uint8Array {
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, total);
    view.setUint32(4, headersLength);
    view.setUint32(8, crc32(bytes.subarray(0, 8)));
    return bytes;
  }

  it('refuses a length over the limit at the prelude, before anything is allocated for it', () => {
    const before = process.memoryUsage().arrayBuffers;
    const error = thrownBy(() => decodeAll([prelude(0xffff_fff0, 0)]));
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain('over the limit of 25165824 bytes');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  it('accepts a frame of exactly the limit and refuses one of a byte more', () => {
    const frame = encodeFrame({}, new Uint8Array(100));
    expect(decodeAll([frame], frame.length)).toHaveLength(1);
    expect(thrownBy(() => decodeAll([frame], frame.length - 1))).toBeInstanceOf(ProtocolError);
  });

  it.each([
    ['a total under 16 bytes', 15, 0],
    ['no length at all', 0, 0],
    ['headers longer than the frame', 100, 85],
  ])('refuses %s', (_what, total, headersLength) => {
    expect((thrownBy(() => decodeAll([prelude(total, headersLength)])) as Error).message).toContain(
      'impossible lengths',
    );
  });

  it('checks the prelude as soon as its 12 bytes are there, and before it believes its length', () => {
    const bytes = prelude(0xffff_fff0, 0);
    bytes[11]! ^= 1;
    const decoder = createMessageDecoder(() => true);
    expect(thrownBy(() => decoder.decode(bytes.subarray(0, 11)))).toBeUndefined();
    expect((thrownBy(() => decoder.decode(bytes.subarray(11))) as Error).message).toContain('prelude checksum');
  });

  it('refuses zeros: their checksum is wrong', () => {
    expect((thrownBy(() => decodeAll([new Uint8Array(64)])) as Error).message).toContain('prelude checksum');
  });

  it.each([
    ['an unknown value type', Uint8Array.of(1, 97, 10)],
    ['a name past the block', Uint8Array.of(9, 97)],
    ['a value past the block', Uint8Array.of(1, 97, 7, 0, 9, 98)],
    ['a UUID past the block', Uint8Array.of(1, 97, 9, 0)],
    ['a missing type', Uint8Array.of(1, 97)],
  ])('refuses a header with %s', (_what, block) => {
    const body = concat(prelude(16 + block.length, block.length), block);
    const end = new Uint8Array(4);
    new DataView(end.buffer).setUint32(0, crc32(body));
    expect(thrownBy(() => decodeAll([concat(body, end)]))).toBeInstanceOf(ProtocolError);
  });
});

it.each([0x0010_0000, 0x1000_0000, 0xffff_ffff, 0, 1])(
  'refuses a headers length of %i in a frame whose length and checksum are those of the last one',
  (headersLength) => {
    const frame = chunkFrame('text');
    const damaged = frame.slice();
    new DataView(damaged.buffer).setUint32(4, headersLength);
    const error = thrownBy(() => decodeAll([frame, damaged]));
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain('prelude checksum');
  },
);

describe('what a listener gets', () => {
  it('is a plain Uint8Array, also of a Buffer, whole or cut', () => {
    const frame = Buffer.from(chunkFrame('bytes'));
    for (const pieces of [[frame], [frame.subarray(0, 30), frame.subarray(30)]]) {
      const [message] = decodeAll(pieces);
      expect(message?.payload.constructor).toBe(Uint8Array);
      expect(new TextDecoder().decode(message?.payload)).toBe('bytes');
    }
  });

  it('is never written to again', () => {
    const frames = concat(...Array.from({ length: 50 }, (_, i) => chunkFrame(`payload ${i}`)));
    const messages = decodeAll(cutAt(frames, [10, 200, 333, 1000, 1001]));
    expect(messages.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(
      Array.from({ length: 50 }, (_, i) => `payload ${i}`),
    );
  });

  it('has identical headers for frames with equal header blocks', () => {
    const [a, b, other, c] = decodeAll([
      concat(chunkFrame('a'), chunkFrame('bb'), encodeFrame({ x: 'y' }), chunkFrame('c')),
    ]);
    expect(a!.headers).toBe(b!.headers);
    expect(other!.headers).toEqual({ x: 'y' });
    expect(c!.headers).toEqual(a!.headers);
  });

  it('keeps a header named __proto__ as an ordinary one', () => {
    const [message] = decodeAll([encodeFrame({ a: 'b' }, '')].map((frame) => frame));
    expect(Object.getPrototypeOf(message!.headers)).toBe(Object.prototype);
    const name = new TextEncoder().encode('__proto__');
    const block = concat(Uint8Array.of(name.length), name, Uint8Array.of(0));
    const head = new Uint8Array(12);
    const view = new DataView(head.buffer);
    view.setUint32(0, 16 + block.length);
    view.setUint32(4, block.length);
    view.setUint32(8, crc32(head.subarray(0, 8)));
    const body = concat(head, block);
    const end = new Uint8Array(4);
    new DataView(end.buffer).setUint32(0, crc32(body));
    const [odd] = decodeAll([concat(body, end)]);
    expect(Object.keys(odd!.headers)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(odd!.headers)).toBe(Object.prototype);
  });

  it('ends where the listener says so', () => {
    const seen: string[] = [];
    const decoder = createMessageDecoder((_headers, payload) => {
      seen.push(new TextDecoder().decode(payload));
      return seen.length < 2;
    });
    decoder.decode(concat(chunkFrame('1'), chunkFrame('2'), chunkFrame('3')));
    expect(seen).toEqual(['1', '2']);
  });
});

it('a ProtocolError is recognised as one of this package', () => {
  expect(isLambdaStreamError(thrownBy(() => decodeAll([new Uint8Array(12)])))).toBe(true);
});
