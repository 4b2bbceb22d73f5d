import { afterAll, beforeAll } from 'vitest';
import type { InvocationLog } from '../../src/log/index.js';
import { redisLog } from '../../src/redis/index.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { singleClients } from './clients.js';

/** A Redis for all tests of a file. */
export interface TestRedis {
  readonly server: () => RedisServer;
  /** Opens a machine of its own, as far as Redis can see: a client and a log. */
  readonly openMachine: () => Promise<InvocationLog>;
}

/** Starts a Redis before the tests of the file, and ends it and its machines after them. */
export function useRedis(): TestRedis {
  let server: RedisServer;
  const closers: (() => unknown)[] = [];
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    await server.stop();
  });
  return {
    server: () => server,
    async openMachine() {
      const { client, close } = await singleClients['redis 6'](server.port);
      const log = redisLog({ client });
      closers.push(close, () => log.close());
      return log;
    },
  };
}
