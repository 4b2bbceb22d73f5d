import { concat, finalize, interval, map, of, type Observable } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/index.js';
import { followInvocation, inspectInvocation, joinInvocation, type InvocationLog } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { chunkEvent, headEvent } from '../../src/testing/index.js';
import { startTcpProxy } from '../relay/tcp-proxy.js';
import { expectNoStrays } from '../support/no-strays.js';
import {
  startRedisCluster,
  startRedisServer,
  startReplicaOf,
  stopReplication,
  until,
  untilReplicated,
  type RedisServer,
} from '../support/redis-server.js';
import { openClientTo, type ClientName } from './clients.js';
import { consume, tokens } from './consume.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const on = useRedis();
const leaseMs = 1_000;

/** Opens a machine of its own to these ports. */
async function openMachine(client: ClientName, ports: readonly number[]): Promise<InvocationLog> {
  const opened = await openClientTo(client, ports);
  const log = redisLog({ client: opened.client });
  onTestFinished(async () => {
    await log.close();
    opened.close();
  });
  return log;
}

/** A response that does not end by itself, and whether its connection is open. */
function endless(): { readonly open: () => Observable<LambdaStreamEvent>; isOpen: boolean } {
  const source = {
    isOpen: false,
    open: () => {
      source.isOpen = true;
      return concat(of(headEvent()), interval(5).pipe(map((index) => chunkEvent(numberedBytes(index * 5, 5))))).pipe(
        finalize(() => (source.isOpen = false)),
      );
    },
  };
  return source;
}

/**
 * Streams, cuts the replica off, waits until consumers have what the replica lacks, and lets the replica take the place
 * of its primary. Every consumer has to be told then.
 */
async function loseTheLastEntries(
  machines: readonly InvocationLog[],
  key: string,
  primary: RedisServer,
  replica: RedisServer,
  promote: () => Promise<void>,
): Promise<void> {
  const source = endless();
  const [one, two, three] = machines as [InvocationLog, InvocationLog, InvocationLog];
  const consumers = [
    consume(joinInvocation(one, key, source.open, { leaseMs })),
    consume(joinInvocation(two, key, source.open, { leaseMs })),
  ];
  await until(() => consumers.every(({ bytes }) => bytes >= 100));
  consumers.push(consume(followInvocation(three, key)), consume(followInvocation(one, key)));
  await until(() => consumers.every(({ bytes }) => bytes >= 200));
  await untilReplicated(primary, replica);
  await stopReplication(primary);
  const here = Math.max(...consumers.map(({ bytes }) => bytes));
  await until(() => consumers.every(({ bytes }) => bytes >= here + 100));
  await primary.kill();
  await promote();
  await Promise.all(consumers.map(({ ended }) => ended));
  for (const { end, isWhole, bytes } of consumers) {
    expect({ end, isWhole }).toEqual({
      end: expect.stringMatching(/^(producer-lost|log-unavailable)$/) as unknown,
      isWhole: true,
    });
    expect(bytes).toBeGreaterThanOrEqual(here + 100);
  }
  await until(() => !source.isOpen);
}

describe('a replica is promoted that lacks the last entries: nothing twice, and everybody is told', () => {
  test.each(['redis 6', 'ioredis 6'] as const)('over %s', async (client) => {
    const primary = await startRedisServer();
    const replica = await startReplicaOf(primary);
    onTestFinished(() => Promise.all([primary.stop(), replica.stop()]).then(() => undefined));
    // The address that clients know, as a failover moves it.
    const address = await startTcpProxy(primary.port);
    const machines = await Promise.all([1, 2, 3].map(() => openMachine(client, [address.port])));
    await loseTheLastEntries(machines, 'promoted', primary, replica, async () => {
      await replica.cli('REPLICAOF', 'NO', 'ONE');
      address.moveTo(replica.port);
    });
    // The promoted server serves what is begun from now on.
    await until(async () => (await inspectInvocation(machines[0]!, 'promoted'))?.state === 'lost');
    const next = machines.map((log) => consume(joinInvocation(log, 'promoted', () => tokens(20, 1), { leaseMs })));
    await Promise.all(next.map(({ ended }) => ended));
    for (const { end, bytes, isWhole } of next)
      expect({ end, bytes, isWhole }).toEqual({ end: 'complete', bytes: 100, isWhole: true });
  });

  test.each(['redis 6 cluster', 'ioredis 6 cluster'] as const)('over %s', async (client) => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const [primary] = cluster.nodes as [RedisServer];
    const replica = await cluster.addReplica(primary);
    const machines = await Promise.all([1, 2, 3].map(() => openMachine(client, cluster.ports)));
    await loseTheLastEntries(machines, await keyOn(primary), primary, replica, async () => {
      await replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER');
    });
  });
});

/** A key that this primary of a cluster serves. */
async function keyOn(primary: RedisServer): Promise<string> {
  for (let index = 0; ; index += 1) {
    if (!(await primary.cli('EXISTS', `rx:{${index}}:meta`)).startsWith('MOVED')) return String(index);
  }
}

test.each(['redis 6', 'ioredis 6'] as const)(
  'the server is restarted empty in a stream: every consumer is told, and the next one invokes anew, over %s',
  async (client) => {
    const redis = on(client);
    const [server] = await redis.servers();
    const key = `empty ${client}`;
    const machines = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const source = endless();
    const consumers = machines.map((log) => consume(joinInvocation(log, key, source.open, { leaseMs })));
    await until(() => consumers.every(({ bytes }) => bytes >= 100));
    await server!.restart();
    await Promise.all(consumers.map(({ ended }) => ended));
    for (const { end, isWhole } of consumers) expect({ end, isWhole }).toEqual({ end: 'producer-lost', isWhole: true });
    await until(() => !source.isOpen);
    const next = machines.map((log) => consume(joinInvocation(log, key, () => tokens(20, 1), { leaseMs })));
    await Promise.all(next.map(({ ended }) => ended));
    for (const { end, bytes } of next) expect({ end, bytes }).toEqual({ end: 'complete', bytes: 100 });
  },
);
