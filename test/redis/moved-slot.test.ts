import { expect, test } from 'vitest';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until, type RedisServer } from '../support/redis-server.js';
import { consume, tokens } from './consume.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const on = useRedis();

/** So long that no renewal comes within the test: a consumer that lost its subscription has to notice that itself. */
const leaseMs = 200_000;

/** Moves the slot of a key, with everything in it, from the primary that serves it to another one. */
async function moveSlot(servers: readonly RedisServer[], key: string): Promise<void> {
  const [anyone] = servers as [RedisServer];
  const slot = await anyone.cli('CLUSTER', 'KEYSLOT', key);
  const isServing = await Promise.all(
    servers.map(async (server) => !(await server.cli('EXISTS', key)).startsWith('MOVED')),
  );
  const from = servers[isServing.indexOf(true)] as RedisServer;
  const to = servers[isServing.indexOf(false)] as RedisServer;
  const [fromId, toId] = await Promise.all([from.cli('CLUSTER', 'MYID'), to.cli('CLUSTER', 'MYID')]);
  await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  // One after the other: in between, a script finds some of its keys here and some there.
  for (const each of (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '100')).split('\n')) {
    expect(await from.cli('MIGRATE', '127.0.0.1', String(to.port), each, '0', '5000')).toBe('OK');
  }
  for (const server of [to, from, ...servers]) {
    expect(await server.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)).toBe('OK');
  }
}

test.each(['redis 6 cluster', 'ioredis 6 cluster', 'redis 5 cluster', 'ioredis 5.6 cluster'] as const)(
  'the slot of a running stream is moved to another primary, and back: whole, over %s',
  async (client) => {
    const redis = on(client);
    const machines = await Promise.all([1, 2, 3].map(() => redis.openMachine()));
    const key = `moved ${client}`;
    const consumers = machines.map((log) => consume(joinInvocation(log, key, () => tokens(400, 5), { leaseMs })));
    const reach = (bytes: number): Promise<void> => until(() => consumers.every((each) => each.bytes >= bytes));
    await reach(50);
    consumers.push(consume(followInvocation(machines[1]!, key)));
    await reach(100);
    await moveSlot(await redis.servers(), `rx:{${key}}:meta`);
    // Not before everybody gets what is written there.
    await reach(Math.max(...consumers.map(({ bytes }) => bytes)) + 100);
    await moveSlot(await redis.servers(), `rx:{${key}}:meta`);
    await Promise.all(consumers.map(({ ended }) => ended));
    for (const { bytes, isWhole, end } of consumers) {
      expect({ bytes, isWhole, end }).toEqual({ bytes: 2_000, isWhole: true, end: 'complete' });
    }
  },
);
