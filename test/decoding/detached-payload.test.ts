/** Consumers that transfer the buffer of the very chunk that is being decoded, from within `next`. */
import { concat, from, of, tap, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { parseSse } from '../../src/decoding/parse-sse.js';
import { splitLines } from '../../src/decoding/split-lines.js';
import { DetachedPayloadError } from '../../src/errors.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent } from '../../src/testing/event-builders.js';
import { outcomeNow } from '../support/collect.js';

const utf8 = new TextEncoder();
const transfer = (bytes: Uint8Array): void => void structuredClone(bytes, { transfer: [bytes.buffer] });

/** What arrives where the consumer transfers the chunk's buffer at the first value. */
function outcome(operator: OperatorFunction<PayloadSource, unknown>, chunks: readonly Uint8Array[]) {
  let current = chunks[0]!;
  let isFirst = true;
  return outcomeNow(
    from(chunks).pipe(
      tap((chunk) => (current = chunk)),
      operator,
      tap(() => {
        if (isFirst) transfer(current);
        isFirst = false;
      }),
    ),
  );
}

const long = 'x'.repeat(100);

describe.each([
  ['splitLines in a short chunk', () => splitLines(), ['1\n2\n3']],
  ['splitLines in a long chunk', () => splitLines(), [`${long}\n2\n3`]],
  ['splitLines at the end of a held line', () => splitLines(), ['a', `${long}\n2\n3`]],
  ['splitLines in a chunk longer than the limit', () => splitLines({ maxLineBytes: 4 }), ['1\n2\n3\n4\n']],
  ['parseNdjson', () => parseNdjson(), ['1\n2\n3']],
  ['parseSse', () => parseSse(), ['data: 1\n\ndata: 2\n\n']],
  ['decodeHttpResponse', () => decodeHttpResponse(), [`{}${'\0'.repeat(8)}body`]],
] as const)('%s', (_, operator, texts) => {
  test('tells of bytes that are gone before they were read, and does not complete without them', () => {
    const { values, end } = outcome(
      operator(),
      texts.map((text) => utf8.encode(text)),
    );
    expect(values.length).toBeGreaterThan(0);
    expect(end).toBeInstanceOf(DetachedPayloadError);
  });
});

describe.each([
  ['decodeText', () => decodeText(), ['one ', 'two'], ['one ', 'two']],
  ['splitLines', () => splitLines(), ['1\n', '2\n'], ['1', '2']],
  ['splitLines in one burst', () => splitLines(), [`${long}\n2\n3\n`], [long, '2', '3']],
  ['parseNdjson', () => parseNdjson(), ['1\n', '2\n'], [1, 2]],
  ['parseSse', () => parseSse(), ['data: 1\n\n', 'data: 2\n\n'], [{ data: '1' }, { data: '2' }]],
] as const)('%s', (_, operator, texts, expected) => {
  test('loses nothing where all bytes of the chunk were read', () => {
    const result = outcome(
      operator(),
      texts.map((text) => utf8.encode(text)),
    );
    expect(result).toEqual({ values: expected, end: 'complete' });
  });
});

test('parseNdjson tells the place of an invalid record where the buffer was transferred, without inventing one', () => {
  const bytes = utf8.encode(`"${long}"\n2\nno\n`);
  const errors: unknown[] = [];
  of(bytes)
    .pipe(parseNdjson())
    .subscribe({
      next: () => bytes.length > 0 && transfer(bytes),
      error: (error: unknown) => errors.push(error),
    });
  expect(errors).toEqual([expect.objectContaining({ code: 'invalid-record', line: 1, offset: 0 })]);
});

test('decodeHttpResponse gives what it held although its chunks were transferred meanwhile', () => {
  const first = utf8.encode('{"a":');
  const second = chunkEvent('1}\n');
  const texts: string[] = [];
  concat(of(first).pipe(tap({ complete: () => transfer(first) })), of(second))
    .pipe(decodeHttpResponse(), decodeText())
    .subscribe((text) => texts.push(text));
  expect(texts.join('')).toBe('{"a":1}\n');
});
