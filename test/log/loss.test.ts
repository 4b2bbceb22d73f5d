import { concat, finalize, map, of, throwError, timer } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { followInvocation } from '../../src/log/follow-invocation.js';
import { joinInvocation, type JoinInvocationOptions } from '../../src/log/join-invocation.js';
import { memoryLog } from '../../src/log/memory-log.js';
import { chunkEvent } from '../../src/testing/event-builders.js';
import { events } from '../support/operator-coverage.js';
import { inFakeTime } from './fake-time.js';
import { simulate, type Seen, type Source } from './simulate.js';

const values = { ...events, x: chunkEvent('x'), y: chunkEvent('y') };
const leaseMs = 1_000;

const modes = ['restart', 'replay', 'continue'] as const;

/** What a second invocation answers: all of it again, or only what the application's cursor asks for. */
const answers = { restart: 'h-(xy)-(c|)', replay: 'h-(ab)-b-(c|)', continue: 'h-(xy)-(c|)' };

describe('a producer that dies', () => {
  test('is told to every consumer within two leases, and nothing is invoked again', () => {
    const seen: Seen[] = [];
    let source!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      source = play('h-a', values);
      const [dying, other, third] = [machine(), machine(), machine()];
      consume(joinInvocation(dying, 'k', source.open, { leaseMs }));
      at(5, () => seen.push(consume(joinInvocation(other, 'k', source.open, { leaseMs }))));
      at(6, () => seen.push(consume(joinInvocation(other, 'k', source.open, { leaseMs }))));
      at(7, () => seen.push(consume(followInvocation(third, 'k'))));
      at(10, () => dying.cut());
    });
    for (const { letters, error, endedAt } of seen) {
      expect(letters).toBe('ha');
      expect(error).toMatchObject({ name: 'ProducerLostError', reason: 'lease', key: 'k', position: '1-1' });
      expect(endedAt).toBeGreaterThan(1_000);
      expect(endedAt).toBeLessThanOrEqual(10 + 2 * leaseMs);
    }
    expect(seen).toHaveLength(3);
    // The process itself, cut off, closes its connection after three leases.
    expect(source.subscriptions).toEqual([{ subscribedFrame: 0, unsubscribedFrame: expect.any(Number) as number }]);
    expect(source.subscriptions[0]?.unsubscribedFrame).toBeLessThanOrEqual(10 + 4 * leaseMs);
  });

  test.each(modes)('is followed by exactly one other machine under %s, and the text is whole', (mode) => {
    const seen: Seen[] = [];
    let second!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      const first = play('h-a-b', values);
      second = play(answers[mode], values);
      const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: mode };
      const dying = machine();
      consume(joinInvocation(dying, 'k', first.open, options));
      for (const log of [machine(), machine(), machine()]) {
        at(6, () => seen.push(consume(joinInvocation(log, 'k', second.open, options))));
        at(6, () => seen.push(consume(joinInvocation(log, 'k', second.open, options))));
      }
      at(6, () => seen.push(consume(followInvocation(machine(), 'k', { afterProducerLoss: 'follow' }))));
      at(10, () => dying.cut());
    });
    expect(second.subscriptions).toHaveLength(1);
    const whole = { restart: ['habRhxyc', 'xy'], replay: ['habphbc', 'abb'], continue: ['habnhxyc', 'abxy'] }[mode];
    for (const { letters, text, isComplete } of seen) expect([letters, text, isComplete]).toEqual([...whole, true]);
    expect(seen).toHaveLength(7);
  });

  test.each(modes)('is an error under %s without idempotent', (mode) => {
    let seen!: Seen;
    let second!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      const [first, dying] = [play('h-a', values), machine()];
      second = play('h-a-(c|)', values);
      consume(joinInvocation(dying, 'k', first.open, { leaseMs }));
      at(5, () => (seen = consume(joinInvocation(machine(), 'k', second.open, { leaseMs, afterProducerLoss: mode }))));
      at(10, () => dying.cut());
    });
    expect(seen.error).toMatchObject({ code: 'producer-lost' });
    expect(second.subscriptions).toEqual([]);
  });

  test('is an error for a consumer that did not ask for a take-over, although another one takes over', () => {
    let cautious!: Seen;
    let bold!: Seen;
    simulate(({ machine, at, consume, source: play }) => {
      const [first, second, dying] = [play('h-a', values), play('h-(xy)-(c|)', values), machine()];
      consume(joinInvocation(dying, 'k', first.open, { leaseMs }));
      at(5, () => {
        cautious = consume(joinInvocation(machine(), 'k', second.open, { leaseMs }));
        bold = consume(
          joinInvocation(machine(), 'k', second.open, { leaseMs, idempotent: true, afterProducerLoss: 'restart' }),
        );
      });
      at(10, () => dying.cut());
    });
    expect(cautious.error).toMatchObject({ code: 'producer-lost', position: '1-1' });
    expect(bold).toMatchObject({ letters: 'haRhxyc', isComplete: true });
  });

  test('leaves a follower waiting for a lease at most where nobody takes over', () => {
    let seen!: Seen;
    simulate(({ machine, at, consume, source: play }) => {
      const [first, dying] = [play('h-a', values), machine()];
      consume(joinInvocation(dying, 'k', first.open, { leaseMs }));
      at(5, () => (seen = consume(followInvocation(machine(), 'k', { afterProducerLoss: 'follow' }))));
      at(10, () => dying.cut());
    });
    expect(seen.error).toMatchObject({ code: 'producer-lost' });
    expect(seen.endedAt).toBeLessThanOrEqual(10 + 3 * leaseMs);
  });

  test('fails a replay that brings other bytes, and one that ends before them', () => {
    const errors: unknown[] = [];
    simulate(({ machine, at, consume, source: play }) => {
      for (const [key, answer] of [
        ['other', 'h-(ax)(c|)'],
        ['short', 'h-a-(c|)'],
      ] as const) {
        const [first, second, dying] = [play('h-a-b', values), play(answer, values), machine()];
        const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: 'replay' };
        consume(joinInvocation(dying, key, first.open, options));
        let seen: Seen;
        at(6, () => (seen = consume(joinInvocation(machine(), key, second.open, options))));
        at(10, () => dying.cut());
        at(9_000, () => errors.push(seen.error));
      }
    });
    expect(errors).toMatchObject([{ code: 'replay-mismatch' }, { code: 'replay-mismatch' }]);
  });

  test('is an error under replay where the log does not hold the start any more', () => {
    let seen!: Seen;
    let second!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      const [first, dying] = [play('h-a-b-a-b', values), machine()];
      second = play('h-(ab)(ab)(c|)', values);
      const options: JoinInvocationOptions = {
        leaseMs,
        idempotent: true,
        afterProducerLoss: 'replay',
        maxReplayBytes: 1,
      };
      consume(joinInvocation(dying, 'k', first.open, options));
      at(1, () => (seen = consume(joinInvocation(machine(), 'k', second.open, options))));
      at(20, () => dying.cut());
    });
    expect(seen).toMatchObject({ letters: 'habab', error: { code: 'producer-lost' } });
    expect(second.subscriptions).toEqual([]);
  });

  test('that died before its first byte is a loss, not an unknown key', () => {
    let seen!: Seen;
    simulate(({ machine, at, consume, source: play }) => {
      const [first, dying] = [play('-', values), machine()];
      consume(joinInvocation(dying, 'k', first.open, { leaseMs }));
      at(1, () => dying.cut());
      at(2, () => (seen = consume(followInvocation(machine(), 'k'))));
    });
    expect(seen.error).toMatchObject({ code: 'producer-lost', reason: 'lease' });
  });
});

describe('a producer that was frozen past its lease', () => {
  test.each([
    ['after another has written', 6_000],
    ['before another has written', 2_500],
  ])('writes nothing more when it goes on %s, and its own consumers see nothing of it', (_when, thawed) => {
    const seen: Seen[] = [];
    let first!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      // The zombie's source goes on for ever; the other one has a cold start of three leases.
      first = play('h-a 2s x 1s x 1s x 1s x 3s x', values);
      const second = play('3s h-(ab)-(c|)', values);
      const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: 'restart' };
      const frozen = machine();
      seen.push(consume(joinInvocation(frozen, 'k', first.open, options)));
      at(5, () => seen.push(consume(joinInvocation(machine(), 'k', second.open, options))));
      at(10, () => frozen.cut());
      at(thawed, () => frozen.heal());
    });
    for (const { letters } of seen) expect(letters).not.toContain('x');
    expect(seen[1]).toMatchObject({ letters: 'haRhabc', isComplete: true });
    expect(first.subscriptions).toHaveLength(1);
    expect(first.subscriptions[0]?.unsubscribedFrame).toBeLessThanOrEqual(thawed + leaseMs);
  });

  test('writes nothing more where nobody takes over', () => {
    const seen: Seen[] = [];
    simulate(({ machine, at, consume, source: play }) => {
      const first = play('h-a 3s x 1s x 1s x', values);
      const frozen = machine();
      seen.push(consume(joinInvocation(frozen, 'k', first.open, { leaseMs })));
      at(5, () => seen.push(consume(followInvocation(machine(), 'k'))));
      at(10, () => frozen.cut());
      at(2_500, () => frozen.heal());
    });
    for (const { letters, error } of seen) {
      expect(letters).toBe('ha');
      expect(error).toMatchObject({ code: expect.stringMatching(/producer-lost|log-unavailable/) as string });
    }
  });

  test('takes its lease back where nobody has marked the loss', () => {
    let seen!: Seen;
    simulate(({ machine, at, consume, source: play }) => {
      const first = play('h-a 3s b-(c|)', values);
      const [frozen, reader] = [machine(), machine()];
      consume(joinInvocation(frozen, 'k', first.open, { leaseMs }));
      at(5, () => (seen = consume(followInvocation(reader, 'k'))));
      // The log stands still for everybody, for a lease and a half.
      at(10, () => [frozen, reader].forEach((each) => each.cut()));
      at(1_510, () => [frozen, reader].forEach((each) => each.heal()));
    });
    expect(seen).toMatchObject({ letters: 'habc', isComplete: true });
  });

  test.each([
    ['closes after three leases in which it did not renew, though nobody has marked the loss', 3, 'producer-lost'],
    ['goes on after less', 2.6, 'complete'],
  ])('%s', (_what, leases, end) => {
    inFakeTime(({ advance }) => {
      let isOpen = true;
      const source = concat(timer(5_000).pipe(map(() => chunkEvent('a'))), of(events.c));
      const open = () => source.pipe(finalize(() => (isOpen = false)));
      let seen: unknown;
      joinInvocation(memoryLog(), 'k', open, { leaseMs }).subscribe({
        error: (error: unknown) => (seen = error),
        complete: () => (seen = { code: 'complete' }),
      });
      advance(10);
      // The process stands still: the clock goes on, and no timer fires.
      vi.setSystemTime(Date.now() + leases * leaseMs);
      advance(leaseMs);
      expect([seen !== undefined, isOpen]).toEqual(end === 'complete' ? [false, true] : [true, false]);
      advance(5_000);
      expect(seen).toMatchObject({ code: end, ...(end === 'producer-lost' && { reason: 'lease' }) });
      expect(isOpen).toBe(false);
    });
  });
});

describe('a log that is closed', () => {
  test('ends what its process produces at once: others take over without waiting for a lease', () => {
    const seen: Seen[] = [];
    let second!: Source;
    simulate(({ machine, at, consume, source: play }) => {
      const first = play('h-a', values);
      second = play('h-(xy)(c|)', values);
      const options: JoinInvocationOptions = { idempotent: true, afterProducerLoss: 'restart' };
      const closing = machine();
      seen.push(consume(joinInvocation(closing, 'k', first.open, options)));
      at(5, () => seen.push(consume(joinInvocation(machine(), 'k', second.open, options))));
      at(20, () => void closing.close());
    });
    expect(seen[0]).toMatchObject({ letters: 'ha', endedAt: 20, error: { code: 'producer-lost', reason: 'closed' } });
    expect(seen[1]).toMatchObject({ letters: 'haRhxyc', isComplete: true });
    expect(second.subscriptions[0]?.subscribedFrame).toBe(20);
  });
});

describe('a failure of the function', () => {
  test('is no loss: it is told to all, and taken over by nobody', () => {
    const seen: Seen[] = [];
    let opened = 0;
    simulate(({ machine, at, consume }) => {
      const fail = (): ReturnType<Source['open']> => {
        opened++;
        return concat(
          of(values.h, values.a),
          throwError(() => Object.assign(new Error('no'), { name: 'Oh' })),
        );
      };
      const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: 'restart' };
      seen.push(consume(joinInvocation(machine(), 'k', fail, options)));
      at(5, () => seen.push(consume(followInvocation(machine(), 'k'))));
      at(6, () => seen.push(consume(joinInvocation(machine(), 'k', fail, { ...options, after: '1-1' }))));
      at(7, () => seen.push(consume(joinInvocation(machine(), 'k', fail, options))));
    });
    expect(seen.map(({ letters }) => letters)).toEqual(['ha', 'ha', 'h', 'ha']);
    for (const { error } of seen) expect(error).toMatchObject({ name: 'Oh', message: 'no' });
    expect(opened).toBe(2);
  });
});
