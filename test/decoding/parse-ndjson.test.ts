import fc from 'fast-check';
import { EMPTY, NEVER, Observable, Subject, from, of, take } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { InvalidRecordError, LineTooLongError } from '../../src/errors.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson, type ParseNdjsonOptions } from '../../src/decoding/parse-ndjson.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { outcomeNow } from '../support/collect.js';
import { marbles } from '../support/marbles.js';
import { cuts, cutsInTwo, payloads, toItems } from '../support/payload-arbitraries.js';

const utf8 = new TextEncoder();

function outcome(source: Observable<PayloadSource>, options?: ParseNdjsonOptions<unknown>) {
  const { values: records, end } = outcomeNow(source.pipe(parseNdjson(options)));
  return { records, end };
}

/** The records of a payload up to the first invalid one, and the place of that. */
function reference(bytes: Uint8Array) {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const records: unknown[] = [];
  let line = 0;
  let offset = 0;
  for (const raw of text.split('\n')) {
    line++;
    const end = bytes.indexOf(10, offset);
    const marked = line === 1 && raw.startsWith('\ufeff') ? raw.slice(1) : raw;
    if (!/^[ \t\r]*$/.test(marked)) {
      try {
        records.push(JSON.parse(marked));
      } catch {
        return { records, invalid: { line, offset } };
      }
    }
    offset = end + 1;
  }
  return { records, invalid: undefined };
}

const records = fc.array(fc.jsonValue(), { maxLength: 10 });
const separators = fc.constantFrom('\n', '\r\n', '\n\n', '\n  \t\r\n', '\n \n');

describe('parseNdjson', () => {
  test(
    'emits each record as soon as its line ends',
    marbles((m) => {
      const values = { a: chunkEvent('{"n":1}\n{"n'), b: chunkEvent('":2}\r'), c: chunkEvent('\n\n{"n":3}') };
      const source = m.cold('  --a----b--c--|', values);
      const subscription = '   ^------------!';
      const result = '         --1-------2--(3|)';

      m.expect(source.pipe(parseNdjson())).toBeObservable(result, { 1: { n: 1 }, 2: { n: 2 }, 3: { n: 3 } });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'emits all records of one chunk in one burst, and nothing for events without payload',
    marbles((m) => {
      const values = { h: headEvent(), a: utf8.encode('1\n\nnull\n3\n'), e: chunkEvent(''), c: completeEvent() };
      const source = m.cold<PayloadSource>('h--a------e--(c|)', values);
      m.expect(source.pipe(parseNdjson())).toBeObservable('---(1n3)-----|', { 1: 1, n: null, 3: 3 });
    }),
  );

  test(
    'neither emits nor completes as long as the source does not',
    marbles((m) => {
      m.expect(NEVER.pipe(parseNdjson())).toBeObservable('-');
    }),
  );

  test(
    'completes at once with an empty source',
    marbles((m) => {
      m.expect(EMPTY.pipe(parseNdjson())).toBeObservable('|');
    }),
  );

  test(
    'passes the error of the source on unchanged, without the unfinished record',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--#', { a: chunkEvent('1\n2') });
      m.expect(source.pipe(parseNdjson())).toBeObservable('--a--#', { a: 1 });
      m.expect(source).toHaveSubscriptions('^----!');
    }),
  );

  test(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--a--a--|', { a: chunkEvent('1\n') });
      m.expect(source.pipe(parseNdjson()), '^-----!').toBeObservable('--a--a-', { a: 1 });
      m.expect(source).toHaveSubscriptions('^-----!');
    }),
  );

  test(
    'keeps the unfinished records of two subscriptions apart',
    marbles((m) => {
      const source = m.hot<PayloadSource>('--a--b--|', { a: chunkEvent('1'), b: chunkEvent('2\n') });
      const result = source.pipe(parseNdjson());
      m.expect(result).toBeObservable('-----r--|', { r: 12 });
      m.expect(result, '---^').toBeObservable('-----r--|', { r: 2 });
    }),
  );

  test(
    'drops the unfinished record on a retry that restarts or continues, and only then',
    marbles((m) => {
      const values = {
        a: chunkEvent('1\n{"un'),
        r: retryEvent({ mode: 'restart' }),
        c: retryEvent({ mode: 'continue' }),
        f: retryEvent({ mode: 'fresh' }),
        p: retryEvent({ mode: 'replay' }),
        b: chunkEvent('\ufeff2\n'),
        e: chunkEvent('":3}\n'),
      };
      const results = { a: 1, b: 2, e: { un: 3 } };
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(parseNdjson())).toBeObservable('-a--b|', results);
      m.expect(m.cold<PayloadSource>('-ac-b|', values).pipe(parseNdjson())).toBeObservable('-a--b|', results);
      m.expect(m.cold<PayloadSource>('-afpe|', values).pipe(parseNdjson())).toBeObservable('-a--e|', results);
    }),
  );

  test('emits the records of the whole for any cut', () => {
    fc.assert(
      fc.property(records, separators, fc.boolean(), fc.boolean(), cuts, (values, separator, mark, last, cut) => {
        const text = values.map((value) => JSON.stringify(value)).join(separator);
        const bytes = utf8.encode(`${mark ? '\ufeff' : ''}${text}${last ? separator : ''}`);
        const { records: received, end } = outcome(from(toItems(cut(bytes))));
        expect(received).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
        expect(end).toBe('complete');
      }),
      { numRuns: 500 },
    );
  });

  test('finds the first invalid record of any bytes, its line and its offset, for any cut', () => {
    fc.assert(
      fc.property(payloads, cuts, (bytes, cut) => {
        const expected = reference(bytes);
        const { records: received, end } = outcome(from(toItems(cut(bytes))));
        expect(received).toEqual(expected.records);
        if (expected.invalid) {
          expect(end).toBeInstanceOf(InvalidRecordError);
          expect(end).toMatchObject(expected.invalid);
        } else expect(end).toBe('complete');
      }),
      { numRuns: 1000 },
    );
  });

  test('tells the line and offset of every invalid record among valid ones, for any cut', () => {
    const lines = fc.array(fc.constantFrom('1', '{"é":"漢字🙂"}', '', ' \t', 'no', '{"cut":', '[1,]', '"x"\r'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(lines, cuts, (texts, cut) => {
        const expected = texts.flatMap((text, index) =>
          ['no', '{"cut":', '[1,]'].includes(text)
            ? [
                {
                  line: index + 1,
                  offset: utf8.encode(texts.slice(0, index).join('\n') + (index ? '\n' : '')).length,
                  text,
                },
              ]
            : [],
        );
        const errors: InvalidRecordError[] = [];
        const chunks = cut(utf8.encode(texts.join('\n')));
        outcome(from(toItems(chunks)), { onInvalid: (error) => errors.push(error) });
        expect(errors.map(({ line, offset, text }) => ({ line, offset, text }))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('emits the same records where a terminator, the mark or a character is cut in two', () => {
    const bytes = utf8.encode('\ufeff{"a":"漢字"}\r\n\r\n"👩‍👩‍👧"\n\r\n \n3');
    for (const chunks of cutsInTwo(bytes)) {
      expect(outcome(from(chunks)).records).toEqual([{ a: '漢字' }, '👩‍👩‍👧', 3]);
    }
  });

  test('skips blank lines but counts them', () => {
    const { records: received, end } = outcome(of(chunkEvent('\ufeff\n1\n\n \t \r\n\r\n2\n\nbad')));
    expect(received).toEqual([1, 2]);
    expect(end).toMatchObject({ line: 8, offset: 17 });
  });

  test('errs with line, offset, excerpt and cause at an invalid record', () => {
    const { records: received, end } = outcome(of(chunkEvent('{"n":1}\r\n{"n":'), chunkEvent('oops}\r\n{"n":3}\n')));
    expect(received).toEqual([{ n: 1 }]);
    expect(end).toBeInstanceOf(InvalidRecordError);
    expect(end).toMatchObject({
      code: 'invalid-record',
      line: 2,
      offset: 9,
      text: '{"n":oops}',
      message: 'Line 2 (byte 9): not valid JSON: {"n":oops}',
    });
    expect((end as Error).cause).toBeInstanceOf(SyntaxError);
  });

  test('holds no more of the payload in its message than 200 characters', () => {
    const secret = 'tail of the record';
    const { end } = outcome(of(chunkEvent(`${'x'.repeat(200)}${secret}\n`)));
    expect((end as InvalidRecordError).text).toBe(`${'x'.repeat(200)}…`);
    expect((end as InvalidRecordError).message).not.toContain(secret.slice(0, 4));
  });

  test('leaves invalid records out under skip', () => {
    expect(outcome(of(chunkEvent('1\nno\n2\n{\n3')), { onInvalid: 'skip' })).toEqual({
      records: [1, 2, 3],
      end: 'complete',
    });
  });

  test('tells a callback of invalid records and goes on', () => {
    const errors: InvalidRecordError[] = [];
    const result = outcome(of(chunkEvent('1\nno\n2\n'), chunkEvent('{\n3')), {
      onInvalid: (error) => errors.push(error),
    });
    expect(result).toEqual({ records: [1, 2, 3], end: 'complete' });
    expect(errors.map(({ line, offset, text }) => [line, offset, text])).toEqual([
      [2, 2, 'no'],
      [4, 7, '{'],
    ]);
  });

  test('ends with what the callback throws', () => {
    const refusal = new Error('enough');
    const source = new Subject<PayloadSource>();
    const options: ParseNdjsonOptions<unknown> = {
      onInvalid: () => {
        throw refusal;
      },
    };
    let failure: unknown;
    source.pipe(parseNdjson(options)).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(chunkEvent('no\n'));
    expect(failure).toBe(refusal);
    expect(source.observed).toBe(false);
    expect(outcome(of(chunkEvent('1\nno')), options)).toEqual({ records: [1], end: refusal });
  });

  test('errs at a line past the limit whatever onInvalid says', () => {
    const { records: received, end } = outcome(of(chunkEvent('1\n"too long"\n2')), {
      maxLineBytes: 5,
      onInvalid: 'skip',
    });
    expect(received).toEqual([1]);
    expect(end).toBeInstanceOf(LineTooLongError);
    expect(end).toMatchObject({ line: 2, offset: 2, maxLineBytes: 5 });
  });

  test('counts lines and bytes anew after a restart, and on after what was finished after a continue', () => {
    const before = chunkEvent('"one"\n\n"two"\nunf');
    const after = chunkEvent('1\nbad\n');
    expect(outcome(of(before, retryEvent({ mode: 'restart' }), after)).end).toMatchObject({ line: 2, offset: 2 });
    expect(outcome(of(before, retryEvent({ mode: 'continue' }), after)).end).toMatchObject({ line: 5, offset: 15 });
  });

  test.each([1, 100])(
    'parses no further, and reads no other chunk, as soon as nobody listens any more: %i',
    (times) => {
      let read = 0;
      function* endless(): Generator<PayloadSource> {
        for (;;) {
          read++;
          yield chunkEvent('1\n2\nnot JSON\n'.repeat(times));
        }
      }
      const received: unknown[] = [];
      const invalid: unknown[] = [];
      from(endless())
        .pipe(parseNdjson({ onInvalid: (error) => invalid.push(error) }), take(2))
        .subscribe((record) => received.push(record));
      expect({ received, invalid, read }).toEqual({ received: [1, 2], invalid: [], read: 1 });
    },
  );

  test('parses no line behind the one that was finished last, as soon as nobody listens any more', () => {
    const invalid: unknown[] = [];
    const received: unknown[] = [];
    of(chunkEvent('1'), chunkEvent(`2\n${'not JSON\n'.repeat(100)}`))
      .pipe(parseNdjson({ onInvalid: (error) => invalid.push(error) }), take(1))
      .subscribe((record) => received.push(record));
    expect({ received, invalid }).toEqual({ received: [12], invalid: [] });
  });

  test('refuses a wrong limit at the call', () => {
    expect(() => parseNdjson({ maxLineBytes: -1 })).toThrow(
      new RangeError('parseNdjson: maxLineBytes must be a whole number from 1 on, or Infinity, not -1'),
    );
    expect(() => parseNdjson({ maxPendingBytes: NaN })).toThrow(
      new RangeError('parseNdjson: maxPendingBytes must be a whole number from 1 on, or Infinity, not NaN'),
    );
  });

  test('does not take the type of its records from the operator behind it', () => {
    // @ts-expect-error -- records are not payload
    EMPTY.pipe(parseNdjson(), decodeText());
    // @ts-expect-error -- nor are those of a stated type
    EMPTY.pipe(parseNdjson<{ id: number }>(), decodeText());
    expectTypeOf(EMPTY.pipe(parseNdjson<{ id: number }>())).toEqualTypeOf<Observable<{ id: number }>>();
  });

  test('gives records of the type that the caller states, and unknown without one', () => {
    expectTypeOf(EMPTY.pipe(parseNdjson())).toEqualTypeOf<Observable<unknown>>();
    expectTypeOf(EMPTY.pipe(parseNdjson<{ n: number }>())).toEqualTypeOf<Observable<{ n: number }>>();
    expectTypeOf(EMPTY.pipe(parseNdjson<{ n: number }>({ onInvalid: 'skip' }))).toEqualTypeOf<
      Observable<{ n: number }>
    >();
  });
});
