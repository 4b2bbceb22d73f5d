import { afterAll } from 'vitest';
import type { InvocationLog } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { startRedisCluster, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { clusterClients, openClientTo, type ClientName, type OpenClient } from './clients.js';

/** Both kinds of clients, on one server and on a cluster. */
export const everySetting = ['redis 6', 'ioredis 6', 'redis 6 cluster', 'ioredis 6 cluster'] as const;

/** The servers that a client is for: one, or the primaries of a cluster. */
interface TestRedis {
  readonly servers: () => Promise<readonly RedisServer[]>;
  /** Runs a command on every server. */
  readonly command: (...command: string[]) => Promise<string[]>;
  readonly openClient: () => Promise<OpenClient>;
  /** Opens a machine of its own, as far as Redis can see: a client and a log. */
  readonly openMachine: () => Promise<InvocationLog>;
}

/** Serves all tests of a file with the same servers. They start with the first test that needs them. */
export function useRedis(): (client?: ClientName) => TestRedis {
  const started: Partial<Record<'single' | 'cluster', Promise<readonly RedisServer[]>>> = {};
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    for (const servers of Object.values(started)) await Promise.all((await servers).map((server) => server.stop()));
  });

  return (client = 'redis 6') => {
    const servers = (): Promise<readonly RedisServer[]> =>
      client in clusterClients
        ? (started.cluster ??= startRedisCluster().then(({ nodes }) => nodes))
        : (started.single ??= startRedisServer().then((server) => [server]));
    const openClient = async (): Promise<OpenClient> => {
      const ports = (await servers()).map(({ port }) => port);
      const opened = await openClientTo(client, ports);
      let isClosed = false;
      const close = (): void => {
        if (!isClosed) opened.close();
        isClosed = true;
      };
      closers.push(close);
      return { client: opened.client, close };
    };
    return {
      servers,
      openClient,
      command: async (...command) => Promise.all((await servers()).map((server) => server.cli(...command))),
      async openMachine() {
        const log = redisLog({ client: (await openClient()).client });
        closers.push(() => log.close());
        return log;
      },
    };
  };
}
