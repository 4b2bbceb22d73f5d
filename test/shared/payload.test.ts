import { runInNewContext } from 'node:vm';
import { lastValueFrom, map, of, toArray, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { collectResponse } from '../../src/consumers/collect-response.js';
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
        map(({ status, text, error }) => {
          // Its failures are told in the last snapshot.
          if (status === 'failed') throw error as Error;
          return text;
        }),
      ),
    'text\n',
  ],
];

describe.each(operators)('%s', (_, createOperator, text) => {
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
    ['text', 'text\n'],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['an event of the SDK', { PayloadChunk: { Payload: Uint8Array.of(10) } }],
  ])('refuses %s, which is neither bytes nor an event', async (_what, item) => {
    await expect(outcomeOf(item)).rejects.toEqual(new TypeError('Neither bytes nor an event'));
  });
});

/** For `JSON.stringify`, to which all typed arrays of equal content are equal then. */
function wordsOfBytes(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : value;
}
