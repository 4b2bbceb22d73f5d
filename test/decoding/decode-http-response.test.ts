import fc from 'fast-check';
import { concat, EMPTY, from, lastValueFrom, of, Subject, throwError, toArray, type Observable } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { HttpStatusError, ProtocolError, ResponseTooLargeError } from '../../src/errors.js';
import type { ChunkEvent, HttpHeadEvent, LambdaStreamEvent } from '../../src/events.js';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { coverOperator, events, usedBytes } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { cuts, cutsInTwo } from '../support/payload-arbitraries.js';

const nuls = '\0'.repeat(8);
const utf8 = new TextEncoder();

const httpHead = (partial: Partial<HttpHeadEvent> = {}): HttpHeadEvent => ({
  type: 'http-head',
  statusCode: 200,
  headers: {},
  cookies: [],
  ...partial,
});

/** A whole response, as events. */
const decode = async (
  items: Iterable<PayloadSource>,
  options?: Parameters<typeof decodeHttpResponse>[0],
): Promise<LambdaStreamEvent[]> => lastValueFrom(from(items).pipe(decodeHttpResponse(options), toArray()));

const joined = (result: readonly LambdaStreamEvent[]): Uint8Array =>
  Uint8Array.from(result.flatMap((event) => (event.type === 'chunk' ? [...event.payload] : [])));

const headsOf = (result: readonly LambdaStreamEvent[]): LambdaStreamEvent[] =>
  result.filter(({ type }) => type === 'http-head');

async function errorOf(items: Iterable<PayloadSource>, options?: Parameters<typeof decodeHttpResponse>[0]) {
  return decode(items, options).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('decodeHttpResponse', () => {
  test(
    'turns a prelude cut within its NULs into one http-head, before the body',
    marbles((m) => {
      const values = {
        h: headEvent(),
        a: chunkEvent('{"statusCode":201'),
        b: chunkEvent('}\0\0\0\0'),
        c: chunkEvent('\0\0\0\0hi'),
        e: completeEvent(),
      };
      const source = m.cold('  -h-a--b--c----(e|)', values);
      const subscription = '   ^-------------!';
      const result = '         -h-------(tx)-(e|)';

      const { h, e } = values;
      m.expect(source.pipe(decodeHttpResponse())).toBeObservable(result, {
        ...{ h, e },
        t: httpHead({ statusCode: 201 }),
        x: chunkEvent('hi'),
      });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'lets a payload without a prelude through unchanged and undelayed',
    marbles((m) => {
      const { h, a, b, c } = events;
      const source = m.cold<LambdaStreamEvent>('-h-ab--a--(c|)', events);
      m.expect(source.pipe(decodeHttpResponse())).toBeObservable('-h-ab--a--(c|)', { h, a, b, c });
    }),
  );

  test(
    'lets JSON lines through as soon as the first one ends, what was held as one chunk',
    marbles((m) => {
      const values = {
        a: chunkEvent('{"a":['),
        b: chunkEvent('"}]"]}'),
        n: chunkEvent('\n{"'),
        c: chunkEvent('b":1}\n'),
      };
      const source = m.cold<LambdaStreamEvent>('-a-b--n------c|', values);
      m.expect(source.pipe(decodeHttpResponse())).toBeObservable('------(jn)---c|', {
        ...values,
        j: chunkEvent('{"a":["}]"]}'),
      });
    }),
  );

  test(
    'releases what began like a prelude when the response ends, before the complete event',
    marbles((m) => {
      const values = { a: chunkEvent('{"statusCode"'), b: chunkEvent(':200}\0\0'), c: completeEvent() };
      const source = m.cold<LambdaStreamEvent>('-a--b--(c|)', values);
      m.expect(source.pipe(decodeHttpResponse())).toBeObservable('-------(jc|)', {
        ...values,
        j: chunkEvent('{"statusCode":200}\0\0'),
      });
    }),
  );

  test(
    'passes the error of the source on unchanged and drops a prelude that was cut by it',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('-a--#', { a: chunkEvent('{"statusCode"') }, new Error('cut'));
      m.expect(source.pipe(decodeHttpResponse())).toBeObservable('----#', {}, new Error('cut'));
    }),
  );

  test(
    'expects a new prelude after a retry that restarts or continues',
    marbles((m) => {
      for (const mode of ['restart', 'continue'] as const) {
        const values = {
          a: chunkEvent(`{"statusCode":201}${nuls}one`),
          r: retryEvent({ mode }),
          h: headEvent(),
          p: chunkEvent('{"statusCode":'),
          b: chunkEvent(`202}${nuls}two`),
          e: completeEvent(),
        };
        const { r, h, e } = values;
        const source = m.cold<LambdaStreamEvent>('-a---p-r--h-p-b---(e|)', values);
        m.expect(source.pipe(decodeHttpResponse())).toBeObservable('-(tx)p-r--h---(uy)(e|)', {
          ...{ r, h, e },
          t: httpHead({ statusCode: 201 }),
          x: chunkEvent('one'),
          p: values.p,
          u: httpHead({ statusCode: 202 }),
          y: chunkEvent('two'),
        });
      }
    }),
  );

  test(
    'drops half a prelude on a restart, and goes on within it on a replay',
    marbles((m) => {
      const values = {
        a: chunkEvent('{"statusCode":201}\0\0\0\0'),
        r: retryEvent({ mode: 'restart' }),
        p: retryEvent({ mode: 'replay' }),
        b: chunkEvent(`{}${nuls}x`),
        c: chunkEvent('\0\0\0\0x'),
      };
      const x = chunkEvent('x');
      m.expect(m.cold<LambdaStreamEvent>('-a-r--b---|', values).pipe(decodeHttpResponse())).toBeObservable(
        '---r--(tx)|',
        { r: values.r, t: httpHead(), x },
      );
      m.expect(m.cold<LambdaStreamEvent>('-a-p--c---|', values).pipe(decodeHttpResponse())).toBeObservable(
        '---p--(tx)|',
        { p: values.p, t: httpHead({ statusCode: 201 }), x },
      );
    }),
  );

  test('reads status, headers in lower case, joined values and cookies', async () => {
    const prelude = {
      statusCode: 207,
      headers: { 'Content-Type': 'text/html; charset="utf-8"', 'Content-Length': 5, 'X-B': 'one', 'Set-Cookie': 'h=1' },
      multiValueHeaders: { 'x-b': ['two', 'one'], Vary: ['a', 'b'], 'set-cookie': ['m=1; Path=/', 'n=2'] },
      cookies: ['a=1', 'b=2; Secure'],
    };
    const [head] = await decode([chunkEvent(JSON.stringify(prelude) + nuls)]);
    expect(head).toStrictEqual(
      httpHead({
        statusCode: 207,
        headers: {
          'content-type': 'text/html; charset="utf-8"',
          'content-length': '5',
          'x-b': 'two, one',
          vary: 'a, b',
        },
        cookies: ['a=1', 'b=2; Secure', 'm=1; Path=/', 'n=2', 'h=1'],
      }),
    );
  });

  test('keeps a header named __proto__ a header', async () => {
    const [head] = await decode([chunkEvent(`{"headers":{"__proto__":"x"}}${nuls}`)]);
    expect(Object.entries((head as HttpHeadEvent).headers)).toEqual([['__proto__', 'x']]);
  });

  test('takes the status 200 where the prelude has none, and a status in text', async () => {
    expect(await decode([chunkEvent(`{}${nuls}`)])).toStrictEqual([httpHead()]);
    expect(await decode([chunkEvent(`{"statusCode":null,"headers":null,"cookies":null}${nuls}`)])).toStrictEqual([
      httpHead(),
    ]);
    expect(await decode([chunkEvent(`{"statusCode":"404"}${nuls}`)])).toStrictEqual([httpHead({ statusCode: 404 })]);
  });

  test('leaves NUL bytes of the body alone, directly behind the prelude too', async () => {
    const body = `\0\0${nuls}x${nuls}{}${nuls}`;
    for (const pieces of cutsInTwo(utf8.encode(`{"statusCode":200}${nuls}${body}`))) {
      const result = await decode(pieces);
      expect(headsOf(result)).toHaveLength(1);
      expect(new TextDecoder().decode(joined(result))).toBe(body);
    }
  });

  test('hands body chunks on as views of the bytes that came, or as the very events', async () => {
    const first = chunkEvent(`{}${nuls}body`);
    const second = chunkEvent('more');
    const result = await decode([first, second]);
    const body = result[1] as ChunkEvent;
    expect(body.payload.buffer).toBe(first.payload.buffer);
    expect(result[2]).toBe(second);
  });

  test('gives the same head and body for any cut of any prelude and body', async () => {
    const preludes = fc.record(
      {
        statusCode: fc.integer({ min: 100, max: 599 }),
        headers: fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
        cookies: fc.array(fc.string({ unit: 'binary' })),
        nested: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(preludes, fc.uint8Array(), cuts, fc.boolean(), async (prelude, body, cut, pretty) => {
        const json = utf8.encode(JSON.stringify(prelude, undefined, pretty ? 2 : undefined) + nuls);
        const whole = await decode([Uint8Array.from([...json, ...body])]);
        const pieces = await decode(cut(Uint8Array.from([...json, ...body])));
        expect(headsOf(pieces)).toStrictEqual(headsOf(whole));
        expect(headsOf(whole)).toHaveLength(1);
        expect((headsOf(whole)[0] as HttpHeadEvent).statusCode).toBe(prelude.statusCode ?? 200);
        expect(joined(pieces)).toEqual(body);
        expect(joined(whole)).toEqual(body);
      }),
    );
  });

  test('loses no byte and invents no head where there is no prelude, for any cut of any bytes', async () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.jsonValue().map((value) => utf8.encode(`${JSON.stringify(value)}\n`)),
      fc.uint8Array().map((rest) => Uint8Array.from([0x7b, ...rest])),
    );
    const isPrelude = (all: Uint8Array): boolean => new TextDecoder('latin1').decode(all).includes(nuls);
    await fc.assert(
      fc.asyncProperty(bytes, cuts, async (all, cut) => {
        fc.pre(!isPrelude(all));
        const result = await decode(cut(all));
        expect(headsOf(result)).toEqual([]);
        expect(joined(result)).toEqual(all);
      }),
    );
  });

  test('fails a prelude over 64 KiB with its limit, and reads no further', () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    source.pipe(decodeHttpResponse()).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(utf8.encode(`{"headers":{"x":"${'y'.repeat(65_518)}`));
    expect(failure).toBeUndefined();
    source.next(utf8.encode('y'));
    expect(failure).toBeInstanceOf(ResponseTooLargeError);
    expect(failure).toMatchObject({ code: 'response-too-large', maxBytes: 65_536 });
    expect(source.observed).toBe(false);
  });

  test('reads a prelude of exactly 64 KiB', async () => {
    const frame = `{"headers":{"x":""}}${nuls}`;
    const value = 'y'.repeat(65_536 - frame.length);
    const result = await decode([chunkEvent(`{"headers":{"x":"${value}"}}${nuls}body`)]);
    expect(result).toStrictEqual([httpHead({ headers: { x: value } }), chunkEvent('body')]);
    expect(await errorOf([chunkEvent(`{"headers":{"x":"${value}y"}}${nuls}body`)])).toBeInstanceOf(
      ResponseTooLargeError,
    );
  });

  test('fails a prelude that AWS does not write, without quoting it', async () => {
    for (const broken of [
      '{secret}',
      '{"statusCode":"secret"}',
      '{"statusCode":99}',
      '{"statusCode":200.5}',
      '{"headers":"secret"}',
      '{"headers":["secret"]}',
      '{"headers":{"a":{"secret":1}}}',
      '{"headers":{"a":[["secret"]]}}',
      '{"multiValueHeaders":{"a":[{"secret":1}]}}',
      '{"cookies":"secret"}',
      '{"cookies":[{}]}',
    ]) {
      const failure = await errorOf([chunkEvent(broken + nuls)]);
      expect(failure, broken).toBeInstanceOf(ProtocolError);
      expect((failure as Error).message).toMatch(/^The HTTP prelude /);
      expect((failure as Error).message).not.toContain('secret');
    }
  });

  test('reads header values as AWS’s Rust runtime writes them: arrays where there are several', async () => {
    const prelude = {
      statusCode: 200,
      headers: {
        ...{ 'content-type': 'text/html', 'x-many': ['a', 'b', 3, true], 'x-none': [], 'x-null': null },
        ...{ 'x-holes': [null, 'c', null], 'Set-Cookie': ['one=1; Path=/', 'two=2'] },
      },
      multiValueHeaders: { 'x-many': ['a', 'z'], 'x-one': 'single', 'x-absent': null },
      cookies: ['zero=0', null],
    };
    const [head] = await decode([chunkEvent(JSON.stringify(prelude) + nuls)]);
    expect(head).toStrictEqual(
      httpHead({
        headers: {
          ...{ 'x-many': 'a, z, b, 3, true', 'x-one': 'single', 'content-type': 'text/html', 'x-holes': 'c' },
        },
        cookies: ['zero=0', 'one=1; Path=/', 'two=2'],
      }),
    );
  });

  test(
    'keeps an event of an unknown type in its place among bytes that are held',
    marbles((m) => {
      const u: LambdaStreamEvent = { type: 'unknown', eventType: 'New', headers: {}, payload: Uint8Array.of(1) };
      const values = {
        ...{ u, a: chunkEvent('{"a":'), b: chunkEvent('1}'), n: chunkEvent('\n'), p: chunkEvent(`1}${nuls}x`) },
        ...{ t: httpHead(), x: chunkEvent('x') },
      };
      const json = m.cold<LambdaStreamEvent>('u-a-u-b-n-----|', values);
      m.expect(json.pipe(decodeHttpResponse())).toBeObservable('u-------(aubn)|', values);
      const prelude = m.cold<LambdaStreamEvent>('u-a-u-p----|', values);
      m.expect(prelude.pipe(decodeHttpResponse())).toBeObservable('u-----(utx)|', values);
    }),
  );

  test('holds no empty chunks, and counts unknown events among the 64 KiB that it holds', async () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    const subscription = source.pipe(decodeHttpResponse()).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(chunkEvent('{'));
    const before = await usedBytes();
    for (let i = 0; i < 200_000; i++) source.next(chunkEvent(new Uint8Array(0)));
    expect((await usedBytes()) - before).toBeLessThan(2 * 1024 * 1024);
    expect(failure).toBeUndefined();
    const unknown = (): LambdaStreamEvent => ({
      type: 'unknown',
      eventType: 'New',
      headers: {},
      payload: Uint8Array.of(1),
    });
    for (let i = 0; i < 200; i++) source.next(unknown());
    expect(failure).toBeInstanceOf(ResponseTooLargeError);
    expect(subscription.closed).toBe(true);
  });

  test('holds copies of what may be a prelude, not the network reads that they are views of', async () => {
    const source = new Subject<PayloadSource>();
    const subscription = source.pipe(decodeHttpResponse()).subscribe();
    source.next(chunkEvent('{'));
    const before = await usedBytes();
    for (let i = 0; i < 200; i++) source.next(chunkEvent(new Uint8Array(65_536).fill(0x20).subarray(0, 16)));
    expect((await usedBytes()) - before).toBeLessThan(2 * 1024 * 1024);
    subscription.unsubscribe();
  });

  test('keeps the further fields of chunks, such as a position', async () => {
    const at = (text: string, position: string) => ({ ...chunkEvent(text), position });
    expect(
      await decode([at('{"statusCode":', '0-14'), at(`200}${nuls}body`, '0-30'), at('more', '0-34')]),
    ).toStrictEqual([httpHead(), at('body', '0-30'), at('more', '0-34')]);
    expect(await decode([at('{"a":', '0-5'), at('1}', '0-7'), at('\n', '0-8')])).toStrictEqual([
      at('{"a":1}', '0-7'),
      at('\n', '0-8'),
    ]);
  });

  describe('a prelude that the head announced and that never came', () => {
    const announced = headEvent({ contentType: 'Application/VND.awslambda.http-integration-response; charset=x' });
    const kinds: [string, PayloadSource[]][] = [
      ['text', [chunkEvent('Not Found'), completeEvent()]],
      ['JSON', [chunkEvent('{"a":1}\n'), completeEvent()]],
      ['half a prelude', [chunkEvent('{"statusCode":200}\0\0'), completeEvent()]],
      ['nothing', [completeEvent()]],
      ['nothing, from a source without complete events', []],
    ];

    test.each(kinds)('is no success under failOnStatus: %s', async (_, items) => {
      for (const failOnStatus of [true, () => false]) {
        const failure = await errorOf([announced, ...items], { failOnStatus });
        expect(failure).toBeInstanceOf(ProtocolError);
        expect((failure as Error).message).toContain('announced an HTTP prelude');
      }
    });

    test.each(kinds)(
      'is passed through without failOnStatus, and where nothing was announced: %s',
      async (_, items) => {
        const bytes = joined(items.filter((item): item is ChunkEvent => 'type' in item));
        expect(joined(await decode([announced, ...items]))).toEqual(bytes);
        const other = headEvent({ contentType: 'application/vnd.awslambda.http-integration-responseX' });
        expect(joined(await decode([other, ...items], { failOnStatus: true }))).toEqual(bytes);
      },
    );

    test('does not hide the failure of the function, nor of the source', async () => {
      const failed = completeEvent({ errorCode: 'Unhandled' });
      expect(await decode([announced, failed], { failOnStatus: true })).toEqual([announced, failed]);
      const cut = new Error('cut');
      const source = concat(
        of(announced),
        throwError(() => cut),
      );
      await expect(lastValueFrom(source.pipe(decodeHttpResponse({ failOnStatus: true })))).rejects.toBe(cut);
    });

    test('counts for the attempt whose head announced it', async () => {
      const items = [announced, retryEvent({ mode: 'restart' }), headEvent(), chunkEvent('text'), completeEvent()];
      expect(await decode(items, { failOnStatus: true })).toHaveLength(5);
    });
  });

  describe('failOnStatus', () => {
    const failing = [headEvent(), chunkEvent(`{"statusCode":503,"headers":{"A":"b"}}${nuls}no`), chunkEvent(' room')];

    test('turns a status of 400 and above into an error with the whole body, at the end of the response', async () => {
      const failure = await errorOf([...failing, completeEvent()], { failOnStatus: true });
      expect(failure).toBeInstanceOf(HttpStatusError);
      expect(failure).toMatchObject({ code: 'http-status', statusCode: 503, headers: { a: 'b' } });
      expect(new TextDecoder().decode((failure as HttpStatusError).body)).toBe('no room');
      expect(await errorOf([chunkEvent(`{"statusCode":400}${nuls}`)], { failOnStatus: true })).toMatchObject({
        statusCode: 400,
        body: new Uint8Array(0),
      });
    });

    test(
      'errors as soon as the body has its limit, and closes the connection',
      marbles((m) => {
        const values = { h: headEvent(), a: chunkEvent(`{"statusCode":500}${nuls}12`), b: chunkEvent('3456') };
        const source = m.cold<LambdaStreamEvent>('-h-a--b--b--b', values);
        const expected = new HttpStatusError({ statusCode: 500, headers: {}, body: utf8.encode('12345') });
        m.expect(source.pipe(decodeHttpResponse({ failOnStatus: true, maxErrorBodyBytes: 5 }))).toBeObservable(
          '-h----#',
          { h: values.h },
          expected,
        );
        m.expect(source).toHaveSubscriptions('^-----!');
      }),
    );

    test('keeps exactly the limit of the body', async () => {
      for (const [limit, text] of [
        [0, ''],
        [1, 'n'],
        [3, 'no '],
        [7, 'no room'],
        [8, 'no room'],
      ] as const) {
        const failure = await errorOf(failing, { failOnStatus: true, maxErrorBodyBytes: limit });
        expect(new TextDecoder().decode((failure as HttpStatusError).body)).toBe(text);
      }
    });

    test('leaves statuses below 400 and the absence of a prelude alone', async () => {
      const fine = [chunkEvent(`{"statusCode":399}${nuls}ok`)];
      expect(await decode(fine, { failOnStatus: true })).toStrictEqual([
        httpHead({ statusCode: 399 }),
        chunkEvent('ok'),
      ]);
      const plain = [chunkEvent('plain'), completeEvent()];
      expect(await decode(plain, { failOnStatus: true })).toStrictEqual(plain);
    });

    test('asks a predicate instead, and passes on what it throws', async () => {
      const redirect = [chunkEvent(`{"statusCode":302}${nuls}x`)];
      expect(await errorOf(redirect, { failOnStatus: (status) => status === 302 })).toMatchObject({ statusCode: 302 });
      expect(await decode(failing, { failOnStatus: (status) => status === 302 })).toHaveLength(4);
      const thrown = new Error('from the predicate');
      const failOnStatus = () => {
        throw thrown;
      };
      expect(await errorOf(redirect, { failOnStatus })).toBe(thrown);
    });

    test(
      'passes the error of a source that breaks within the body on unchanged',
      marbles((m) => {
        const values = { a: chunkEvent(`{"statusCode":500}${nuls}12`) };
        const source = m.cold<LambdaStreamEvent>('-a--#', values, new Error('cut'));
        m.expect(source.pipe(decodeHttpResponse({ failOnStatus: true }))).toBeObservable('----#', {}, new Error('cut'));
      }),
    );

    test(
      'forgets a failed response on a restart',
      marbles((m) => {
        const values = {
          a: chunkEvent(`{"statusCode":500}${nuls}12`),
          r: retryEvent({ mode: 'restart' }),
          b: chunkEvent(`{"statusCode":200}${nuls}ok`),
          e: completeEvent(),
        };
        const source = m.cold<LambdaStreamEvent>('-a-r-b---(e|)', values);
        m.expect(source.pipe(decodeHttpResponse({ failOnStatus: true }))).toBeObservable('---r-(tx)(e|)', {
          r: values.r,
          e: values.e,
          t: httpHead(),
          x: chunkEvent('ok'),
        });
      }),
    );
  });

  test('is followed by decodeText, which reads the body', async () => {
    const source = of(headEvent(), chunkEvent(`{"statusCode":200}${nuls}<p>é`), chunkEvent('</p>'), completeEvent());
    expect(await lastValueFrom(source.pipe(decodeHttpResponse(), decodeText(), toArray()))).toEqual(['<p>é', '</p>']);
  });

  test('refuses a wrong limit at the call', () => {
    for (const maxErrorBodyBytes of [-1, 1.5, NaN, -Infinity]) {
      expect(() => decodeHttpResponse({ maxErrorBodyBytes })).toThrow(RangeError);
    }
  });

  test('takes events or bytes and gives events', () => {
    expectTypeOf(EMPTY.pipe(decodeHttpResponse())).toEqualTypeOf<Observable<LambdaStreamEvent>>();
    expectTypeOf(of(new Uint8Array()).pipe(decodeHttpResponse())).toEqualTypeOf<Observable<LambdaStreamEvent>>();
    // @ts-expect-error -- text has been decoded already
    of('text').pipe(decodeHttpResponse());
  });
});

const { h, a, b, c } = events;
coverOperator<LambdaStreamEvent>('decodeHttpResponse', {
  operator: () => decodeHttpResponse({ failOnStatus: true }),
  never: ['--------------'],
  empty: ['--|'],
  one: ['-h-a-(c|)', { h, a, c }],
  many: ['-h-ab--a--(c|)', { h, a, b, c }],
  error: ['-h-a--#', { h, a }],
  itemsForFirst: 1,
});
