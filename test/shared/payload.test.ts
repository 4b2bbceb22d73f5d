import { runInNewContext } from 'node:vm';
import { lastValueFrom, map, of, toArray, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { collectResponse } from '../../src/consumers/collect-response.js';
import { DetachedPayloadError } from '../../src/errors.js';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { parseSse } from '../../src/decoding/parse-sse.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { splitLines } from '../../src/decoding/split-lines.js';
import { toSnapshots } from '../../src/consumers/to-snapshots.js';

const operators: readonly (readonly [
  name: string,
  operator: () => OperatorFunction<PayloadSource, unknown>,
  text: string,
])[] = [
  ['decodeText', () => decodeText(), 'text\n'],
  ['splitLines', () => splitLines(), 'text\n'],
  ['parseNdjson', () => parseNdjson(), '{}\n'],
  ['parseSse', () => parseSse(), 'data: 1\n\n'],
  ['decodeHttpResponse', () => decodeHttpResponse(), 'text\n'],
  [
    'collectResponse',
    () => (source) =>
      source.pipe(
        collectResponse(),
        map(({ bytes }) => [...bytes]),
      ),
    'text\n',
  ],
  [
    'toSnapshots',
    () => (source) =>
      source.pipe(
        toSnapshots(),
        map((snapshot) => {
          // Its failures are told in the last snapshot.
          if (snapshot.status === 'failed') throw snapshot.error as Error;
          return snapshot.text;
        }),
      ),
    'text\n',
  ],
];

describe.each(operators)('%s', (name, createOperator, text) => {
  const outcomeOf = (...items: unknown[]): Promise<unknown[]> =>
    lastValueFrom(of(...(items as PayloadSource[])).pipe(createOperator(), toArray()));

  test('reads the bytes of another realm, whose Uint8Array is another class', async () => {
    const bytes = new TextEncoder().encode(text);
    const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes }) as Uint8Array;
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    const words = (outcome: readonly unknown[]): string => JSON.stringify(outcome, wordsOfBytes);
    const outcome = await outcomeOf(foreign);
    expect(outcome).not.toEqual([]);
    expect(words(outcome)).toBe(words(await outcomeOf(bytes)));
  });

  test.each([
    ['text', 'secret\n', 'a string'],
    ['an ArrayBuffer', new ArrayBuffer(8), 'an object'],
    ['numbers of 16 bits', Uint16Array.of(10), 'an object'],
    ['an event of the SDK', { PayloadChunk: { Payload: Uint8Array.of(10) } }, 'an object'],
    ['a parsed record', { type: 'delta', text: 'secret' }, 'an object'],
    ['a chunk without bytes', { type: 'chunk', payload: 'secret' }, 'an object'],
    ['null', null, 'null'],
    ['a number', 42, 'a number'],
  ])('refuses %s, and says what it reads, without the payload', async (_what, item, shown) => {
    await expect(outcomeOf(item)).rejects.toEqual(
      new TypeError(
        `${name}: a value must be a Uint8Array or an event of this package, not ${shown}. Place ${name} directly ` +
          'behind the source, and wrap other bytes in a Uint8Array',
      ),
    );
  });

  test.each([
    ['bytes', (bytes: Uint8Array): PayloadSource => bytes],
    ['a chunk', (payload: Uint8Array): PayloadSource => ({ type: 'chunk', payload })],
  ])('fails where the buffer of %s was transferred, instead of reading nothing', async (_what, wrap) => {
    const bytes = new TextEncoder().encode(text);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    const failure = await outcomeOf(wrap(bytes)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DetachedPayloadError);
    expect((failure as Error).message).toContain('slice()');
  });

  test('reads an empty chunk as nothing', async () => {
    expect(await outcomeOf(new Uint8Array(0))).toEqual(await outcomeOf());
  });
});

/** For `JSON.stringify`, to which all typed arrays of equal content are equal then. */
function wordsOfBytes(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : value;
}
