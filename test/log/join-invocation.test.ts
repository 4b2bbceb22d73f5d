import { BehaviorSubject, defer, EMPTY, map, Subject, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { followInvocation } from '../../src/log/follow-invocation.js';
import { joinInvocation } from '../../src/log/join-invocation.js';
import type { PositionedEvent } from '../../src/log/log-records.js';
import { stopInvocation } from '../../src/log/manage-invocation.js';
import { memoryLog } from '../../src/log/memory-log.js';
import { chunkEvent } from '../../src/testing/event-builders.js';
import { events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { createMachines } from './machines.js';
import { simulate, type Seen, type Source } from './simulate.js';

const { h, a, b, c } = events;

/** The events alone, without their positions. */
const plain = map(({ position: _, ...event }: PositionedEvent) => event);

describe('joinInvocation', () => {
  test(
    'shares one invocation among all consumers of a key, on whichever machine they are',
    marbles((m) => {
      const source = m.cold('  --h-a-----b-(c|)', { h, a, b, c });
      const subs = '           ^-----------!';
      const first = '          --h-a-----b-(c|)';
      const late = '           ------(ha)b-(c|)';

      const { machine } = createMachines();
      const join = (): Observable<unknown> => joinInvocation(machine(), 'chat:1', () => source).pipe(plain);
      m.expect(join()).toBeObservable(first, { h, a, b, c });
      m.expect(defer(join), '------^').toBeObservable(late, { h, a, b, c });
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );
});

describe('consumers that come and go', () => {
  const values = { ...events, x: chunkEvent('xyz') };

  test('keep the connection open, on whichever machine they are, until the last has been gone for lingerMs', () => {
    let played!: Source;
    simulate(({ machine, at, consume, source }) => {
      played = source('h-a-b', values);
      const [first, second] = [machine(), machine()];
      const options = { lingerMs: 100 };
      const one = consume(joinInvocation(first, 'k', played.open, options));
      at(10, () => {
        const two = consume(joinInvocation(second, 'k', played.open, options));
        at(20, () => one.subscription.unsubscribe());
        at(1_000, () => two.subscription.unsubscribe());
      });
      at(1_050, () => {
        const three = consume(joinInvocation(second, 'k', played.open, options));
        at(1_200, () => three.subscription.unsubscribe());
      });
    });
    expect(played.subscriptions).toEqual([{ subscribedFrame: 0, unsubscribedFrame: 1_300 }]);
  });

  test('that crash are noticed a lease later', () => {
    let played!: Source;
    simulate(({ machine, at, consume, source }) => {
      played = source('h-a-b', values);
      const [first, second] = [machine(), machine()];
      const one = consume(joinInvocation(first, 'k', played.open, { lingerMs: 100, leaseMs: 1_000 }));
      at(10, () => consume(followInvocation(second, 'k')));
      at(20, () => one.subscription.unsubscribe());
      at(2_000, () => second.cut());
    });
    const [{ unsubscribedFrame } = { unsubscribedFrame: 0 }] = played.subscriptions;
    expect(unsubscribedFrame).toBeGreaterThan(2_000);
    expect(unsubscribedFrame).toBeLessThanOrEqual(2_000 + 1_000 + 100 + 10);
  });

  test('invoke anew after all had left, and are told of it where they come back with a position', () => {
    const seen: Seen[] = [];
    const played: Source[] = [];
    simulate(({ machine, at, consume, source }) => {
      played.push(source('h-a', values), source('h-b-(c|)', values));
      const [log, open] = [machine(), (): ReturnType<Source['open']> => (played[opened++] as Source).open()];
      let opened = 0;
      const one = consume(joinInvocation(log, 'k', open, { lingerMs: 0 }));
      at(5, () => one.subscription.unsubscribe());
      at(10, () => seen.push(consume(joinInvocation(log, 'k', open, { after: '1-1' }))));
      at(20, () => seen.push(consume(joinInvocation(log, 'k', open))));
    });
    expect(played[0]?.subscriptions).toEqual([{ subscribedFrame: 0, unsubscribedFrame: 5 }]);
    expect(seen[0]?.error).toMatchObject({ code: 'producer-lost', reason: 'abandoned' });
    expect(seen[1]).toMatchObject({ letters: 'hbc', isComplete: true });
  });

  test('go on at every byte, during the run and after it, on any machine', () => {
    const text = 'The quick brown fox';
    const seen: { at: number; seen: Seen }[] = [];
    simulate(({ machine, at, consume, source }) => {
      const [first, second] = [machine(), machine()];
      const { open } = source('h-a-b-c-(d|)', {
        h: values.h,
        a: chunkEvent(text.slice(0, 3)),
        b: chunkEvent(text.slice(3, 4)),
        c: chunkEvent(text.slice(4, 12)),
        d: chunkEvent(text.slice(12)),
      });
      consume(joinInvocation(first, 'k', open));
      for (const [frame, given] of [
        [1, 0],
        [3, 3],
        [5, 4],
        [7, 12],
        [9, 19],
        [50, 19],
      ] as const) {
        for (let byte = 0; byte <= given; byte++) {
          at(frame, () =>
            seen.push({
              at: byte,
              seen: consume(followInvocation(byte % 2 ? first : second, 'k', { after: `1-${byte}` })),
            }),
          );
        }
      }
    });
    expect(seen).toHaveLength(1 + 4 + 5 + 13 + 20 + 20);
    for (const { at, seen: one } of seen) expect([one.text, one.isComplete]).toEqual([text.slice(at), true]);
  });

  test('get a ReplayLimitError where the log does not hold their place any more, and go on where it does', () => {
    const seen: Seen[] = [];
    simulate(({ machine, at, consume, source }) => {
      const log = machine();
      const { open } = source('h-x-x-x-x-(c|)', values);
      consume(joinInvocation(log, 'k', open, { maxReplayBytes: 200 }));
      at(30, () => {
        for (const after of [undefined, '1-1', '1-6', '1-9', '1-12'] as const) {
          seen.push(consume(followInvocation(log, 'k', after && { after })));
        }
      });
    });
    expect(seen.slice(0, 3).map(({ error }) => error)).toMatchObject(
      Array(3).fill({ code: 'replay-limit', maxReplayBytes: 200 }) as object[],
    );
    expect(seen.slice(3).map(({ letters, isComplete }) => [letters, isComplete])).toEqual([
      ['hxyzc', true],
      ['hc', true],
    ]);
  });

  test('that have paused get everything once they resume, and pause the source where all of them have', () => {
    const seen: Seen[] = [];
    const pauses: boolean[] = [];
    simulate(({ machine, at, consume, source }) => {
      const log = machine();
      const { open } = source('h-a-b-a-(c|)', values);
      const paused = new BehaviorSubject(false);
      const opening = (pauseWhile: Observable<boolean>): Observable<LambdaStreamEvent> => {
        pauseWhile.subscribe((pause) => pauses.push(pause));
        return open();
      };
      seen.push(consume(joinInvocation(log, 'k', opening, { pauseWhile: paused })));
      at(3, () => paused.next(true));
      at(4, () => seen.push(consume(followInvocation(machine(), 'k'))));
      at(20, () => expect(seen.map(({ letters }) => letters)).toEqual(['ha', 'habac']));
      at(30, () => paused.next(false));
    });
    expect(seen.map(({ letters, isComplete }) => [letters, isComplete])).toEqual([
      ['habac', true],
      ['habac', true],
    ]);
    expect(pauses.slice(0, 2)).toEqual([false, true]);
  });

  test('are told at once of a stop from any machine; a reload is told too, until the key is forgotten', async () => {
    const seen: Seen[] = [];
    const played: Source[] = [];
    const stops: Promise<void>[] = [];
    simulate(({ machine, at, consume, source }) => {
      played.push(source('h-a-b', values), source('h-b-(c|)', values));
      const [first, second, third] = [machine(), machine(), machine()];
      seen.push(consume(joinInvocation(first, 'k', (played[0] as Source).open)));
      at(3, () => seen.push(consume(joinInvocation(second, 'k', (played[0] as Source).open))));
      at(10, () => stops.push(stopInvocation(third, 'k')));
      at(20, () => seen.push(consume(joinInvocation(second, 'k', (played[1] as Source).open))));
      at(30, () => void second.forget('k'));
      at(40, () => seen.push(consume(joinInvocation(second, 'k', (played[1] as Source).open))));
    });
    await Promise.all(stops);
    expect(played[0]?.subscriptions).toEqual([{ subscribedFrame: 0, unsubscribedFrame: 10 }]);
    expect(seen.map(({ letters }) => letters)).toEqual(['hab', 'hab', 'hab', 'hbc']);
    for (const { error } of seen.slice(0, 3)) expect(error).toMatchObject({ code: 'stopped', key: 'k' });
    expect(seen.slice(0, 2).map(({ endedAt }) => endedAt)).toEqual([10, 10]);
  });

  test('get the bytes that another consumer has given away', () => {
    const texts: string[] = [];
    const log = memoryLog();
    const source = new Subject<LambdaStreamEvent>();
    joinInvocation(log, 'k', () => source).subscribe({
      next: (event) => event.type === 'chunk' && structuredClone(event.payload, { transfer: [event.payload.buffer] }),
      error: (error: unknown) => texts.push(String(error)),
    });
    for (let i = 0; i < 2; i++) {
      followInvocation(log, 'k').subscribe({
        next: (event) => event.type === 'chunk' && texts.push(new TextDecoder().decode(event.payload)),
        error: (error: unknown) => texts.push(String(error)),
      });
    }
    source.next(values.a);
    source.next(values.x);
    source.next(values.c);
    source.complete();
    expect(texts.join('')).toBe('aaxyzxyz');
  });
});

describe('the arguments', () => {
  const open = (): Observable<LambdaStreamEvent> => EMPTY;
  const log = memoryLog();

  test.each([
    ['key', RangeError, () => joinInvocation(log, '', open)],
    ['key', RangeError, () => joinInvocation(log, 'ü'.repeat(257), open)],
    ['key', TypeError, () => followInvocation(log, undefined as never)],
    ['log', TypeError, () => followInvocation({} as never, 'k')],
    ['open', TypeError, () => joinInvocation(log, 'k', EMPTY as never)],
    ['leaseMs', RangeError, () => joinInvocation(log, 'k', open, { leaseMs: 999 })],
    ['leaseMs', RangeError, () => joinInvocation(log, 'k', open, { leaseMs: Infinity })],
    ['leaseMs', RangeError, () => joinInvocation(log, 'k', open, { leaseMs: 3_000, ttlMs: 2_000, lingerMs: 0 })],
    ['lingerMs', RangeError, () => joinInvocation(log, 'k', open, { lingerMs: 20_000, ttlMs: 15_000 })],
    ['maxReplayBytes', RangeError, () => joinInvocation(log, 'k', open, { maxReplayBytes: 0 })],
    ['afterProducerLoss', TypeError, () => joinInvocation(log, 'k', open, { afterProducerLoss: 'follow' as never })],
    ['afterProducerLoss', TypeError, () => followInvocation(log, 'k', { afterProducerLoss: 'restart' as never })],
    ['pauseWhile', TypeError, () => followInvocation(log, 'k', { pauseWhile: true as never })],
    ['after', TypeError, () => followInvocation(log, 'k', { after: 'garbage' as never })],
    ['after', TypeError, () => joinInvocation(log, 'k', open, { after: '1-2-3' as never })],
    ['after', TypeError, () => joinInvocation(log, 'k', open, { after: '-1-2' as never })],
    ['options', TypeError, () => joinInvocation(log, 'k', open, 5 as never)],
  ] as const)('are refused at the call, with their name: %s, a %o', (name, Refusal, call) => {
    expect(call).toThrow(Refusal);
    expect(call).toThrow(name);
  });
});
