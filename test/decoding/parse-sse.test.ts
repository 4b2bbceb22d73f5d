import fc from 'fast-check';
import { EMPTY, NEVER, Observable, Subject, from, lastValueFrom, of, take, toArray } from 'rxjs';
import { configure } from 'rxjs-marbles';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { InvalidRecordError, ResponseTooLargeError } from '../../src/errors.js';
import { parseSse, type ParseSseOptions, type ServerSentEvent } from '../../src/decoding/parse-sse.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { cuts, cutsInTwo, payloads, toItems } from '../support/payload-arbitraries.js';

const { marbles } = configure({
  assertDeepEqual: (actual, expected) => expect(actual).toStrictEqual(expected),
  frameworkMatcher: true,
});
const utf8 = new TextEncoder();

/** The events of a whole payload, by the letter of the standard's section 9.2.6. */
function reference(bytes: Uint8Array): ServerSentEvent[] {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/);
  // What follows the last line end is no line.
  lines.pop();
  const events: ServerSentEvent[] = [];
  let fields: { id?: string; event?: string } = {};
  let data: string[] = [];
  let retryMs: number | undefined;
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) {
        events.push({ ...fields, data: data.join('\n'), ...(retryMs !== undefined && { retryMs }) });
        retryMs = undefined;
      }
      fields = {};
      data = [];
      continue;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'event') {
      if (value === '') delete fields.event;
      else fields.event = value;
    } else if (name === 'id' && !value.includes('\0')) fields.id = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) retryMs = Number(value);
  }
  return events;
}

/** Everything that a subscriber is told, synchronously. */
function outcome(source: Observable<PayloadSource>, options?: ParseSseOptions) {
  const events: ServerSentEvent[] = [];
  let end: unknown = 'nothing';
  source.pipe(parseSse(options)).subscribe({
    next: (event) => events.push(event),
    error: (error: unknown) => (end = error),
    complete: () => (end = 'complete'),
  });
  return { events, end };
}

const sseLines = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('', 'data: 漢字🙂', 'data', 'data:x', ': ping', ':', 'event: e', 'event:', 'id: 1'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'id',
      'id: \0',
      'retry: 30',
      'retry: x',
      'nonsense',
      'DATA: x',
      ' data: x',
      'data:  two',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
);
const streams = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.tuple(sseLines, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 }),
    fc.boolean(),
  )
  .map(([mark, lines, cut]) =>
    utf8.encode(`${mark ? '\ufeff' : ''}${lines.map((line) => line.join('')).join('')}${cut ? 'data: cut' : ''}`),
  );

describe('parseSse', () => {
  test(
    'emits each event as soon as its blank line is there',
    marbles((m) => {
      const values = {
        a: chunkEvent('id: 1\nda'),
        b: chunkEvent('ta: one\n\n: ping\n\nda'),
        c: chunkEvent('ta: two\r\n\r\ndata: cut'),
      };
      const source = m.cold('  --a----b--c--|', values);
      const subscription = '   ^------------!';
      const result = '         -------1--2--|';

      m.expect(source.pipe(parseSse())).toBeObservable(result, { 1: { id: '1', data: 'one' }, 2: { data: 'two' } });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'emits all events of one chunk in one burst, and nothing for events without payload',
    marbles((m) => {
      const values = { h: headEvent(), a: utf8.encode('data:1\n\ndata:2\n\n'), e: chunkEvent(''), c: completeEvent() };
      const source = m.cold<PayloadSource>('h--a---e--(c|)', values);
      m.expect(source.pipe(parseSse())).toBeObservable('---(12)---|', { 1: { data: '1' }, 2: { data: '2' } });
    }),
  );

  test(
    'emits an event that ends in a lone carriage return without waiting for what follows',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--b--|', { a: chunkEvent('data:1\r\r'), b: chunkEvent('\ndata:2\r') });
      m.expect(source.pipe(parseSse())).toBeObservable('--1-----|', { 1: { data: '1' } });
    }),
  );

  test(
    'neither emits nor completes as long as the source does not',
    marbles((m) => {
      m.expect(NEVER.pipe(parseSse())).toBeObservable('-');
    }),
  );

  test(
    'completes at once with an empty source',
    marbles((m) => {
      m.expect(EMPTY.pipe(parseSse())).toBeObservable('|');
    }),
  );

  test(
    'passes the error of the source on unchanged, without the unfinished event',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--#', { a: chunkEvent('data:1\n\ndata:2\n') });
      m.expect(source.pipe(parseSse())).toBeObservable('--1--#', { 1: { data: '1' } });
      m.expect(source).toHaveSubscriptions('^----!');
    }),
  );

  test(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.cold<PayloadSource>('--a--a--a--|', { a: chunkEvent('data:1\n\n') });
      m.expect(source.pipe(parseSse()), '^-----!').toBeObservable('--1--1-', { 1: { data: '1' } });
      m.expect(source).toHaveSubscriptions('^-----!');
    }),
  );

  test(
    'keeps the unfinished events of two subscriptions apart',
    marbles((m) => {
      const source = m.hot<PayloadSource>('--a--b--|', { a: chunkEvent('data:1\n'), b: chunkEvent('data:2\n\n') });
      const result = source.pipe(parseSse());
      m.expect(result).toBeObservable('-----e--|', { e: { data: '1\n2' } });
      m.expect(result, '---^').toBeObservable('-----e--|', { e: { data: '2' } });
    }),
  );

  test(
    'drops the unfinished event on a retry that restarts or continues, and only then',
    marbles((m) => {
      const values = {
        a: chunkEvent('retry:5\nid:1\ndata:1\r'),
        r: retryEvent({ mode: 'restart' }),
        c: retryEvent({ mode: 'continue' }),
        f: retryEvent({ mode: 'fresh' }),
        p: retryEvent({ mode: 'replay' }),
        b: chunkEvent('\ndata:2\n\n'),
      };
      const results = { n: { data: '2' }, o: { id: '1', data: '1\n2', retryMs: 5 } };
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(parseSse())).toBeObservable('----n|', results);
      m.expect(m.cold<PayloadSource>('-ac-b|', values).pipe(parseSse())).toBeObservable('----n|', results);
      m.expect(m.cold<PayloadSource>('-afpb|', values).pipe(parseSse())).toBeObservable('----o|', results);
    }),
  );

  test('emits the events that the standard defines for any cut of any stream', () => {
    fc.assert(
      fc.property(streams, cuts, (bytes, cut) => {
        const { events, end } = outcome(from(toItems(cut(bytes))));
        expect(events).toEqual(reference(bytes));
        expect(end).toBe('complete');
      }),
      { numRuns: 2000 },
    );
  });

  test('emits the events that the standard defines for any cut of any bytes', () => {
    fc.assert(
      fc.property(payloads, cuts, (bytes, cut) => {
        expect(outcome(from(toItems(cut(bytes))))).toEqual({ events: reference(bytes), end: 'complete' });
      }),
      { numRuns: 1000 },
    );
  });

  test('emits the same events cut in two anywhere', () => {
    const bytes = utf8.encode(
      '\ufeffid: 7\r\nevent: 漢字\r\ndata: 🙂\r\n\r\n: c\r\rdata\ndata: x\r\n\nretry: 12\n\ndata: z\r\r',
    );
    const expected: ServerSentEvent[] = [
      { id: '7', event: '漢字', data: '🙂' },
      { data: '\nx' },
      { data: 'z', retryMs: 12 },
    ];
    for (const chunks of cutsInTwo(bytes)) expect(outcome(from(chunks)).events).toEqual(expected);
  });

  test('tells a reconnection time once, with the event that comes next', () => {
    const { events } = outcome(
      of(chunkEvent('retry: 1\n\nretry: 2000\n\ndata: a\n\ndata: b\n\nretry: x\ndata: c\nretry: 3\n\n')),
    );
    expect(events).toStrictEqual([{ data: 'a', retryMs: 2000 }, { data: 'b' }, { data: 'c', retryMs: 3 }]);
  });

  test('leaves ends such as [DONE] to the caller', () => {
    expect(outcome(of(chunkEvent('data: [DONE]\n\n'))).events).toStrictEqual([{ data: '[DONE]' }]);
  });

  test('takes no characters for a byte order mark', () => {
    expect(outcome(of(chunkEvent('ï»¿data: x\n\ndata: y\n\n'))).events).toStrictEqual([{ data: 'y' }]);
  });

  test('errs at an event past the limit after the events before it, for any cut', () => {
    const bytes = utf8.encode(
      'data: 1\r\n\r\n: a comment of any length\n\ndata: 2\r\ndata: 34\r\n\r\nid: 1\n\ndata: 5\n\n',
    );
    fc.assert(
      fc.property(cuts, fc.constantFrom(8, 15, 16, 17, 40), (cut, maxEventBytes) => {
        const { events, end } = outcome(from(cut(bytes)), { maxEventBytes: Math.max(maxEventBytes, 25) });
        expect({ events, end }).toEqual({ events: reference(bytes), end: 'complete' });
        const short = outcome(from(cut(utf8.encode('data: 1\r\n\r\nid: 1\n\ndata: 2\r\ndata: 34\r\n\r\n'))), {
          maxEventBytes,
        });
        if (maxEventBytes >= 16) expect(short).toEqual({ events: [{ data: '1' }, { data: '2\n34' }], end: 'complete' });
        else {
          expect(short.events).toEqual([{ data: '1' }]);
          expect(short.end).toBeInstanceOf(ResponseTooLargeError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('tells the place of an event past the limit', () => {
    const { end } = outcome(of(chunkEvent('data: 1\r\n\r\n: ping\r\n\ndata: '), chunkEvent('123456789')), {
      maxEventBytes: 10,
    });
    expect(end).toMatchObject({
      code: 'response-too-large',
      maxBytes: 10,
      message: 'The event at line 5 (byte 20) is longer than maxEventBytes (10 bytes)',
    });
  });

  test('accepts an event of 1 MiB, and no longer one, unless told otherwise', () => {
    const event = new Uint8Array(1_048_576).fill(0x61);
    event.set(utf8.encode('data:'));
    event.set(utf8.encode('\n'), event.length - 1);
    const blank = Uint8Array.of(10);
    expect(outcome(of(event, blank)).events.map(({ data }) => data.length)).toEqual([1_048_570]);
    expect(outcome(of(event, event, blank)).end).toBeInstanceOf(ResponseTooLargeError);
    expect(outcome(of(event, event, blank), { maxEventBytes: Infinity }).events).toHaveLength(1);
  });

  test('accepts comments for as long as they come', () => {
    const chunk = utf8.encode(': ping\r\n'.repeat(1000));
    const source = from(Array.from({ length: 200 }, () => chunk));
    expect(outcome(source, { maxEventBytes: 100 })).toEqual({ events: [], end: 'complete' });
    expect(outcome(of(chunkEvent(`:${'x'.repeat(100)}`)), { maxEventBytes: 100 }).end).toBeInstanceOf(
      ResponseTooLargeError,
    );
  });

  test('parses no further, and reads no other chunk, as soon as nobody listens any more', () => {
    let read = 0;
    function* endless(): Generator<PayloadSource> {
      for (;;) {
        read++;
        yield chunkEvent('data: 1\n\ndata: no JSON\n\n');
      }
    }
    const received: unknown[] = [];
    const invalid: unknown[] = [];
    from(endless())
      .pipe(parseSse({ schema: z.number(), onInvalid: (error) => invalid.push(error) }), take(1))
      .subscribe((event) => received.push(event));
    expect({ received, invalid, read }).toEqual({ received: [{ data: 1 }], invalid: [], read: 1 });
  });

  test('unsubscribes from the source at an event that is too long', () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    source.pipe(parseSse({ maxEventBytes: 3 })).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(chunkEvent('data: 1'));
    expect(failure).toBeInstanceOf(ResponseTooLargeError);
    expect(source.observed).toBe(false);
  });

  test('refuses a limit that is none at the call', () => {
    expect(() => parseSse({ maxEventBytes: 0 })).toThrow(RangeError);
    expect(() => parseSse({ schema: z.unknown(), maxPendingBytes: 0 })).toThrow(RangeError);
  });

  describe('with a schema', () => {
    const Token = z.object({ token: z.string() });

    test('emits what the schema makes of the data', async () => {
      const source = of(chunkEvent('id: 1\ndata: {"token":\ndata: "a"}\n\nevent: t\ndata: {"token":"b","more":1}\n\n'));
      const events = await lastValueFrom(source.pipe(parseSse({ schema: Token }), toArray()));
      expect(events).toStrictEqual([
        { id: '1', data: { token: 'a' } },
        { event: 't', data: { token: 'b' } },
      ]);
    });

    test('errs with the place of the event where its data is no JSON or refused', () => {
      const failure = (text: string): unknown => {
        let end: unknown;
        of(chunkEvent('data: {"token":"a"}\r\n\r\n: ping\r\n\r\n'), chunkEvent(text))
          .pipe(parseSse({ schema: Token }))
          .subscribe({ error: (error: unknown) => (end = error) });
        return end;
      };
      expect(failure('id: 1\ndata: [DONE]\n\n')).toBeInstanceOf(InvalidRecordError);
      expect(failure('id: 1\ndata: [DONE]\n\n')).toMatchObject({ line: 5, offset: 33, text: '[DONE]' });
      expect(failure('id: 1\ndata: {"token":1}\n\n')).toMatchObject({
        line: 5,
        offset: 33,
        message: 'Line 5 (byte 33): refused by the schema at token: {"token":1}',
      });
    });

    test('keeps the order under an asynchronous schema, the end included', async () => {
      const Slow = v.pipeAsync(
        v.number(),
        v.checkAsync((value) => new Promise((resolve) => setTimeout(() => resolve(true), 10 - value))),
      );
      const source = of(chunkEvent('data: 1\n\ndata: 8\n\nid: x\ndata: 9\n\n'));
      const events = await lastValueFrom(source.pipe(parseSse({ schema: Slow }), toArray()));
      expect(events).toStrictEqual([{ data: 1 }, { data: 8 }, { id: 'x', data: 9 }]);
    });

    test('goes on counting at the first event not emitted when a retry continues', async () => {
      const Never = v.pipeAsync(
        v.number(),
        v.checkAsync((value) => (value === 2 ? new Promise<boolean>(() => undefined) : Promise.resolve(value === 1))),
      );
      const source = new Subject<PayloadSource>();
      const events: unknown[] = [];
      const end = new Promise((resolve) => {
        source.pipe(parseSse({ schema: Never })).subscribe({
          next: (event) => {
            events.push(event);
            // The first is out, the second is being validated for good.
            queueMicrotask(() => {
              source.next(retryEvent({ mode: 'continue' }));
              source.next(chunkEvent('data: 3\n\n'));
            });
          },
          error: resolve,
        });
      });
      source.next(chunkEvent('data: 1\n\ndata: 2\n\ndata: 2\n\n'));
      expect(await end).toMatchObject({ code: 'invalid-record', line: 3, offset: 9, text: '3' });
      expect(events).toStrictEqual([{ data: 1 }]);
    });
  });

  test('gives events whose data is text, or has the type of the schema', () => {
    expectTypeOf(EMPTY.pipe(parseSse())).toEqualTypeOf<Observable<ServerSentEvent>>();
    expectTypeOf(EMPTY.pipe(parseSse({ maxEventBytes: 5 }))).toEqualTypeOf<Observable<ServerSentEvent>>();
    const schema = z.object({ n: z.string().transform(Number) });
    expectTypeOf(EMPTY.pipe(parseSse({ schema }))).toEqualTypeOf<Observable<ServerSentEvent<{ n: number }>>>();
    expectTypeOf<ServerSentEvent['data']>().toEqualTypeOf<string>();
  });
});
