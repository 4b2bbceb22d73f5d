import fc from 'fast-check';
import { AsyncLocalStorage } from 'node:async_hooks';
import { config, EMPTY, map, NEVER, Observable, Subject, take, tap, type Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { DetachedPayloadError, ReplayLimitError } from '../../src/errors.js';
import type { LambdaStreamEvent, MessageHeaders } from '../../src/events.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { shareInvocation } from '../../src/consumers/share-invocation.js';
import { chunkEvent, retryEvent } from '../../src/testing/event-builders.js';
import { coverOperator, events, usedBytes } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';

const { h, a, b, c } = events;
const tooLate = (maxReplayBytes: number): ReplayLimitError => new ReplayLimitError({ maxReplayBytes });

/** Subscribes and keeps what comes: text joined, ends as words. */
function record(source: Observable<LambdaStreamEvent>): {
  seen: string[];
  subscription: Subscription;
  error?: unknown;
} {
  const recorder: { seen: string[]; subscription: Subscription; error?: unknown } = {
    seen: [],
    subscription: undefined as unknown as Subscription,
  };
  recorder.subscription = source.subscribe({
    next: (event) => recorder.seen.push(event.type === 'chunk' ? new TextDecoder().decode(event.payload) : event.type),
    error: (error: unknown) => {
      recorder.error = error;
      recorder.seen.push('error');
    },
    complete: () => recorder.seen.push('end'),
  });
  return recorder;
}

describe('shareInvocation', () => {
  test(
    'shares one invocation, of which a late subscriber gets everything from the start',
    marbles((m) => {
      const source = m.cold('  --h-a-------b-(c|)', { h, a, b, c });
      const subscription = '   ^-------------!';
      const first = '          --h-a-------b-(c|)';
      const late = '           ------(ha)--b-(c|)';

      const shared = source.pipe(shareInvocation());
      m.expect(shared).toBeObservable(first, { h, a, b, c });
      m.expect(shared, '------^').toBeObservable(late, { h, a, b, c });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'replays a complete response without another request, its chunks joined',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h-a-b-(c|)', events);
      const shared = source.pipe(shareInvocation());
      const x = chunkEvent('ab');
      m.expect(shared, '--------------------^').toBeObservable('--------------------h-a-b-(c|)', { h, a, b, c });
      m.expect(shared, '40ms ^').toBeObservable('40ms (hxc|)', { h, x, c });
      m.expect(shared, '50ms ^').toBeObservable('50ms (hxc|)', { h, x, c });
      m.expect(source).toHaveSubscriptions('--------------------^-----!');
    }),
  );

  test(
    'gives the error of the source to all, keeps it for none, and invokes anew for the next',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h-a-------#', events, new Error('cut'));
      const shared = source.pipe(shareInvocation());
      m.expect(shared).toBeObservable('h-a-------#', { h, a }, new Error('cut'));
      m.expect(shared, '----^').toBeObservable('----(ha)--#', { h, a }, new Error('cut'));
      m.expect(shared, '20ms ^').toBeObservable('20ms h-a-------#', { h, a }, new Error('cut'));
      m.expect(source).toHaveSubscriptions(['^---------!', '20ms ^---------!']);
    }),
  );

  test(
    'closes the connection when the last subscriber leaves, and invokes anew for the next',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h 9ms a 9ms a 9ms a 9ms a', events);
      const shared = source.pipe(shareInvocation());
      m.expect(shared, '^ 24ms !').toBeObservable('h 9ms a 9ms a', { h, a });
      m.expect(shared, '12ms ^ 19ms !').toBeObservable('12ms (ha) 4ms a 9ms a', { h, a });
      m.expect(shared, '50ms ^ 14ms !').toBeObservable('50ms h 9ms a', { h, a });
      m.expect(source).toHaveSubscriptions(['^ 31ms !', '50ms ^ 14ms !']);
    }),
  );

  test(
    'lingers after the last one has left: who comes back in time misses nothing',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h 9ms a 9ms b 9ms a 9ms b', events);
      const shared = source.pipe(shareInvocation({ lingerMs: 5 }));
      m.expect(shared, '^ 17ms !').toBeObservable('h 9ms a', { h, a });
      m.expect(shared, '22ms ^ 12ms !').toBeObservable('22ms (hx) 4ms a', { h, a, x: chunkEvent('ab') });
      // Left in frame 35, and nobody comes.
      m.expect(source).toHaveSubscriptions('^ 39ms !');
    }),
  );

  test(
    'reads on while it lingers, so that a response that becomes complete is kept',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h-a-b-(c|)', events);
      const shared = source.pipe(shareInvocation({ lingerMs: 5 }));
      m.expect(shared, '^-!').toBeObservable('h-', { h });
      m.expect(shared, '1s ^').toBeObservable('1s (hxc|)', { h, x: chunkEvent('ab'), c });
      m.expect(source).toHaveSubscriptions('^-----!');
    }),
  );

  test(
    'forgets a response that fails while it lingers',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h-a-#', events, new Error('cut'));
      const shared = source.pipe(shareInvocation({ lingerMs: 50 }));
      m.expect(shared, '^-!').toBeObservable('h-', { h });
      m.expect(shared, '10ms ^').toBeObservable('10ms h-a-#', { h, a }, new Error('cut'));
      m.expect(source).toHaveSubscriptions(['^---!', '10ms ^---!']);
    }),
  );

  test.each([
    ['an error', 'h-a-#', { replay: 'all' }],
    ['a completion that is not kept', 'h-a-(c|)', { replay: 'none' }],
  ] as const)('leaves no timer behind after %s: there is no connection to linger on', (_, diagram, options) => {
    const scheduler = new TestScheduler(() => undefined);
    scheduler.run(({ cold }) => {
      const shared = cold<LambdaStreamEvent>(diagram, events).pipe(shareInvocation({ ...options, lingerMs: 60_000 }));
      shared.subscribe({ error: () => undefined });
    });
    // Virtual time has run until nothing was scheduled any more.
    expect(scheduler.now()).toBeLessThan(60_000);
  });

  test(
    'fails a late subscriber past the limit, also after the end, and leaves the others alone',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h 9ms a 9ms b 9ms a 9ms (c|)', events);
      const shared = source.pipe(shareInvocation({ maxReplayBytes: 2 }));
      const x = chunkEvent('ab');
      m.expect(shared).toBeObservable('h 9ms a 9ms b 9ms a 9ms (c|)', { h, a, b, c });
      m.expect(shared, '22ms ^').toBeObservable('22ms (hx) 4ms a 9ms (c|)', { h, x, a, c });
      m.expect(shared, '32ms ^').toBeObservable('32ms #', {}, tooLate(2));
      m.expect(shared, '1s ^').toBeObservable('1s #', {}, tooLate(2));
      m.expect(source).toHaveSubscriptions('^ 39ms !');
    }),
  );

  test(
    'does not linger past the limit, where nobody could come back',
    marbles((m) => {
      for (const [leaves, seen, closes] of [
        // After the byte too many, which comes in frame 20: at once.
        ['^ 23ms !', 'h 9ms a 9ms b', '^ 23ms !'],
        // Before it: with that byte.
        ['^ 11ms !', 'h 9ms a', '^ 19ms !'],
      ] as const) {
        const source = m.cold<LambdaStreamEvent>('h 9ms a 9ms b 9ms a 9ms (c|)', events);
        const shared = source.pipe(shareInvocation({ maxReplayBytes: 1, lingerMs: 500 }));
        m.expect(shared, leaves).toBeObservable(seen, { h, a, b });
        m.expect(shared, '30ms ^ 4ms !').toBeObservable('30ms h', { h });
        m.expect(source).toHaveSubscriptions([closes, '30ms ^ 19ms !']);
      }
    }),
  );

  test(
    'starts the replay at a restart, and counts the limit from there',
    marbles((m) => {
      const r = retryEvent({ mode: 'restart' });
      const source = m.cold<LambdaStreamEvent>('h 9ms x 9ms r 9ms b 9ms (c|)', { ...events, x: chunkEvent('xyz'), r });
      const shared = source.pipe(shareInvocation({ maxReplayBytes: 2 }));
      m.expect(shared).toBeObservable('h 9ms x 9ms r 9ms b 9ms (c|)', { h, x: chunkEvent('xyz'), r, b, c });
      m.expect(shared, '12ms ^').toBeObservable('12ms #', {}, tooLate(2));
      m.expect(shared, '22ms ^').toBeObservable('22ms r 7ms b 9ms (c|)', { r, b, c });
      m.expect(shared, '1s ^').toBeObservable('1s (rbc|)', { r, b, c });
    }),
  );

  test(
    'keeps the other retries, and joins no chunks across them',
    marbles((m) => {
      const r = retryEvent({ mode: 'continue' });
      const source = m.cold<LambdaStreamEvent>('haar(aab)(c|)', { ...events, r });
      const shared = source.pipe(shareInvocation());
      m.expect(shared).toBeObservable('haar(aab)(c|)', { h, a, b, r, c });
      const values = { h, r, c, x: chunkEvent('aa'), y: chunkEvent('aab') };
      m.expect(shared, '1s ^').toBeObservable('1s (hxryc|)', values);
    }),
  );

  test(
    'with replay none hands on what comes, holds nothing, and invokes anew after the end',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('h-a-b-(c|)', events);
      const shared = source.pipe(shareInvocation({ replay: 'none', maxReplayBytes: 0 }));
      m.expect(shared).toBeObservable('h-a-b-(c|)', { h, a, b, c });
      m.expect(shared, '---^').toBeObservable('----b-(c|)', { b, c });
      m.expect(shared, '20ms ^').toBeObservable('20ms h-a-b-(c|)', { h, a, b, c });
      m.expect(source).toHaveSubscriptions(['^-----!', '20ms ^-----!']);
    }),
  );

  test(
    'invokes only once for subscribers of a source that answers synchronously',
    marbles((m) => {
      let invocations = 0;
      const shared = new Observable<LambdaStreamEvent>((subscriber) => {
        invocations++;
        for (const event of [h, a, c]) subscriber.next(event);
        subscriber.complete();
      }).pipe(shareInvocation());
      m.expect(shared).toBeObservable('(hac|)', { h, a, c });
      m.expect(shared).toBeObservable('(hac|)', { h, a, c });
      m.flush();
      expect(invocations).toBe(1);
    }),
  );

  describe('when a consumer acts from within next', () => {
    test('tells a consumer that it subscribes everything once', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const inner: ReturnType<typeof record>[] = [];
      const outer = record(shared.pipe(tap((event) => event === a && inner.push(record(shared)))));
      const last = record(shared);
      for (const event of [h, a, b, a, c]) source.next(event);
      source.complete();
      expect(outer.seen).toEqual(['head', 'a', 'b', 'a', 'complete', 'end']);
      expect(last.seen).toEqual(outer.seen);
      expect(inner.map(({ seen }) => seen)).toEqual([
        ['head', 'a', 'b', 'a', 'complete', 'end'],
        ['head', 'aba', 'complete', 'end'],
      ]);
    });

    test('keeps the order for the other consumers when the consumer brings the next event', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const first = record(shared.pipe(tap((event) => event === a && source.next(b))));
      const second = record(shared);
      source.next(h);
      source.next(a);
      expect(first.seen).toEqual(['head', 'a', 'b']);
      expect(second.seen).toEqual(['head', 'a', 'b']);
    });

    test('keeps the end behind the events when the consumer brings both', () => {
      for (const failure of [undefined, new Error('cut')]) {
        const source = new Subject<LambdaStreamEvent>();
        const shared = source.pipe(shareInvocation());
        const end = (): void => {
          source.next(b);
          if (failure) source.error(failure);
          else source.complete();
        };
        const first = record(shared.pipe(tap((event) => event === a && end())));
        const second = record(shared);
        source.next(a);
        expect(first.seen).toEqual(['a', 'b', failure ? 'error' : 'end']);
        expect(second.seen).toEqual(first.seen);
        expect(second.error).toBe(failure);
      }
    });

    test('tells a late consumer the past first, when its replay brings the next event', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const first = record(shared);
      source.next(h);
      source.next(a);
      const late = record(shared.pipe(tap((event) => event.type === 'head' && source.next(b))));
      expect(late.seen).toEqual(['head', 'a', 'b']);
      expect(first.seen).toEqual(['head', 'a', 'b']);
    });

    test('stops telling a consumer that leaves, another one that it unsubscribes, and a late one in its replay', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const others: Subscription[] = [];
      const first = record(
        shared.pipe(
          tap((event) => {
            if (event === a) for (const other of others) other.unsubscribe();
          }),
        ),
      );
      const second = record(shared);
      others.push(second.subscription);
      source.next(h);
      source.next(a);
      const late = record(shared.pipe(take(1)));
      source.next(b);
      expect(first.seen).toEqual(['head', 'a', 'b']);
      expect(second.seen).toEqual(['head']);
      expect(late.seen).toEqual(['head', 'end']);
      first.subscription.unsubscribe();
      expect(source.observed).toBe(false);
    });

    test('closes the connection when all leave from within one event', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const first = record(shared.pipe(take(1)));
      const second = record(shared.pipe(take(1)));
      source.next(h);
      expect(source.observed).toBe(false);
      expect([first.seen, second.seen]).toEqual([
        ['head', 'end'],
        ['head', 'end'],
      ]);
    });

    test('tells every consumer the same text in any order of joining, leaving and acting', () => {
      const action = fc.oneof(
        fc.constant({ kind: 'emit' as const }),
        fc.constant({ kind: 'join' as const }),
        fc.record({ kind: fc.constant('leave' as const), who: fc.nat(9) }),
        fc.record({ kind: fc.constant('emit within' as const), who: fc.nat(9) }),
        fc.record({ kind: fc.constant('join within' as const), who: fc.nat(9) }),
        fc.record({ kind: fc.constant('leave within' as const), who: fc.nat(9), whom: fc.nat(9) }),
      );
      fc.assert(
        fc.property(fc.array(action, { maxLength: 40 }), fc.boolean(), (actions, completes) => {
          const source = new Subject<LambdaStreamEvent>();
          const shared = source.pipe(shareInvocation());
          let emitted = '';
          const consumers: { text: string; subscription?: Subscription; left: boolean; ended: boolean }[] = [];
          const plans = new Map<number, (() => void)[]>();

          const emit = (): void => {
            const text = String.fromCharCode(0x61 + (emitted.length % 26));
            emitted += text;
            source.next(chunkEvent(text));
          };
          const join = (): void => {
            const index = consumers.length;
            const consumer = { text: '', left: false, ended: false } as (typeof consumers)[number];
            consumers.push(consumer);
            consumer.subscription = shared.pipe(decodeText()).subscribe({
              next(text) {
                if (consumer.left) throw new Error('told after it left');
                consumer.text += text;
                plans.get(index)?.shift()?.();
              },
              complete: () => (consumer.ended = true),
            });
          };
          const leave = (index: number): void => {
            // The first one stays, so that it is one invocation.
            if (index === 0 || consumers[index]?.subscription === undefined) return;
            consumers[index].left = true;
            consumers[index].subscription.unsubscribe();
          };
          const plan = (who: number, act: () => void): void => void plans.set(who, [...(plans.get(who) ?? []), act]);

          join();
          for (const next of actions) {
            if (next.kind === 'emit') emit();
            else if (next.kind === 'join') join();
            else if (next.kind === 'leave') leave(next.who);
            else if (next.kind === 'emit within') plan(next.who, emit);
            else if (next.kind === 'join within') plan(next.who, join);
            else plan(next.who, () => leave(next.whom));
          }
          if (completes) source.complete();

          for (const { text, left, ended } of consumers) {
            if (left) expect(emitted.startsWith(text)).toBe(true);
            else expect(text).toBe(emitted);
            expect(ended).toBe(completes && !left);
          }
        }),
        { numRuns: 1_000 },
      );
    });
  });

  describe('when a consumer throws', () => {
    afterEach(() => {
      config.onUnhandledError = null;
    });

    test('reports it to the host, and tells the others everything', async () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const thrown = new Error('from a consumer');
      const reported = new Promise((resolve) => (config.onUnhandledError = resolve));
      const before = record(shared);
      shared.subscribe((event) => {
        if (event === h) throw thrown;
      });
      const after = record(shared);
      for (const event of [h, a, c]) source.next(event);
      source.complete();
      expect(await reported).toBe(thrown);
      expect(before.seen).toEqual(['head', 'a', 'complete', 'end']);
      expect(after.seen).toEqual(before.seen);
    });

    test('keeps an error of one consumer in its own pipeline', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const failing = record(
        shared.pipe(
          map((): LambdaStreamEvent => {
            throw new Error('in map');
          }),
        ),
      );
      const other = record(shared);
      for (const event of [h, a]) source.next(event);
      expect(failing.seen).toEqual(['error']);
      expect(other.seen).toEqual(['head', 'a']);
      other.subscription.unsubscribe();
      expect(source.observed).toBe(false);
    });
  });

  test('holds copies in few blocks rather than the chunks that came', async () => {
    const source = new Subject<LambdaStreamEvent>();
    const shared = source.pipe(shareInvocation());
    const first = shared.subscribe();
    const before = await usedBytes();
    // As network reads of 64 KiB, of each of which 16 bytes are payload.
    for (let i = 0; i < 1_000; i++) source.next(chunkEvent(new Uint8Array(65_536).subarray(100, 116)));
    expect((await usedBytes()) - before).toBeLessThan(4 * 1024 * 1024);
    let replayed = 0;
    let events = 0;
    shared.subscribe((event) => {
      events++;
      if (event.type === 'chunk') replayed += event.payload.length;
    });
    expect(replayed).toBe(16_000);
    expect(events).toBeLessThan(10);
    first.unsubscribe();
  });

  test('replays chunks that later ones do not change', () => {
    const source = new Subject<LambdaStreamEvent>();
    const shared = source.pipe(shareInvocation());
    record(shared);
    source.next(chunkEvent('ab'));
    let replayed = new Uint8Array(0);
    shared.pipe(take(1)).subscribe((event) => (replayed = (event as { payload: Uint8Array<ArrayBuffer> }).payload));
    source.next(chunkEvent('cd'));
    expect(new TextDecoder().decode(replayed)).toBe('ab');
  });

  test('counts unknown events towards the limit', () => {
    const source = new Subject<LambdaStreamEvent>();
    const shared = source.pipe(shareInvocation({ maxReplayBytes: 2 }));
    record(shared);
    source.next({ type: 'unknown', eventType: 'New', headers: {}, payload: new Uint8Array(3) });
    expect(record(shared).error).toBeInstanceOf(ReplayLimitError);
  });

  describe('when a consumer transfers the buffer of a chunk', () => {
    const transfer = (event: LambdaStreamEvent): void => {
      if (event.type !== 'chunk' && event.type !== 'unknown') return;
      structuredClone(event.payload, { transfer: [event.payload.buffer] });
    };
    const own = (text: string): LambdaStreamEvent => chunkEvent(new TextEncoder().encode(text));

    test('tells the consumers behind it that the bytes are gone, instead of less data', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const before = record(shared);
      const giver = record(shared.pipe(tap(transfer)));
      const behind = record(shared);
      for (const text of ['one ', 'two']) source.next(own(text));
      source.complete();
      expect(before.seen).toEqual(['one ', 'two', 'end']);
      expect(giver.seen).toEqual(['', '', 'end']);
      expect(behind.seen).toEqual(['error']);
      expect(behind.error).toBeInstanceOf(DetachedPayloadError);
    });

    test('does the same with an event of an unknown type', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      shared.subscribe(transfer);
      const behind = record(shared);
      source.next({ type: 'unknown', eventType: 'New', headers: {}, payload: new Uint8Array(3) });
      expect(behind.error).toBeInstanceOf(DetachedPayloadError);
    });

    test('keeps the whole response for those that come late, also for one behind a late one that transfers', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      shared.pipe(tap(transfer)).subscribe();
      source.next(own('one '));
      const late = record(shared.pipe(tap(transfer)));
      source.next(own('two '));
      source.complete();
      expect(late.seen.at(-1)).toBe('error');
      shared.pipe(tap(transfer)).subscribe();
      expect(record(shared).seen).toEqual(['one two ', 'end']);
    });

    test('copies an event that has to wait for a consumer that transfers it', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const next = own('b');
      const first = record(
        shared.pipe(
          tap((event) => {
            if (event.type !== 'head') return;
            source.next(next);
            transfer(next);
          }),
        ),
      );
      const second = record(shared);
      source.next(h);
      expect(first.seen).toEqual(['head', 'b']);
      expect(second.seen).toEqual(['head', 'b']);
    });

    test('fails for all where the bytes were gone before they were shared', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const first = record(shared);
      const gone = own('gone');
      transfer(gone);
      source.next(gone);
      expect(first.error).toBeInstanceOf(DetachedPayloadError);
      expect(source.observed).toBe(false);
    });
  });

  describe('counts what it holds', () => {
    const unknown = (payload: Uint8Array, headers: MessageHeaders = {}): LambdaStreamEvent => ({
      ...{ type: 'unknown', eventType: 'New', headers, payload },
    });
    /** How many of the events are held until a late subscriber is refused. */
    const heldOf = (maxReplayBytes: number, make: () => LambdaStreamEvent): number => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation({ maxReplayBytes }));
      record(shared);
      for (let held = 0; held < 10_000; held++) {
        source.next(make());
        if (record(shared.pipe(take(1))).error) return held;
      }
      return Infinity;
    };

    test('payload, headers and an overhead of each unknown event', () => {
      expect(heldOf(10_000, () => unknown(new Uint8Array(1_000)))).toBeLessThan(10);
      expect(heldOf(10_000, () => unknown(new Uint8Array(0)))).toBeLessThan(40);
      expect(heldOf(10_000, () => unknown(new Uint8Array(0), { name: 'x'.repeat(1_000) }))).toBeLessThan(6);
      expect(heldOf(10_000, () => unknown(new Uint8Array(0), { name: new Uint8Array(2_000) }))).toBeLessThan(5);
      expect(heldOf(10_000, () => retryEvent({ mode: 'continue' }))).toBeLessThan(40);
    });

    test('and holds copies of unknown events, not the network reads that they are views of', async () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const first = shared.subscribe();
      const before = await usedBytes();
      for (let i = 0; i < 500; i++) {
        const read = new Uint8Array(65_536);
        source.next(unknown(read.subarray(100, 116), { trace: read.subarray(8, 16) }));
        source.next(chunkEvent(read.subarray(200, 201)));
      }
      expect((await usedBytes()) - before).toBeLessThan(3 * 1024 * 1024);
      let replayed = 0;
      shared.subscribe(() => replayed++);
      expect(replayed).toBe(1_000);
      first.unsubscribe();
    });
  });

  test('gets through a million events that arrive from within next', () => {
    const source = new Subject<LambdaStreamEvent>();
    const shared = source.pipe(shareInvocation({ maxReplayBytes: Infinity }));
    let events = 0;
    shared.subscribe((event) => {
      events++;
      if (event === h) for (let i = 0; i < 1_000_000; i++) source.next(b);
    });
    source.next(h);
    expect(events).toBe(1_000_001);
    let replayed = 0;
    shared.subscribe((event) => (replayed += event.type === 'chunk' ? event.payload.length : 0));
    expect(replayed).toBe(1_000_000);
  });

  describe('in the async context of each consumer', () => {
    const storage = new AsyncLocalStorage<string>();
    /** Subscribes in a context, and keeps the contexts of what comes. */
    const watch = (name: string, source: Observable<unknown>): Set<string | undefined> => {
      const seen = new Set<string | undefined>();
      const note = (): void => void seen.add(storage.getStore());
      storage.run(name, () => source.subscribe({ next: note, error: note, complete: note }));
      return seen;
    };

    test.each([
      ['a completion', (source: Subject<LambdaStreamEvent>) => source.complete()],
      ['an error', (source: Subject<LambdaStreamEvent>) => source.error(new Error('cut'))],
    ])('tells live events, the replay and %s', (_, finish) => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const one = watch('one', shared);
      const two = watch('two', shared);
      storage.run('source', () => {
        source.next(h);
        source.next(a);
      });
      const late = watch('late', shared);
      storage.run('source', () => {
        source.next(b);
        finish(source);
      });
      expect([...one, ...two, ...late]).toEqual(['one', 'two', 'late']);
    });

    test('also what waited for another consumer, and what a late one settles', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const one = watch('one', shared.pipe(tap((event) => event === h && source.next(a))));
      const two = watch('two', shared);
      storage.run('source', () => source.next(h));
      const late = watch('late', shared.pipe(tap((event) => event === h && source.next(b))));
      source.complete();
      expect([...one, ...two, ...late]).toEqual(['one', 'two', 'late']);
    });

    test('leaves the context in which the source emits as it is', () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      watch('one', shared);
      storage.run('source', () => {
        source.next(h);
        expect(storage.getStore()).toBe('source');
      });
    });
  });

  test('refuses wrong options at the call', () => {
    expect(() => shareInvocation({ replay: 'some' as 'all' })).toThrow(TypeError);
    for (const wrong of [-1, NaN]) {
      expect(() => shareInvocation({ maxReplayBytes: wrong })).toThrow(RangeError);
      expect(() => shareInvocation({ lingerMs: wrong })).toThrow(RangeError);
    }
    // Infinity is no limit, and never a delay.
    expect(() => shareInvocation({ maxReplayBytes: Infinity })).not.toThrow();
    expect(() => shareInvocation({ lingerMs: Infinity })).toThrow(RangeError);
    // Timers would fire it at once.
    expect(() => shareInvocation({ lingerMs: 2 ** 31 })).toThrow(RangeError);
  });

  test('takes and gives events', () => {
    expectTypeOf(EMPTY.pipe(shareInvocation())).toEqualTypeOf<Observable<LambdaStreamEvent>>();
    // @ts-expect-error -- plain bytes are shared by the share of RxJS
    (NEVER as Observable<Uint8Array>).pipe(shareInvocation());
  });
});

for (const options of [{}, { replay: 'none' }, { lingerMs: 0, maxReplayBytes: 0 }] as const) {
  coverOperator<LambdaStreamEvent>(`shareInvocation(${JSON.stringify(options)})`, {
    operator: () => shareInvocation(options),
    never: ['--------------'],
    empty: ['--|'],
    one: ['-h-a-(c|)', { h, a, c }],
    many: ['-h-ab--a--(c|)', { h, a, b, c }],
    error: ['-h-a--#', { h, a }],
    itemsForFirst: 1,
  });
}
