import fc from 'fast-check';
import { EMPTY, NEVER, Observable, Subject, concat, from, lastValueFrom, of, take, throwError, toArray } from 'rxjs';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { InvalidRecordError, ResponseTooLargeError } from '../../src/errors.js';
import { parseSse, type ParseSseOptions, type ServerSentEvent } from '../../src/decoding/parse-sse.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { fuzzParameters } from '../support/fuzz.js';
import { outcomeNow } from '../support/collect.js';
import { marbles } from '../support/marbles.js';
import { cuts, cutsInTwo, payloads, toItems } from '../support/payload-arbitraries.js';
import { readSse } from '../support/sse-reference.js';

const utf8 = new TextEncoder();

/** A payload's events by the reference, and its end as {@link outcome} tells it. */
const reference = (bytes: Uint8Array) => {
  const { events, end } = readSse(bytes);
  return { events, end: end === 'complete' ? end : (expect.any(InvalidRecordError) as unknown) };
};

function outcome(source: Observable<PayloadSource>, options?: ParseSseOptions) {
  const { values: events, end } = outcomeNow(source.pipe(parseSse(options)));
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
        c: chunkEvent('ta: two\r\n\r\ndata: end'),
      };
      const source = m.cold('  --a----b--c--|', values);
      const subscription = '   ^------------!';
      const result = '         -------1--2--(3|)';

      m.expect(source.pipe(parseSse())).toBeObservable(result, {
        1: { id: '1', lastEventId: '1', data: 'one' },
        2: { lastEventId: '1', data: 'two' },
        3: { lastEventId: '1', data: 'end' },
      });
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
      m.expect(source.pipe(parseSse())).toBeObservable('--1-----(2|)', { 1: { data: '1' }, 2: { data: '2' } });
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
      const results = { n: { data: '2' }, o: { id: '1', lastEventId: '1', data: '1\n2', retryMs: 5 } };
      m.expect(m.cold<PayloadSource>('-ar-b|', values).pipe(parseSse())).toBeObservable('----n|', results);
      m.expect(m.cold<PayloadSource>('-ac-b|', values).pipe(parseSse())).toBeObservable('----n|', results);
      m.expect(m.cold<PayloadSource>('-afpb|', values).pipe(parseSse())).toBeObservable('----o|', results);
    }),
  );

  test('emits the events that the standard defines for any cut of any stream', () => {
    fc.assert(
      fc.property(streams, cuts, (bytes, cut) => {
        expect(outcome(from(toItems(cut(bytes))))).toEqual(reference(bytes));
      }),
      fuzzParameters(2000),
    );
  });

  test('emits the events that the standard defines for any cut of any bytes', () => {
    fc.assert(
      fc.property(payloads, cuts, (bytes, cut) => {
        expect(outcome(from(toItems(cut(bytes))))).toEqual(reference(bytes));
      }),
      fuzzParameters(1000),
    );
  });

  test('emits the same events cut in two anywhere', () => {
    const bytes = utf8.encode(
      '\ufeffid: 7\r\nevent: 漢字\r\ndata: 🙂\r\n\r\n: c\r\rdata\ndata: x\r\n\nretry: 12\n\ndata: z\r\r',
    );
    const expected: ServerSentEvent[] = [
      { id: '7', lastEventId: '7', event: '漢字', data: '🙂' },
      { lastEventId: '7', data: '\nx' },
      { lastEventId: '7', data: 'z', retryMs: 12 },
    ];
    for (const chunks of cutsInTwo(bytes)) expect(outcome(from(chunks)).events).toEqual(expected);
  });

  test('tells a reconnection time once, with the event that comes next', () => {
    const { events } = outcome(
      of(chunkEvent('retry: 1\n\nretry: 2000\n\ndata: a\n\ndata: b\n\nretry: x\ndata: c\nretry: 3\n\n')),
    );
    expect(events).toStrictEqual([{ data: 'a', retryMs: 2000 }, { data: 'b' }, { data: 'c', retryMs: 3 }]);
  });

  test('carries the ids of blocks without data to the events behind them, until another one', () => {
    const { events } = outcome(
      of(chunkEvent('id: 1\n\ndata: a\n\nid: 2\nevent: x\n\n: c\n\ndata: b\n\nid\n\ndata: c\n\n')),
    );
    expect(events).toStrictEqual([
      { lastEventId: '1', data: 'a' },
      { lastEventId: '2', data: 'b' },
      { lastEventId: '', data: 'c' },
    ]);
  });

  test('goes on after a continue with the id of the last event that was emitted, and forgets it on a restart', () => {
    for (const [mode, lastEventId] of [
      ['continue', { lastEventId: '1' }],
      ['restart', {}],
    ] as const) {
      const items = [
        chunkEvent('id: 1\ndata: a\n\nid: 2\n\nid: 3\nda'),
        retryEvent({ mode }),
        chunkEvent('data: b\n\n'),
      ];
      expect(outcome(from(items)).events[1]).toStrictEqual({ ...lastEventId, data: 'b' });
    }
  });

  test('tells empty data from absent data, and keeps line ends in data', () => {
    expect(outcome(of(chunkEvent('data\n\nevent: e\n\ndata:\ndata:\n\ndata: \ndata:  x\n\n'))).events).toStrictEqual([
      { data: '' },
      { data: '\n' },
      { data: '\n x' },
    ]);
  });

  test('emits the last event without its blank line when the source completes, and not when it errors', () => {
    for (const cut of ['data: last', 'data: last\n', 'data: last\r', 'data: last\r\n', 'id: 1\ndata: last\nda']) {
      expect(outcome(of(chunkEvent(cut))).events.map(({ data }) => data)).toEqual(['last']);
      const failed = outcome(
        concat(
          of(chunkEvent(cut)),
          throwError(() => new Error('cut')),
        ),
      );
      expect(failed).toEqual({ events: [], end: new Error('cut') });
    }
  });

  test('gives the last event without its blank line to the schema', async () => {
    const slow = z.number().refine(() => Promise.resolve(true));
    const events = await lastValueFrom(
      of(chunkEvent('data: 1\n\ndata: 2')).pipe(parseSse({ schema: slow }), toArray()),
    );
    expect(events).toStrictEqual([{ data: 1 }, { data: 2 }]);
  });

  test.each([
    ['JSON', '{"error":"busy"}', 1, 0],
    ['JSON over several lines', '\n{\n  "data": "x",\n  "id": 1\n}\n', 2, 1],
    ['NDJSON', '{"id":1}\n{"id":2}\n', 1, 0],
    ['HTML', '<!doctype html>\n\n<title>x</title>', 1, 0],
    ['text behind comments', ': hi\n\nService Unavailable', 3, 6],
  ])('errs at the end where %s came instead of events, with the place of its first line', (_, body, line, offset) => {
    for (const chunks of cutsInTwo(utf8.encode(body))) {
      const { events, end } = outcome(from(chunks));
      expect(events).toEqual([]);
      expect(end).toBeInstanceOf(InvalidRecordError);
      expect(end).toMatchObject({ line, offset });
      expect((end as Error).message).toContain('not a stream of server-sent events');
    }
    const long = outcome(of(chunkEvent(`${body}${'x'.repeat(10_000)}`))).end as InvalidRecordError;
    expect(long.message.length).toBeLessThan(300);
  });

  test.each([
    ['nothing', ''],
    ['comments alone', ': ping\n\n: ping\n'],
    ['an id alone', 'id: 7\n\n'],
    ['a reconnection time alone', 'retry: 10\n\n'],
    ['a field of another time among known ones', 'event: ping\nnew: x\n\n'],
  ])('is content with %s', (_, body) => {
    expect(outcome(of(chunkEvent(body)))).toEqual({ events: [], end: 'complete' });
  });

  test('leaves ends such as [DONE] to the caller', () => {
    expect(outcome(of(chunkEvent('data: [DONE]\n\n'))).events).toStrictEqual([{ data: '[DONE]' }]);
  });

  test('leaves the end marker out, also with a schema, and completes with the source', () => {
    const text = 'data: 1\n\ndata: [DONE]\n\ndata: 2\n\n';
    expect(outcome(of(chunkEvent(text)), { endMarker: '[DONE]' }).events).toStrictEqual([{ data: '1' }, { data: '2' }]);
    const cut = new Error('cut');
    const seen: unknown[] = [];
    concat(
      of(chunkEvent(text)),
      throwError(() => cut),
    )
      .pipe(parseSse({ schema: z.number(), endMarker: '[DONE]' }))
      .subscribe({ next: ({ data }) => seen.push(data), error: (error: unknown) => seen.push(error) });
    expect(seen).toEqual([1, 2, cut]);
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
        expect({ events, end }).toEqual(reference(bytes));
        const short = outcome(from(cut(utf8.encode('data: 1\r\n\r\nid: 1\n\ndata: 2\r\ndata: 34\r\n\r\n'))), {
          maxEventBytes,
        });
        if (maxEventBytes >= 16)
          expect(short).toEqual({ events: [{ data: '1' }, { lastEventId: '1', data: '2\n34' }], end: 'complete' });
        else {
          expect(short.events).toEqual([{ data: '1' }]);
          expect(short.end).toBeInstanceOf(ResponseTooLargeError);
        }
      }),
      fuzzParameters(300),
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

  test('accepts an event of 8 MiB, and no longer one, unless told otherwise', () => {
    const event = new Uint8Array(8 * 1_048_576).fill(0x61);
    event.set(utf8.encode('data:'));
    event.set(utf8.encode('\n'), event.length - 1);
    const blank = Uint8Array.of(10);
    expect(outcome(of(event, blank)).events.map(({ data }) => data.length)).toEqual([8 * 1_048_576 - 6]);
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

  test('refuses a wrong limit at the call', () => {
    expect(() => parseSse({ maxEventBytes: 0 })).toThrow(RangeError);
    expect(() => parseSse({ schema: z.unknown(), maxPendingBytes: 0 })).toThrow(RangeError);
  });

  describe('with a schema', () => {
    const Token = z.object({ token: z.string() });

    test('emits what the schema makes of the data', async () => {
      const source = of(chunkEvent('id: 1\ndata: {"token":\ndata: "a"}\n\nevent: t\ndata: {"token":"b","more":1}\n\n'));
      const events = await lastValueFrom(source.pipe(parseSse({ schema: Token }), toArray()));
      expect(events).toStrictEqual([
        { id: '1', lastEventId: '1', data: { token: 'a' } },
        { lastEventId: '1', event: 't', data: { token: 'b' } },
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

    test('counts a line feed at the start after a retry, also where the response before it ended in `\\r`', () => {
      const items = [chunkEvent('data: {"token":"a"}\r'), retryEvent({ mode: 'restart' }), chunkEvent('\ndata: 1\n\n')];
      expect(outcomeNow(from(items).pipe(parseSse({ schema: Token }))).end).toMatchObject({ line: 2, offset: 1 });
    });

    test('keeps the order under an asynchronous schema, the end included', async () => {
      const Slow = v.pipeAsync(
        v.number(),
        v.checkAsync((value) => new Promise((resolve) => setTimeout(() => resolve(true), 10 - value))),
      );
      const source = of(chunkEvent('data: 1\n\ndata: 8\n\nid: x\ndata: 9\n\n'));
      const events = await lastValueFrom(source.pipe(parseSse({ schema: Slow }), toArray()));
      expect(events).toStrictEqual([{ data: 1 }, { data: 8 }, { id: 'x', lastEventId: 'x', data: 9 }]);
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
