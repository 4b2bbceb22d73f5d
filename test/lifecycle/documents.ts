import fc from 'fast-check';
import type { Bytes } from './model/events.js';

/** A text's UTF-8 bytes. */
const utf8 = (text: string): Bytes => String.fromCharCode(...new TextEncoder().encode(text));

const nuls = '\0'.repeat(8);

const texts = ['a', 'bc', ' ', 'é', '€', '🙂', '\u{feff}', '\n', '\r\n', '\r', '0123456789'].map(utf8);
/** What is no UTF-8, or only a part of a character. */
const faults: readonly Bytes[] = ['\xff', '\xe2\x82', '\xf0\x9f', '\xed\xa0\x80', '\xc0\xaf'];
const records = ['{"n":1}\n', '[1,"€"]\r\n', '7\n', '"🙂 and a long one"\n', '\n', ' \t\n', '\u{feff}', 'true'].map(
  utf8,
);
const noRecords = ['{"n":\n', 'word\n', '\xff\n'] as const;
const sentEvents = [
  'data: a\n',
  'data:b €\r\n',
  'data\n',
  ' id: 1\n',
  'id: 7\n',
  'id\n',
  'event: tick\r',
  'event\n',
  'retry: 250\n',
  'retry: soon\n',
  ': ping\n',
  'other: field\n',
  '\n',
  '\n',
  '\r\n',
  '\r',
  'data: 🙂\n\n',
  '\u{feff}',
].map(utf8);
const preludes = [
  `{"statusCode":201}${nuls}`,
  `{"statusCode":500,"headers":{"a":"}\\"b"}}${nuls}`,
  `{}${nuls}`,
  `{"statusCode":"none"}${nuls}`,
  '{"n":1}\n',
  `{"n":1}\0\0`,
  '{"n":[1,{"m":"}"}]}',
  nuls,
  '',
].map(utf8);

const joined = (pieces: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> =>
  fc.noBias(fc.array(pieces, { maxLength: 16, size: 'max' })).map((list) => list.join(''));

const bodies = {
  text: joined(
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: fc.constantFrom(...faults) }),
  ),
  records: joined(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...records) },
      { weight: 1, arbitrary: fc.constantFrom(...noRecords) },
    ),
  ),
  'server-sent events': joined(fc.constantFrom(...sentEvents)),
} as const;

/** Payloads that mean something to who sees them, and hold what is hard about it. */
export function documents(view: string, http: boolean): fc.Arbitrary<Bytes> {
  const body = view in bodies ? bodies[view as keyof typeof bodies] : bodies.text;
  return http ? fc.tuple(fc.constantFrom(...preludes), body).map((parts) => parts.join('')) : body;
}
