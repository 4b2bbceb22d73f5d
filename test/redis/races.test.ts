import { BehaviorSubject, concat, defer, filter, finalize, map, NEVER, of, timer, type Observable } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/index.js';
import { inspectInvocation, joinInvocation, stopInvocation } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until } from '../support/redis-server.js';
import { consume } from './consume.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const on = useRedis();
const rounds = Array.from({ length: 100 }, (_, round) => round);

describe.each(['redis 6', 'ioredis 6 cluster'] as const)('a hundred times over %s', (client) => {
  const redis = on(client);

  test('claims at the same moment: one invocation, everything to each', async () => {
    const machines = await Promise.all([1, 2, 3].map(() => redis.openMachine()));
    for (const round of rounds) {
      let invocations = 0;
      const open = (): Observable<LambdaStreamEvent> =>
        defer(() => {
          invocations += 1;
          return of(headEvent(), chunkEvent(numberedBytes(0, 1 + round)), completeEvent());
        });
      const consumers = machines.map((log) => consume(joinInvocation(log, `claims ${round}`, open)));
      await Promise.all(consumers.map(({ ended }) => ended));
      for (const { bytes, isWhole, end } of consumers) {
        expect({ bytes, isWhole, end }).toEqual({ bytes: 1 + round, isWhole: true, end: 'complete' });
      }
      expect(invocations).toBe(1);
    }
  });

  test('a stop against the completion: all are told the same', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const ends = new Set<string | undefined>();
    for (const round of rounds) {
      const key = `stop ${round}`;
      const open = (): Observable<LambdaStreamEvent> =>
        concat(of(headEvent()), timer(round % 5).pipe(map(() => chunkEvent(numberedBytes(0, 1)))), of(completeEvent()));
      const consumers = [one, two].map((log) => consume(joinInvocation(log, key, open)));
      // From before the claim is heard until after the completion.
      await timer(round % 9).forEach(() => undefined);
      await stopInvocation(two, key);
      await Promise.all(consumers.map(({ ended }) => ended));
      const state = (await inspectInvocation(one, key))?.state;
      expect(consumers.map(({ end }) => end)).toEqual([state, state]);
      ends.add(state);
    }
    expect([...ends].sort()).toEqual(['complete', 'stopped']);
  });

  test('a join against the abandonment: it goes on, or is invoked anew, and is whole either way', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const seen = new Set<number>();
    const race = async (round: number): Promise<void> => {
      const key = `abandonment ${round}`;
      const isOpen: boolean[] = [];
      const open = (): Observable<LambdaStreamEvent> =>
        defer(() => {
          const invocation = isOpen.push(true) - 1;
          return concat(
            of(headEvent(), chunkEvent(numberedBytes(0, 5))),
            timer(150).pipe(map(() => chunkEvent(numberedBytes(5, 5)))),
            of(completeEvent()),
          ).pipe(finalize(() => (isOpen[invocation] = false)));
        });
      const lingerMs = round % 10;
      const first = consume(joinInvocation(one, key, open, { lingerMs }));
      await until(() => first.bytes === 5);
      first.leave();
      // From before the seal of the abandonment is sent until after it stands.
      await timer(lingerMs + (round % 7) - 2).forEach(() => undefined);
      const second = consume(joinInvocation(two, key, open, { lingerMs }));
      await second.ended;
      const { bytes, isWhole, end } = second;
      expect({ bytes, isWhole, end }).toEqual({ bytes: 10, isWhole: true, end: 'complete' });
      await until(() => !isOpen.includes(true));
      expect(isOpen.length).toBeLessThanOrEqual(2);
      seen.add(isOpen.length);
    };
    // A few at a time: each takes some time, and they have nothing to do with each other.
    for (let from = 0; from < rounds.length; from += 10) await Promise.all(rounds.slice(from, from + 10).map(race));
    expect([...seen].sort()).toEqual([1, 2]);
  });

  test('a crash between the claim and the first byte: exactly one other takes over, or the loss is told', async () => {
    const leaseMs = 1_000;
    const other = await redis.openMachine();
    const cautious = await redis.openMachine();
    const groups = rounds.slice(0, 10);
    const race = async (group: number): Promise<void> => {
      // Cutting the connections stands in for the end of the process: nothing that it sends is heard any more.
      const { client: connection, close: crash } = await redis.openClient();
      const crashing = redisLog({ client: connection });
      onTestFinished(() => crashing.close());
      const keys = groups.map((index) => `crash ${group} ${index}`);
      const invocations = new Map<string, number>();
      let opened = 0;
      const hasCrashed = new BehaviorSubject(false);
      const zombie = (): Observable<LambdaStreamEvent> =>
        defer(() => {
          opened += 1;
          // In the middle of the claims of its ten keys: some have not been heard, some have been granted unheard.
          if (opened === 1 + group) {
            crash();
            hasCrashed.next(true);
          }
          // Nothing of this may arrive anywhere.
          return concat(
            of(headEvent()),
            hasCrashed.pipe(
              filter(Boolean),
              map(() => chunkEvent('zombie')),
            ),
            NEVER,
          );
        });
      const gone = keys.map((key) => consume(joinInvocation(crashing, key, zombie, { leaseMs })));
      await until(() => opened > group);
      const consumers = keys.map((key) => {
        const open = (): Observable<LambdaStreamEvent> =>
          defer(() => {
            invocations.set(key, (invocations.get(key) ?? 0) + 1);
            return of(headEvent(), chunkEvent(numberedBytes(0, 20)), completeEvent());
          });
        const options = { leaseMs, idempotent: true, afterProducerLoss: 'restart' } as const;
        const [bold, bolder] = [0, 1].map(() => consume(joinInvocation(other, key, open, options)));
        return { key, bold: [bold!, bolder!], cautious: consume(joinInvocation(cautious, key, open, { leaseMs })) };
      });
      for (const each of consumers) {
        await Promise.all([...each.bold, each.cautious].map(({ ended }) => ended));
        for (const { bytes, isWhole, end } of each.bold) {
          expect({ bytes, isWhole, end }).toEqual({ bytes: 20, isWhole: true, end: 'complete' });
        }
        // Who did not ask for a take-over is told of the loss, unless the claim was never heard.
        expect(each.cautious.isWhole).toBe(true);
        expect(['complete', 'producer-lost']).toContain(each.cautious.end);
        expect(invocations.get(each.key)).toBe(1);
      }
      await Promise.all(gone.map(({ ended }) => ended));
      for (const { bytes, end } of gone) expect({ bytes, end }).toEqual({ bytes: 0, end: 'log-unavailable' });
    };
    await Promise.all(groups.map(race));
  });
});
