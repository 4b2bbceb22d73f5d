import { Observable, Subject, take, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { marbles } from './marbles.js';

/** The events of all diagrams below. */
export const events = {
  h: headEvent({ requestId: 'r-1' }),
  a: chunkEvent('a'),
  b: chunkEvent('b'),
  c: completeEvent(),
};

/** What an operator makes of a source: the result's marbles, and its values by letter. */
type Expected<T> = readonly [marbles: string, values?: Readonly<Record<string, T>>];

export interface Coverage<T> {
  readonly operator: () => OperatorFunction<LambdaStreamEvent, T>;
  /** What it makes of `'----'`. */
  readonly never: Expected<T>;
  /** What it makes of `'--|'`. */
  readonly empty: Expected<T>;
  /** What it makes of `'-h-a-(c|)'`. */
  readonly one: Expected<T>;
  /** What it makes of `'-h-ab--a--(c|)'`; no group before frame 8. */
  readonly many: Expected<T>;
  /** What it makes of `'-h-a--#'`. */
  readonly error: Expected<T>;
  /** How many of a synchronous source's events it takes until `take(1)` is content. */
  readonly itemsForFirst: number;
}

/** What holds for every operator of this package, whatever it does. */
export function coverOperator<T>(name: string, coverage: Coverage<T>): void {
  const { operator } = coverage;

  describe(`${name}, as every operator,`, () => {
    const sources = {
      never: ['--------------', '^'],
      empty: ['--|', '^-!'],
      one: ['-h-a-(c|)', '^----!'],
      many: ['-h-ab--a--(c|)', '^---------!'],
      error: ['-h-a--#', '^-----!'],
    } as const;

    for (const kind of ['never', 'empty', 'one', 'many', 'error'] as const) {
      test(
        `does what it says with a source of kind: ${kind}`,
        marbles((m) => {
          const source = m.cold<LambdaStreamEvent>(sources[kind][0], events);
          const [result, values] = coverage[kind];
          m.expect(source.pipe(operator())).toBeObservable(result, values);
          m.expect(source).toHaveSubscriptions(sources[kind][1]);
        }),
      );
    }

    test(
      'unsubscribes from the source in the frame in which it is unsubscribed from, whatever the stage',
      marbles((m) => {
        for (const frame of [1, 2, 3, 4, 6, 8]) {
          const source = m.cold<LambdaStreamEvent>('-h-ab--a--(c|)', events);
          const until = `^${'-'.repeat(frame - 1)}!`;
          m.expect(source.pipe(operator()), until).toBeObservable(coverage.many[0].slice(0, frame), coverage.many[1]);
          m.expect(source).toHaveSubscriptions(until);
        }
      }),
    );

    test(
      'keeps two subscriptions apart',
      marbles((m) => {
        const source = m.cold<LambdaStreamEvent>('-h-ab--a--(c|)', events);
        const [result, values] = coverage.many;
        const first = source.pipe(operator());
        const second = source.pipe(operator());
        m.expect(first).toBeObservable(result, values);
        m.expect(second).toBeObservable(result, values);
        m.expect(source).toHaveSubscriptions(['^---------!', '^---------!']);
      }),
    );

    test('stops a synchronous source as soon as nobody listens any more', () => {
      let taken = 0;
      let open = 0;
      const source = new Observable<LambdaStreamEvent>((subscriber) => {
        open++;
        subscriber.add(() => open--);
        for (const event of [events.h, events.a, events.b, events.c, events.a]) {
          if (subscriber.closed) break;
          taken++;
          subscriber.next(event);
        }
        subscriber.complete();
      });
      const received: T[] = [];
      source.pipe(operator(), take(1)).subscribe((value) => received.push(value));
      expect(received).toHaveLength(1);
      expect(taken).toBe(coverage.itemsForFirst);
      expect(open).toBe(0);
    });

    test('holds nothing of a response after it was unsubscribed from', async () => {
      const source = new Subject<LambdaStreamEvent>();
      const result = source.pipe(operator());
      const subscription = result.subscribe();
      source.next(events.h);
      const before = await usedBytes();
      for (let i = 0; i < 16; i++) source.next(chunkEvent(new Uint8Array(mebibyte).fill(0x78)));
      subscription.unsubscribe();
      const after = await usedBytes();
      expect(source.observed).toBe(false);
      expect(after - before).toBeLessThan(4 * mebibyte);
      // Both alive until here, as an application's would be.
      expect([result, subscription.closed]).toEqual([expect.any(Observable), true]);
    });
  });
}

const mebibyte = 1024 * 1024;

/** Bytes in use after a garbage collection. */
export async function usedBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    // Array buffers are released by a task of their own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
