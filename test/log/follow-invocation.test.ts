import { defer, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { followInvocation } from '../../src/log/follow-invocation.js';
import { joinInvocation } from '../../src/log/join-invocation.js';
import type { PositionedEvent } from '../../src/log/log-records.js';
import { memoryLog } from '../../src/log/memory-log.js';
import { events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';
import { simulate, type Seen } from './simulate.js';

const { h, a, b, c } = events;

/** The events alone, without their positions. */
const plain = map(({ position: _, ...event }: PositionedEvent) => event);

describe('followInvocation', () => {
  test(
    'reads what somebody else has joined',
    marbles((m) => {
      const source = m.cold('--h-a-----b-(c|)', { h, a, b, c });
      const result = '       ------(ha)b-(c|)';

      const log = memoryLog();
      m.expect(joinInvocation(log, 'chat:1', () => source).pipe(plain)).toBeObservable('--h-a-----b-(c|)', {
        h,
        a,
        b,
        c,
      });
      m.expect(
        defer(() => followInvocation(log, 'chat:1').pipe(plain)),
        '------^',
      ).toBeObservable(result, {
        h,
        a,
        b,
        c,
      });
    }),
  );

  test('fails for a key that nobody has joined, and for places that were never given', () => {
    const seen: Seen[] = [];
    simulate(({ machine, at, consume, source }) => {
      const log = machine();
      seen.push(consume(followInvocation(log, 'k')), consume(followInvocation(log, 'k', { after: 'now' })));
      consume(joinInvocation(log, 'k', source('h-a-b', events).open));
      at(3, () => {
        for (const after of ['1-2', '2-0', `1-${2n ** 64n}`, `${2n ** 64n}-0`] as `${number}-${number}`[]) {
          seen.push(consume(followInvocation(log, 'k', { after })));
          seen.push(consume(joinInvocation(log, 'k', source('h', events).open, { after })));
        }
      });
    });
    expect(seen).toHaveLength(10);
    for (const { error, letters } of seen) {
      expect(error).toMatchObject({ code: 'unknown-invocation', key: 'k' });
      expect(letters).toBe('');
    }
  });

  test('tells only what comes from now on, and the end of what is over', () => {
    const seen: Seen[] = [];
    simulate(({ machine, at, consume, source }) => {
      const log = machine();
      consume(joinInvocation(log, 'k', source('h-a-b-a-(c|)', events).open));
      at(3, () => seen.push(consume(followInvocation(log, 'k', { after: 'now' }))));
      at(30, () => seen.push(consume(followInvocation(log, 'k', { after: 'now' }))));
    });
    expect(seen.map(({ letters, isComplete }) => [letters, isComplete])).toEqual([
      ['hbac', true],
      ['hc', true],
    ]);
  });

  test('of an older generation begins again, after a restart', () => {
    const seen: Seen[] = [];
    simulate(({ machine, at, consume, source }) => {
      const log = machine();
      const retry = { type: 'retry', attempt: 2, delayMs: 0, error: new Error('x'), mode: 'restart' } as const;
      const r = { ...retry, delivered: { chunks: 2, bytes: 2 } };
      const { open } = source('h-a-b-r-h-b-(c|)', { ...events, r });
      seen.push(consume(joinInvocation(log, 'k', open)));
      at(10, () => seen.push(consume(followInvocation(log, 'k', { after: '1-1' }))));
      at(10, () => seen.push(consume(followInvocation(log, 'k'))));
      at(30, () => seen.push(consume(followInvocation(log, 'k', { after: '1-2' }))));
    });
    expect(seen.map(({ letters, text }) => [letters, text])).toEqual([
      ['habRhbc', 'b'],
      ['Rhbc', 'b'],
      ['hbc', 'b'],
      ['Rhbc', 'b'],
    ]);
    expect(seen[0]?.positions).toEqual(['1-0', '1-1', '1-2', '6-0', '6-0', '6-1', '6-1']);
  });
});
