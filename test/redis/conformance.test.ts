import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import { redisLog } from '../../src/redis/index.js';
import { invocationLogCases } from '../../src/testing/index.js';
import { startRedisCluster, startRedisServer, type RedisCluster, type RedisServer } from '../support/redis-server.js';
import { clusterClients, singleClients, type OpenClient } from './clients.js';

let server: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedisServer(), startRedisCluster()]);
});
afterAll(() => Promise.all([server.stop(), cluster.stop()]));

const openers: Readonly<Record<string, () => Promise<OpenClient>>> = {
  ...Object.fromEntries(Object.entries(singleClients).map(([name, open]) => [name, () => open(server.port)])),
  ...Object.fromEntries(Object.entries(clusterClients).map(([name, open]) => [name, () => open(cluster.ports)])),
};

describe.each(Object.entries(openers))('redisLog over %s', (_name, open) => {
  test.each(invocationLogCases)('$name', async ({ run }) => {
    await run(async () => {
      const { client, close } = await open();
      onTestFinished(close);
      return redisLog({ client });
    });
  });
});
