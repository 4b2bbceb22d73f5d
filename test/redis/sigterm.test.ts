import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startLocalLambda, type LocalLambda } from '../../src/local/index.js';
import { until } from '../support/redis-server.js';
import { startMachine, type Machine } from './machine.js';
import { numberedBytes } from './numbered-bytes.js';
import { everySetting, useRedis } from './use-redis.js';

/** Longer than a test may take: whoever waits until this lease has run out makes the test fail. */
const leaseMs = 200_000;

const on = useRedis();
const text = { count: 100, everyMs: 20 };
const wholeBytes = 500;

let local: LocalLambda;
beforeAll(async () => {
  local = await startLocalLambda({
    functions: {
      tokens: async function* ({ count, everyMs }: typeof text) {
        for (let index = 0; index < count; index += 1) {
          yield numberedBytes(index * 5, 5);
          await pause(everyMs);
        }
      },
    },
  });
});
afterAll(() => local.close());

describe.each(everySetting)('a process gets SIGTERM and closes its log, over %s', (client) => {
  const redis = on(client);

  const startMachines = async (count: number): Promise<readonly Machine[]> => {
    const ports = (await redis.servers()).map(({ port }) => port);
    const settings = { client, ports, endpoint: local.endpoint };
    const machines = await Promise.all(Array.from({ length: count }, () => startMachine(settings)));
    onTestFinished(async () => {
      expect(machines.flatMap(({ faults }) => faults)).toEqual([]);
      await Promise.all(machines.map((machine) => machine.kill()));
    });
    return machines;
  };

  test('the producer: one that may takes over at once, one that may not is told at once', async () => {
    const [one, two, three] = (await startMachines(3)) as [Machine, Machine, Machine];
    const before = local.requests.length;
    const key = `producer ${client}`;
    const options = { leaseMs, idempotent: true, afterProducerLoss: 'replay' } as const;
    const producing = one.join(key, 'tokens', text, options);
    await producing.reaches(10);
    const told = two.join(key, 'tokens', text, { leaseMs });
    const taking = three.join(key, 'tokens', text, options);
    await Promise.all([told.reaches(20), taking.reaches(20)]);
    const following = two.follow(key, told.position);
    await following.reaches(25);

    expect(await one.terminate()).toBe(0);
    const lost = { isWhole: true, error: { code: 'producer-lost', fields: { reason: 'closed' } } };
    const ends = await Promise.all([told.ended, following.ended]);
    expect(ends).toMatchObject([lost, lost]);
    const taken = await taking.ended;
    expect(taken).toMatchObject({ bytes: wholeBytes, isWhole: true });
    expect(taken.kinds.filter((kind) => kind !== 'head')).toEqual(['retry replay', 'complete']);
    expect(local.requests.length - before).toBe(2);
    expect(await local.requests[before]!.closedEarly).toBe(true);
  });

  test('a reader: the others have the whole response, and it no longer counts as present', async () => {
    const [one, two] = (await startMachines(2)) as [Machine, Machine];
    const before = local.requests.length;
    const stays = one.join(`reader ${client}`, 'tokens', text, { leaseMs });
    const key = `last reader ${client}`;
    const leaving = one.join(key, 'tokens', { count: 1_000_000, everyMs: 20 }, { leaseMs, lingerMs: 100 });
    await Promise.all([stays.reaches(10), leaving.reaches(10)]);
    const last = two.join(key, 'tokens', text, { leaseMs, lingerMs: 100 });
    const beside = two.join(`reader ${client}`, 'tokens', text, { leaseMs });
    await Promise.all([last.reaches(20), beside.reaches(20)]);
    await leaving.leave();

    expect(await two.terminate()).toBe(0);
    expect(await stays.ended).toEqual({ bytes: wholeBytes, isWhole: true, kinds: ['head', 'complete'] });
    // One that had not said that it leaves would count as present for the lease.
    const [endless] = local.requests.slice(before).filter(({ payload }) => Buffer.from(payload).includes('1000000'));
    expect(await endless!.closedEarly).toBe(true);
    await until(async () => (await redis.command('HLEN', `rx:{${key}}:here`)).includes('0'));
    expect(local.requests.length - before).toBe(2);
  });
});
