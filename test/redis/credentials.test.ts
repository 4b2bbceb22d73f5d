import { createClient, createCluster } from 'redis';
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { defer, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LogUnavailableError } from '../../src/index.js';
import { followInvocation, inspectInvocation, joinInvocation, stopInvocation } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { completeEvent } from '../../src/testing/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { startRedisCluster, startRedisServer, type RedisServer } from '../support/redis-server.js';
import type { OpenClient } from './clients.js';
import { consume } from './consume.js';

expectNoStrays();

let guarded: RedisServer;
let servers: readonly RedisServer[];
beforeAll(async () => {
  [guarded, servers] = await Promise.all([startRedisServer(), startRedisCluster().then(({ nodes }) => nodes)]);
  for (const server of [guarded, ...servers]) await server.cli('CONFIG', 'SET', 'requirepass', 'secret');
});
afterAll(() => Promise.all([guarded, ...servers].map((server) => server.stop())));

/** A password that the server does not take, or no password at all. */
const credentials = [{ password: 'mistaken' }, {}] as const;
type Credentials = (typeof credentials)[number];

interface ClusterOptions {
  readonly rootNodes: { socket: { host: string; port: number } }[];
  readonly defaults: Credentials;
}

const ignore = (): void => undefined;
const addresses = () => servers.map(({ port }) => ({ host: '127.0.0.1', port }));

/** Opens clients without waiting for them: `connect` of `redis` tries again without end. */
const clients: Readonly<Record<string, (given: Credentials) => OpenClient>> = {
  'redis 6': (given) => connecting(createClient({ url: `redis://127.0.0.1:${guarded.port}`, ...given })),
  'redis 5': (given) => connecting(createClient5({ url: `redis://127.0.0.1:${guarded.port}`, ...given })),
  'ioredis 6': (given) => disconnecting(new Redis(guarded.port, '127.0.0.1', given).on('error', ignore)),
  'ioredis 5.6': (given) => disconnecting(new Redis5(guarded.port, '127.0.0.1', given).on('error', ignore)),
  'ioredis 6 cluster': (given) =>
    disconnecting(new Cluster(addresses(), { shardedSubscribers: true, redisOptions: given }).on('error', ignore)),
  'ioredis 5.6 cluster': (given) =>
    disconnecting(new Cluster5(addresses(), { shardedSubscribers: true, redisOptions: given }).on('error', ignore)),
};

function connecting(client: ReturnType<typeof createClient> | ReturnType<typeof createClient5>): OpenClient {
  client.on('error', ignore);
  client.connect().catch(ignore);
  return { client, close: () => client.destroy() };
}

const disconnecting = (client: Redis | Redis5 | Cluster | Cluster5): OpenClient => ({
  client,
  close: () => client.disconnect(),
});

describe.each(Object.entries(clients))('credentials that the server refuses, over %s', (_name, open) => {
  test.each(credentials)('with %j: every function says so, and nothing is invoked', async (given) => {
    const { client, close } = open(given);
    const log = redisLog({ client });
    onTestFinished(async () => {
      await log.close();
      close();
    });
    let invocations = 0;
    const invoke = () => defer(() => ((invocations += 1), of(completeEvent())));
    const consumers = [consume(joinInvocation(log, 'key', invoke)), consume(followInvocation(log, 'key'))];
    await Promise.all(consumers.map(({ ended }) => ended));
    const errors = [
      ...consumers.map(({ error }) => error),
      await inspectInvocation(log, 'key').catch((error: unknown) => error),
      await stopInvocation(log, 'key').catch((error: unknown) => error),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(LogUnavailableError);
      const { message, cause } = error as LogUnavailableError;
      expect(message).toMatch(/the server refuses the credentials of the client \((NOAUTH|WRONGPASS) /);
      expect(message).not.toMatch(/secret|mistaken/);
      expect((cause as Error).message).toMatch(/^(NOAUTH|WRONGPASS) /);
    }
    expect(invocations).toBe(0);
  });
});

describe.each([
  ['redis 6 cluster', (options: ClusterOptions) => createCluster(options)],
  ['redis 5 cluster', (options: ClusterOptions) => createCluster5(options)],
] as const)('credentials that the nodes refuse, over %s', (_name, create) => {
  test.each(credentials)(
    'with %j: `connect` rejects, and a log that was made before it does not wait',
    async (given) => {
      const rootNodes = addresses().map((socket) => ({ socket }));
      const client = create({ rootNodes, defaults: given }).on('error', ignore);
      const connecting = client.connect();
      const log = redisLog({ client });
      await expect(connecting).rejects.toThrow('root nodes are unavailable');
      const consumer = consume(joinInvocation(log, 'key', () => of(completeEvent())));
      await consumer.ended;
      expect(consumer.error).toBeInstanceOf(LogUnavailableError);
      expect((consumer.error as Error).message).toContain('the client of Redis is closed, or was never connected');
      expect(() => redisLog({ client })).toThrow('redisLog: client must be connected');
      await log.close();
    },
  );
});
