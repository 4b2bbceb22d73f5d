import fc from 'fast-check';
import { EMPTY, from, lastValueFrom, of, Subject, throwError, type Observable } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { ResponseTooLargeError } from '../../src/errors.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import { collectResponse, type CollectedResponse } from '../../src/consumers/collect-response.js';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { coverOperator, events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { cuts, payloads, toItems } from '../support/payload-arbitraries.js';

const utf8 = new TextEncoder();

const collect = (items: Iterable<PayloadSource>, options?: Parameters<typeof collectResponse>[0]) =>
  lastValueFrom(from(items).pipe(collectResponse(options)));

/** The response with these bytes; its methods are compared by what they are. */
const response = (text: string, fields: Partial<CollectedResponse> = {}): CollectedResponse => ({
  ...fields,
  bytes: utf8.encode(text),
  text: expect.any(Function) as () => string,
  json: expect.any(Function) as () => unknown,
});

describe('collectResponse', () => {
  test(
    'emits one value when the response is complete',
    marbles((m) => {
      const values = { h: headEvent(), a: chunkEvent('{"a":'), b: chunkEvent('1}'), e: completeEvent() };
      const source = m.cold('  -h--a--b--(e|)', values);
      const subscription = '   ^---------!';
      const result = '         ----------(r|)';

      m.expect(source.pipe(collectResponse())).toBeObservable(result, { r: response('{"a":1}', { head: values.h }) });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'emits nothing but the error of a response that breaks',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('-h-a--#', events, new Error('cut'));
      m.expect(source.pipe(collectResponse())).toBeObservable('------#', {}, new Error('cut'));
    }),
  );

  test(
    'starts over on a restart, and keeps what it has on the other retries',
    marbles((m) => {
      for (const mode of ['restart', 'continue', 'replay', 'fresh'] as const) {
        const head = headEvent({ requestId: 'second' });
        const values = { h: headEvent(), a: chunkEvent('a'), r: retryEvent({ mode }), i: head, b: chunkEvent('b') };
        const source = m.cold<LambdaStreamEvent>('-h-a-r-i-b-|', values);
        const r = response(mode === 'restart' ? 'b' : 'ab', { head });
        m.expect(source.pipe(collectResponse())).toBeObservable('-----------(r|)', { r });
      }
    }),
  );

  test(
    'fails as soon as the response is over the limit, and closes the connection',
    marbles((m) => {
      const values = { a: chunkEvent('12'), b: chunkEvent('345') };
      const source = m.cold<LambdaStreamEvent>('-a--b--b--|', values);
      const tooLarge = new ResponseTooLargeError('The response is larger than the maxBytes of collectResponse', {
        maxBytes: 4,
      });
      m.expect(source.pipe(collectResponse({ maxBytes: 4 }))).toBeObservable('----#', {}, tooLarge);
      m.expect(source).toHaveSubscriptions('^---!');
    }),
  );

  test('takes a response of exactly the limit', async () => {
    expect((await collect([chunkEvent('12'), chunkEvent('34')], { maxBytes: 4 })).text()).toBe('1234');
    expect((await collect([chunkEvent('')], { maxBytes: 0 })).bytes).toEqual(new Uint8Array(0));
    await expect(collect([chunkEvent('1')], { maxBytes: 0 })).rejects.toMatchObject({
      code: 'response-too-large',
      maxBytes: 0,
    });
  });

  test('takes 16 MiB and not a byte more unless told otherwise', async () => {
    const mebibytes = Array.from({ length: 16 }, () => new Uint8Array(1024 * 1024));
    expect((await collect(mebibytes)).bytes).toHaveLength(16_777_216);
    await expect(collect([...mebibytes, Uint8Array.of(1)])).rejects.toBeInstanceOf(ResponseTooLargeError);
  });

  test('counts from 0 again after a restart', async () => {
    const items = [chunkEvent('123'), retryEvent({ mode: 'restart' }), chunkEvent('456')];
    expect((await collect(items, { maxBytes: 3 })).text()).toBe('456');
  });

  test('collects plain bytes, without a head', async () => {
    const result = await collect([utf8.encode('a'), utf8.encode('b')]);
    expect(result).toStrictEqual(response('ab'));
    expect(Object.keys(result)).toEqual(['bytes', 'text', 'json']);
  });

  test('tells the log tail, the HTTP head and, where failures are events, the failure', async () => {
    const complete = completeEvent({ logTail: 'REPORT', errorCode: 'Unhandled', errorDetails: '{}' });
    const items = [headEvent(), chunkEvent(`{"statusCode":201}${'\0'.repeat(8)}body`), complete];
    const result = await lastValueFrom(from(items).pipe(decodeHttpResponse(), collectResponse()));
    const httpHead = { type: 'http-head' as const, statusCode: 201, headers: {}, cookies: [] };
    expect(result).toStrictEqual(
      response('body', {
        head: headEvent(),
        httpHead,
        logTail: 'REPORT',
        errorCode: 'Unhandled',
        errorDetails: '{}',
      }),
    );
  });

  test('forgets the HTTP head on a restart', async () => {
    const httpHead = { type: 'http-head' as const, statusCode: 500, headers: {}, cookies: [] };
    const result = await collect([httpHead, chunkEvent('a'), retryEvent({ mode: 'restart' }), chunkEvent('b')]);
    expect(result).toStrictEqual(response('b'));
  });

  test('reads text as TextDecoder does and JSON as JSON.parse does', async () => {
    const result = await collect([Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf, 0x7b, 0x7d)]);
    expect(result.text()).toBe('{}');
    expect(result.json()).toEqual({});
    const broken = await collect([chunkEvent('not json')]);
    expect(() => broken.json()).toThrow(SyntaxError);
    expect((await collect([Uint8Array.of(0x61, 0xff)])).text()).toBe('a\ufffd');
  });

  test('puts any cut of any bytes together again, in an array of its own', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (bytes, cut) => {
        const result = await collect(toItems(cut(bytes)));
        expect(result.bytes).toEqual(bytes);
        expect(result.bytes.buffer.byteLength).toBe(bytes.length);
        expect(result.text()).toBe(new TextDecoder().decode(bytes));
      }),
    );
  });

  test('puts pieces of all sizes together over many blocks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3_000_000 }), { maxLength: 5 }), async (sizes) => {
        const pieces = sizes.flatMap((size, index) => [
          Uint8Array.of(index, 255),
          new Uint8Array(size).map((_, at) => at % 251),
        ]);
        const { bytes } = await collect(pieces);
        expect(Buffer.compare(bytes, Buffer.concat(pieces))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  test('refuses a wrong limit at the call', () => {
    for (const maxBytes of [-1, 1.5, NaN]) expect(() => collectResponse({ maxBytes })).toThrow(RangeError);
    expect(() => collectResponse({ maxBytes: Infinity })).not.toThrow();
  });

  test('unsubscribes from the source at the limit even where that is synchronous', () => {
    const source = new Subject<PayloadSource>();
    let failure: unknown;
    source.pipe(collectResponse({ maxBytes: 1 })).subscribe({ error: (error: unknown) => (failure = error) });
    source.next(chunkEvent('ab'));
    expect(failure).toBeInstanceOf(ResponseTooLargeError);
    expect(source.observed).toBe(false);
  });

  test('passes the very error of the source on', async () => {
    const lost = new Error('lost');
    await expect(lastValueFrom(throwError(() => lost).pipe(collectResponse()))).rejects.toBe(lost);
  });

  test('takes events or bytes and gives responses', () => {
    expectTypeOf(EMPTY.pipe(collectResponse())).toEqualTypeOf<Observable<CollectedResponse>>();
    expectTypeOf<CollectedResponse['json']>().returns.toBeUnknown();
    // @ts-expect-error -- text has been decoded already
    of('text').pipe(collectResponse());
  });
});

const head = events.h;
coverOperator<CollectedResponse>('collectResponse', {
  operator: () => collectResponse(),
  never: ['--------------'],
  empty: ['--(r|)', { r: response('') }],
  one: ['-----(r|)', { r: response('a', { head }) }],
  many: ['----------(r|)', { r: response('aba', { head }) }],
  error: ['------#'],
  itemsForFirst: 5,
});
