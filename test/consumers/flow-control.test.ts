import fc from 'fast-check';
import {
  defer,
  EMPTY,
  from,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  throwError,
  timer,
  toArray,
  lastValueFrom,
} from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createFlowControl, type FlowControl } from '../../src/consumers/flow-control.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import { coverOperator, events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';

const states = { f: false, t: true };

/** What `paused` says now. */
function isPaused(flow: FlowControl): boolean {
  let state: boolean | undefined;
  flow.paused.pipe(take(1)).subscribe((paused) => (state = paused));
  if (state === undefined) throw new Error('paused emitted nothing at the subscription');
  return state;
}

/** A source that can be paused, such as a response is: emits whatever it may, synchronously. */
function pausable(values: number, paused: Observable<boolean>): { source: Observable<number>; emitted: () => number } {
  let emitted = 0;
  const source = new Observable<number>((subscriber) => {
    subscriber.add(
      paused.subscribe((pause) => {
        stopped = pause;
        if (!pause) pump();
      }),
    );
    function pump(): void {
      while (!stopped && emitted < values && !subscriber.closed) subscriber.next(emitted++);
      if (emitted === values) subscriber.complete();
    }
  });
  let stopped = true;
  return { source, emitted: () => emitted };
}

describe('createFlowControl', () => {
  test(
    'pauses at the high water mark and goes on at half of it, results in order',
    marbles((m) => {
      const flow = createFlowControl({ highWaterMark: 2 });
      const source = m.cold('  abcd---------|');
      const subscription = '   ^------------!';
      const result = '         ---a--b--c--d|';
      const paused = '         ft-------f----';

      const work = (value: string): Observable<string> => timer(3).pipe(map(() => value));
      m.expect(flow.paused).toBeObservable(paused, states);
      m.expect(source.pipe(flow.mergeMap(work, 1))).toBeObservable(result);
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'starts as many at a time as concurrency says, and all of them unless told',
    marbles((m) => {
      const work = (value: string): Observable<string> => timer(10).pipe(map(() => value));
      const flow = createFlowControl({ highWaterMark: 100 });
      m.expect(m.cold('(abc|)').pipe(flow.mergeMap(work, 2))).toBeObservable('10ms (ab) 6ms (c|)');
      m.expect(m.cold('(abc|)').pipe(flow.mergeMap(work))).toBeObservable('10ms (abc|)');
    }),
  );

  test(
    'pauses at 16 values unless told otherwise',
    marbles((m) => {
      const flow = createFlowControl();
      const source = m.cold('abcdefghijklmnopq');
      m.expect(flow.paused).toBeObservable('f--------------t', states);
      m.expect(source.pipe(flow.mergeMap(() => NEVER))).toBeObservable('-');
    }),
  );

  test(
    'tells who asks late what holds now, and tells nobody the same twice',
    marbles((m) => {
      const flow = createFlowControl({ highWaterMark: 4 });
      const work = (): Observable<never> => timer(6).pipe(mergeMap(() => EMPTY));
      m.expect(m.cold('aaaaa----------|').pipe(flow.mergeMap(work))).toBeObservable('---------------|');
      // Three of five have completed in frame 8.
      m.expect(flow.paused).toBeObservable('f--t----f', states);
      m.expect(flow.paused, '-----^').toBeObservable('-----t--f', states);
      m.expect(flow.paused, '----------^').toBeObservable('----------f', states);
    }),
  );

  test(
    'ends the pause when the work fails, when project throws, and when the source fails',
    marbles((m) => {
      const failure = new Error('full');
      const failing: ((value: string) => Observable<string>)[] = [
        (value) => (value === 'b' ? throwError(() => failure) : NEVER),
        (value) => {
          if (value === 'b') throw failure;
          return NEVER;
        },
      ];
      for (const work of failing) {
        const flow = createFlowControl({ highWaterMark: 1 });
        const source = m.cold('a----b----c');
        m.expect(flow.paused).toBeObservable('(ft)-f', states);
        m.expect(source.pipe(flow.mergeMap(work))).toBeObservable('-----#', {}, failure);
        m.expect(source).toHaveSubscriptions('^----!');
      }
      const flow = createFlowControl({ highWaterMark: 1 });
      m.expect(flow.paused).toBeObservable('(ft)-f', states);
      m.expect(m.cold('a----#', {}, failure).pipe(flow.mergeMap(() => NEVER, 1))).toBeObservable('-----#', {}, failure);
    }),
  );

  test(
    'cancels all work, drops what waits, and ends the pause when it is unsubscribed from',
    marbles((m) => {
      const flow = createFlowControl({ highWaterMark: 2 });
      const source = m.cold('abcd-----------|');
      const work = m.cold('---------------|');
      m.expect(flow.paused).toBeObservable('ft------f', states);
      m.expect(source.pipe(flow.mergeMap(() => work, 1)), '^-------!').toBeObservable('-');
      m.expect(source).toHaveSubscriptions('^-------!');
      m.expect(work).toHaveSubscriptions('^-------!');
    }),
  );

  test(
    'counts several branches together',
    marbles((m) => {
      const flow = createFlowControl({ highWaterMark: 4 });
      const work = (ms: number) => (): Observable<never> => timer(ms).pipe(mergeMap(() => EMPTY));
      const source = m.hot('ab----------|');
      m.expect(flow.paused).toBeObservable('ft---f', states);
      m.expect(source.pipe(flow.mergeMap(work(5)))).toBeObservable('------------|');
      m.expect(source.pipe(flow.mergeMap(work(4)))).toBeObservable('------------|');
    }),
  );

  test('takes a promise for work, and knows its index', async () => {
    const flow = createFlowControl({ highWaterMark: 1 });
    const work = flow.mergeMap((value: string, index) => Promise.resolve(`${value}${index}`), 1);
    expect(await lastValueFrom(of('a', 'b', 'c').pipe(work, toArray()))).toEqual(['a0', 'b1', 'c2']);
    expect(isPaused(flow)).toBe(false);
  });

  test('starts no work for what waits after it was unsubscribed from within a result', () => {
    const flow = createFlowControl({ highWaterMark: 2 });
    const started: number[] = [];
    const work = flow.mergeMap((value: number) => {
      started.push(value);
      return of(value);
    }, 1);
    range(0, 100).pipe(work, take(3)).subscribe();
    expect(started).toEqual([0, 1, 2]);
    expect(isPaused(flow)).toBe(false);
  });

  test('tells all subscribers the present state when the end of a pause begins the next one', () => {
    const flow = createFlowControl({ highWaterMark: 2 });
    const finish: Subject<void>[] = [];
    const { source, emitted } = pausable(10, flow.paused);
    const before: boolean[] = [];
    const after: boolean[] = [];
    flow.paused.subscribe((paused) => before.push(paused));
    source
      .pipe(
        flow.mergeMap(() => {
          const done = new Subject<void>();
          finish.push(done);
          return done;
        }),
      )
      .subscribe();
    flow.paused.subscribe((paused) => after.push(paused));
    expect([emitted(), before.at(-1), after.at(-1)]).toEqual([2, true, true]);
    finish[0]!.complete();
    expect([emitted(), before.at(-1), after.at(-1)]).toEqual([3, true, true]);
    for (const done of finish) done.complete();
    expect([emitted(), before.at(-1), after.at(-1)]).toEqual([10, false, false]);
  });

  test('bounds what is in work and waiting, loses nothing, and keeps the order at concurrency 1', () => {
    fc.assert(
      fc.property(
        fc.record({
          highWaterMark: fc.integer({ min: 1, max: 8 }),
          concurrency: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Infinity)),
          values: fc.nat(40),
          picks: fc.array(fc.nat(), { maxLength: 60 }),
          end: fc.constantFrom('complete', 'unsubscribe', 'fail'),
        }),
        ({ highWaterMark, concurrency, values, picks, end }) => {
          const flow = createFlowControl({ highWaterMark });
          const { source, emitted } = pausable(values, flow.paused);
          const active: { value: number; succeed: () => void; fail: () => void }[] = [];
          const results: number[] = [];
          let ending: unknown;
          const subscription = source
            .pipe(
              flow.mergeMap(
                (value) =>
                  new Observable<number>((subscriber) => {
                    const job = {
                      value,
                      succeed: () => {
                        subscriber.next(value);
                        subscriber.complete();
                      },
                      fail: () => subscriber.error('failed'),
                    };
                    active.push(job);
                    return () => void active.splice(active.indexOf(job), 1);
                  }),
                concurrency,
              ),
            )
            .subscribe({
              next: (value) => results.push(value),
              error: (error: unknown) => (ending = error),
              complete: () => (ending = 'completed'),
            });

          const check = (): void => {
            expect(active.length).toBeLessThanOrEqual(concurrency);
            const load = emitted() - results.length;
            expect(load).toBeLessThanOrEqual(highWaterMark);
            if (load >= highWaterMark) expect(isPaused(flow)).toBe(true);
            if (load <= Math.floor(highWaterMark / 2)) expect(isPaused(flow)).toBe(false);
          };
          check();
          for (const pick of picks) {
            if (active.length === 0) break;
            active[pick % active.length]!.succeed();
            check();
          }
          if (end === 'complete') {
            while (active.length > 0) {
              active[0]!.succeed();
              check();
            }
            expect([...results].sort((a, b) => a - b)).toEqual(Array.from({ length: values }, (_, index) => index));
            expect(ending).toBe('completed');
          } else if (end === 'fail' && active.length > 0) {
            active[0]!.fail();
            expect(ending).toBe('failed');
          } else {
            subscription.unsubscribe();
          }
          if (concurrency === 1) expect(results).toEqual([...results].sort((a, b) => a - b));
          expect(active).toEqual([]);
          expect(isPaused(flow)).toBe(false);

          // Nothing of it counts for what comes after it.
          const next = pausable(100, flow.paused);
          next.source.pipe(flow.mergeMap(() => NEVER)).subscribe();
          expect(next.emitted()).toBe(highWaterMark);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('counts each subscription from 0', () => {
    const flow = createFlowControl({ highWaterMark: 2 });
    const work = of('a', 'b', 'c').pipe(flow.mergeMap((value) => defer(() => from([value, value]))));
    for (let i = 0; i < 2; i++) {
      const received: string[] = [];
      work.subscribe((value) => received.push(value));
      expect(received.join('')).toBe('aabbcc');
      expect(isPaused(flow)).toBe(false);
    }
  });

  test('refuses wrong options at the call', () => {
    for (const highWaterMark of [0, -1, 1.5, NaN]) {
      expect(() => createFlowControl({ highWaterMark })).toThrow(RangeError);
    }
    expect(() => createFlowControl({ highWaterMark: Infinity })).not.toThrow();
    for (const concurrency of [0, -1, NaN]) {
      expect(() => createFlowControl().mergeMap(() => EMPTY, concurrency)).toThrow(RangeError);
    }
  });

  test('types what the work emits', () => {
    const flow = createFlowControl();
    expectTypeOf(flow.paused).toEqualTypeOf<Observable<boolean>>();
    expectTypeOf(of('a').pipe(flow.mergeMap((value) => Promise.resolve(value.length)))).toEqualTypeOf<
      Observable<number>
    >();
    // @ts-expect-error -- nothing but what RxJS can subscribe to is work
    flow.mergeMap((value: string) => value.length);
  });
});

const { h, a, b, c } = events;
coverOperator<LambdaStreamEvent>('flow.mergeMap', {
  operator: () => createFlowControl({ highWaterMark: 1 }).mergeMap((event) => of(event), 1),
  never: ['--------------'],
  empty: ['--|'],
  one: ['-h-a-(c|)', { h, a, c }],
  many: ['-h-ab--a--(c|)', { h, a, b, c }],
  error: ['-h-a--#', { h, a }],
  itemsForFirst: 1,
});
