import fc from 'fast-check';
import {
  asyncScheduler,
  EMPTY,
  from,
  interval,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  Subject,
  take,
  tap,
  toArray,
} from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { ResponseTooLargeError } from '../../src/errors.js';
import { decodeHttpResponse } from '../../src/decoding/decode-http-response.js';
import type { PayloadSource } from '../../src/shared/payload.js';
import type { Snapshot, SnapshotStatus } from '../../src/consumers/snapshot-state.js';
import type { RetryEvent } from '../../src/events.js';
import { toSnapshots } from '../../src/consumers/to-snapshots.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { coverOperator, events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { cuts, payloads, toItems } from '../support/payload-arbitraries.js';

const euro = new TextEncoder().encode('€');

const snapshot = (status: Snapshot['status'], text = '', fields: object = {}): Snapshot =>
  ({ status, text, bytes: text.length, chunks: text.length, ...fields }) as Snapshot;

describe('toSnapshots', () => {
  test(
    'emits at the subscription, then at most once per interval, and the last one immediately',
    marbles((m) => {
      const values = {
        h: headEvent(),
        a: chunkEvent('a'),
        b: chunkEvent('b'),
        c: chunkEvent('c'),
        d: chunkEvent('d'),
        e: completeEvent(),
      };
      const source = m.cold('  h-a-b-c----------------d--(e|)', values);
      const subscription = '   ^-------------------------!';
      const result = '         s---------t------------u--(v|)';

      const head = values.h;
      m.expect(source.pipe(toSnapshots({ intervalMs: 10 }))).toBeObservable(result, {
        s: snapshot('connecting'),
        t: snapshot('streaming', 'abc', { head }),
        u: snapshot('streaming', 'abcd', { head }),
        v: snapshot('complete', 'abcd', { head, complete: values.e }),
      });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'makes an error a state, with the text so far, and completes',
    marbles((m) => {
      const cut = new Error('cut');
      const source = m.cold<LambdaStreamEvent>('--h-a-#', events, cut);
      const head = events.h;
      m.expect(source.pipe(toSnapshots({ intervalMs: 1 }))).toBeObservable('s-t-u-(v|)', {
        s: snapshot('connecting'),
        t: snapshot('streaming', '', { head }),
        u: snapshot('streaming', 'a', { head }),
        v: snapshot('failed', 'a', { head, error: cut }),
      });
    }),
  );

  test(
    'shows a failure before anything came, within the first interval too',
    marbles((m) => {
      const refused = new Error('refused');
      const source = m.cold<LambdaStreamEvent>('--#', {}, refused);
      m.expect(source.pipe(toSnapshots())).toBeObservable('s-(v|)', {
        s: snapshot('connecting'),
        v: snapshot('failed', '', { error: refused }),
      });
    }),
  );

  test(
    'shows retries: restart empties the text, the other modes keep it',
    marbles((m) => {
      for (const mode of ['fresh', 'restart', 'replay', 'continue'] as const) {
        const retry = retryEvent({ mode, delayMs: 5 });
        const second = headEvent({ requestId: 'second' });
        const values = { h: headEvent(), a: chunkEvent('a'), r: retry, i: second, b: chunkEvent('b') };
        const source = m.cold<LambdaStreamEvent>('h--a--r----i--b--|', values);
        const kept = mode === 'restart' ? '' : 'a';
        m.expect(source.pipe(toSnapshots({ intervalMs: 2 }))).toBeObservable('s-t-u-v----w--x--(y|)', {
          s: snapshot('connecting'),
          t: snapshot('streaming', '', { head: values.h }),
          u: snapshot('streaming', 'a', { head: values.h }),
          v: snapshot('retrying', kept, { retry }),
          w: snapshot('streaming', kept, { head: second }),
          x: snapshot('streaming', `${kept}b`, { head: second }),
          y: snapshot('complete', `${kept}b`, { head: second }),
        });
      }
    }),
  );

  test(
    'shows a character that was cut when it is whole, and drops its beginning with a restart or continue',
    marbles((m) => {
      const values = {
        a: chunkEvent(euro.slice(0, 1)),
        b: chunkEvent(euro.slice(1)),
        r: retryEvent({ mode: 'restart' }),
        c: retryEvent({ mode: 'continue' }),
        p: retryEvent({ mode: 'replay' }),
        e: euro,
      };
      const textOf = (diagram: string): Observable<string> =>
        m.cold<PayloadSource>(diagram, values).pipe(
          toSnapshots({ intervalMs: 0 }),
          map(({ text }) => text || '0'),
        );
      const texts = { s: '0', e: '€', u: '\ufffd' };
      m.expect(textOf('--a--b--|')).toBeObservable('s-s--e--(e|)', texts);
      m.expect(textOf('--a--r--e--|')).toBeObservable('s-s--s--e--(e|)', texts);
      m.expect(textOf('--a--c--e--|')).toBeObservable('s-s--s--e--(e|)', texts);
      m.expect(textOf('--a--p--b--|')).toBeObservable('s-s--s--e--(e|)', texts);
      m.expect(textOf('--a--|')).toBeObservable('s-s--(u|)', texts);
    }),
  );

  test(
    'emits at most once per interval for 10,000 chunks in a second, and everything at the end',
    marbles((m) => {
      const seen: { snapshot: Snapshot; frame: number }[] = [];
      interval(1)
        .pipe(
          take(1_000),
          mergeMap(() => Array.from({ length: 10 }, () => chunkEvent('x'))),
          toSnapshots(),
        )
        .subscribe((snapshot) => seen.push({ snapshot, frame: asyncScheduler.now() }));
      m.flush();

      const frames = seen.map(({ frame }) => frame);
      // Every 16 ms of 1,000, the first at 0, and the last one.
      expect(frames).toEqual([...Array.from({ length: 63 }, (_, index) => index * 16), 1_000]);
      const counts = seen.map(({ snapshot: { bytes } }) => bytes);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      expect(seen.at(-1)!.snapshot).toStrictEqual(snapshot('complete', 'x'.repeat(10_000)));
    }),
  );

  test(
    'emits nothing while nothing changes, and leaves no timer behind',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h 1s a 1s |', events);
      const head = events.h;
      m.expect(source.pipe(toSnapshots())).toBeObservable('s 15ms t 984ms u 1000ms (v|)', {
        s: snapshot('connecting'),
        t: snapshot('streaming', '', { head }),
        u: snapshot('streaming', 'a', { head }),
        v: snapshot('complete', 'a', { head }),
      });
      m.flush();
      expect(m.scheduler.actions).toEqual([]);
    }),
  );

  test(
    'shows the complete event with the last snapshot only, and unknown events never',
    marbles((m) => {
      const unknown = { type: 'unknown' as const, eventType: 'New', headers: {}, payload: new Uint8Array(1) };
      const source = m.cold<LambdaStreamEvent>('h--u--c--|', { ...events, u: unknown });
      const head = events.h;
      m.expect(source.pipe(toSnapshots({ intervalMs: 1 }))).toBeObservable('st-------(v|)', {
        s: snapshot('connecting'),
        t: snapshot('streaming', '', { head }),
        v: snapshot('complete', '', { head, complete: events.c }),
      });
    }),
  );

  test('emits its first snapshot synchronously, and does not subscribe where the consumer leaves then', () => {
    let subscribed = 0;
    const source = new Observable<LambdaStreamEvent>(() => {
      subscribed++;
    });
    const received: Snapshot[] = [];
    source.pipe(toSnapshots(), take(1)).subscribe((value) => received.push(value));
    expect(received).toStrictEqual([snapshot('connecting')]);
    expect(subscribed).toBe(0);
  });

  test('gives immutable snapshots, a new one each time', async () => {
    const snapshots = await lastValueFrom(of(events.h, events.a, events.c).pipe(toSnapshots(), toArray()));
    expect(snapshots.map(({ status }) => status)).toEqual(['connecting', 'complete']);
    for (const one of snapshots) expect(Object.isFrozen(one)).toBe(true);
    expect(snapshots[0]).not.toBe(snapshots[1]);
  });

  test('tells the HTTP head, and an error code where failures are events', async () => {
    const complete = completeEvent({ errorCode: 'Unhandled', logTail: 'REPORT' });
    const items = [events.h, chunkEvent(`{"statusCode":201}${'\0'.repeat(8)}a`), complete];
    const last = await lastValueFrom(from(items).pipe(decodeHttpResponse(), toSnapshots()));
    const httpHead = { type: 'http-head' as const, statusCode: 201, headers: {}, cookies: [] };
    expect(last).toStrictEqual(snapshot('complete', 'a', { head: events.h, httpHead, complete }));
  });

  test('keeps the HTTP head over a replay only, which does not bring it again', async () => {
    const httpHead = { type: 'http-head' as const, statusCode: 201, headers: {}, cookies: [] };
    for (const mode of ['fresh', 'restart', 'replay', 'continue'] as const) {
      const last = await lastValueFrom(of(httpHead, events.a, retryEvent({ mode }), events.b).pipe(toSnapshots()));
      expect('httpHead' in last, mode).toBe(mode === 'replay');
    }
  });

  test('sees a change that its consumer causes from within a snapshot', () => {
    const source = new Subject<LambdaStreamEvent>();
    const statuses: string[] = [];
    source.pipe(toSnapshots()).subscribe(({ status, text }) => {
      statuses.push(`${status} ${text}`);
      if (status === 'connecting') queueMicrotask(() => source.next(events.a));
    });
    source.next(events.a);
    source.next(events.b);
    source.complete();
    expect(statuses).toEqual(['connecting ', 'complete ab']);
  });

  test(
    'counts a change that its consumer causes synchronously towards the next interval',
    marbles((m) => {
      const more = new Subject<LambdaStreamEvent>();
      const snapshots = merge(m.cold<LambdaStreamEvent>('-----h', events), more).pipe(
        toSnapshots({ intervalMs: 3 }),
        tap(({ status, chunks }) => {
          if (status === 'streaming' && chunks < 2) more.next(events.a);
        }),
      );
      m.expect(snapshots, '^-------------!').toBeObservable('s----t--u--v---', {
        s: snapshot('connecting'),
        t: snapshot('streaming', '', { head: events.h }),
        u: snapshot('streaming', 'a', { head: events.h }),
        v: snapshot('streaming', 'aa', { head: events.h }),
      });
    }),
  );

  test('ends with the text, bytes and chunks of any cut of any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, cuts, async (bytes, cut) => {
        const chunks = cut(bytes);
        expect(await lastValueFrom(from(toItems(chunks)).pipe(toSnapshots()))).toStrictEqual({
          status: 'complete',
          text: new TextDecoder().decode(bytes),
          bytes: bytes.length,
          chunks: chunks.length,
        });
      }),
    );
  });

  test(
    'shows a payload over maxBytes as failed, with the text up to it, and unsubscribes from the source',
    marbles((m) => {
      const values = { h: events.h, a: chunkEvent('aa'), b: chunkEvent('bb'), c: chunkEvent('c') };
      const source = m.cold<LambdaStreamEvent>('--h--a--b--c--a', values);
      const { h: head } = events;
      const error = new ResponseTooLargeError('The response is larger than the maxBytes of toSnapshots', {
        maxBytes: 4,
      });
      m.expect(source.pipe(toSnapshots({ intervalMs: 1, maxBytes: 4 }))).toBeObservable('s-t--u--v--(w|)', {
        s: snapshot('connecting'),
        t: snapshot('streaming', '', { head }),
        u: snapshot('streaming', 'aa', { head, chunks: 1 }),
        v: snapshot('streaming', 'aabb', { head, chunks: 2 }),
        w: snapshot('failed', 'aabb', { head, chunks: 2, error }),
      });
      m.expect(source).toHaveSubscriptions('^----------!');
    }),
  );

  test('counts towards maxBytes what it holds: a restart empties it, the other retries do not', async () => {
    for (const mode of ['fresh', 'restart', 'replay', 'continue'] as const) {
      const items = [chunkEvent('aaa'), retryEvent({ mode }), chunkEvent('bbb')];
      const last = await lastValueFrom(from(items).pipe(toSnapshots({ maxBytes: 4 })));
      expect([mode, last.status, last.text]).toEqual([
        mode,
        ...(mode === 'restart' ? ['complete', 'bbb'] : ['failed', 'aaa']),
      ]);
    }
  });

  test('holds the text of 16 MiB and not a byte more unless told otherwise', async () => {
    const payload = new Uint8Array(16 * 1024 * 1024).fill(0x78);
    const whole = await lastValueFrom(of(payload).pipe(toSnapshots()));
    expect([whole.status, whole.bytes]).toEqual(['complete', payload.length]);
    const over = await lastValueFrom(of(payload, payload.subarray(0, 1)).pipe(toSnapshots()));
    expect([over.status, over.bytes]).toEqual(['failed', payload.length]);
    const unlimited = of(payload, payload.subarray(0, 1)).pipe(toSnapshots({ maxBytes: Infinity }));
    expect((await lastValueFrom(unlimited)).status).toBe('complete');
  });

  test('refuses a wrong interval at the call', () => {
    for (const intervalMs of [-1, NaN, Infinity, 2 ** 31])
      expect(() => toSnapshots({ intervalMs })).toThrow(RangeError);
  });

  test('takes events or bytes and gives snapshots', () => {
    expectTypeOf(EMPTY.pipe(toSnapshots())).toEqualTypeOf<Observable<Snapshot>>();
    const snapshot = { status: 'retrying' } as Snapshot;
    if (snapshot.status === 'retrying') expectTypeOf(snapshot.retry).toEqualTypeOf<RetryEvent>();
    if (snapshot.status === 'failed') expectTypeOf(snapshot.error).toBeUnknown();
    // @ts-expect-error -- only a failed snapshot has an error
    expect(snapshot.error).toBeUndefined();
    expectTypeOf<Snapshot['status']>().toEqualTypeOf<SnapshotStatus>();
    // @ts-expect-error -- text has been decoded already
    of('text').pipe(toSnapshots());
  });
});

const { h: head, c: complete } = events;
coverOperator<Snapshot>('toSnapshots', {
  operator: () => toSnapshots({ intervalMs: 4 }),
  never: ['s', { s: snapshot('connecting') }],
  empty: ['s-(e|)', { s: snapshot('connecting'), e: snapshot('complete') }],
  one: [
    's---t(u|)',
    {
      s: snapshot('connecting'),
      t: snapshot('streaming', 'a', { head }),
      u: snapshot('complete', 'a', { head, complete }),
    },
  ],
  many: [
    's---t---u-(v|)',
    {
      s: snapshot('connecting'),
      t: snapshot('streaming', 'a', { head }),
      u: snapshot('streaming', 'aba', { head }),
      v: snapshot('complete', 'aba', { head, complete }),
    },
  ],
  error: [
    's---t-(u|)',
    {
      s: snapshot('connecting'),
      t: snapshot('streaming', 'a', { head }),
      u: snapshot('failed', 'a', { head, error: 'error' }),
    },
  ],
  itemsForFirst: 0,
});
