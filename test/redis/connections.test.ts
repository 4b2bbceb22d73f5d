import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { InvocationLog } from '../../src/log/invocation-log.js';
import { redisLog } from '../../src/redis/index.js';
import { startRedisCluster, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { clusterClients, singleClients, type OpenClient } from './clients.js';
import { answer, chunksAfter, claimOf, Recorder } from './recorder.js';

/** The servers of one kind: one alone, or a cluster. */
interface Setting {
  readonly servers: readonly RedisServer[];
  readonly open: () => Promise<OpenClient>;
}

/** The connections that a server has, without the one that asks. */
async function connections(servers: readonly RedisServer[]): Promise<number[]> {
  return Promise.all(
    servers.map(async (server) => {
      const lines = (await server.cli('CLIENT', 'LIST')).split('\n');
      return lines.filter((line) => !line.includes('cmd=client|list')).length;
    }),
  );
}

async function cutAll(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }
}

const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`);

function suite(name: string, setting: () => Setting): void {
  describe(`the connections of ${name}`, () => {
    let opened: OpenClient;
    let log: InvocationLog;
    const start = async (): Promise<Setting> => {
      const given = setting();
      for (const server of given.servers) await server.cli('FLUSHALL');
      opened = await given.open();
      log = redisLog({ client: opened.client });
      return given;
    };
    afterEach(async () => {
      await log.close();
      opened.close();
    });

    /** Watches keys and claims them. */
    const begin = async (names: readonly string[], leaseMs = 5_000) =>
      Promise.all(
        names.map(async (key) => {
          const watcher = new Recorder();
          const established = watcher.nextReady();
          const stop = log.watch(key, watcher);
          await established;
          const claim = claimOf('one', { leaseMs });
          const joined = await answer(log.join({ key, member: `m ${key}`, cursor: '0-0', claim }));
          return { key, watcher, stop, state: joined!.state };
        }),
      );

    test('two a server, however many keys; one after the close', async () => {
      const { servers } = await start();
      await begin(keys);
      // A cluster client of ioredis opens another for a moment, to read the slots.
      await expect.poll(() => connections(servers), { timeout: 5_000 }).toEqual(servers.map(() => 2));
      await log.close();
      await expect.poll(() => connections(servers), { timeout: 5_000 }).toEqual(servers.map(() => 1));
    });

    test('the subscriber lets go when nothing is watched, so that a process can end', async () => {
      const { servers } = await start();
      const begun = await begin(keys);
      for (const { stop } of begun) stop();
      await expect.poll(() => connections(servers), { timeout: 5_000 }).toEqual(servers.map(() => 1));
      await begin(keys.slice(0, 1));
    });

    test('all connections are cut, twice: every watcher is ready again, and hears what comes then', async () => {
      const { servers } = await start();
      const begun = await begin(keys);
      const last = begun.map(({ state }) => state.last);
      for (let round = 1; round <= 2; round += 1) {
        const again = begun.map(({ watcher }) => watcher.nextReady());
        await cutAll(servers);
        await Promise.all(again);
        await Promise.all(
          begun.map(async ({ key, state }, index) => {
            const entries = chunksAfter(last[index]!, Uint8Array.of(round, index));
            last[index] = entries[0]!.id;
            const { result } = await answer(log.append({ key, owner: 'one', generation: state.generation, entries }));
            expect(['appended', 'again']).toContain(result);
          }),
        );
        for (const [index, { watcher }] of begun.entries()) {
          await expect.poll(() => watcher.heard.at(-1)?.id).toBe(last[index]);
        }
      }
      expect(begun.flatMap(({ watcher }) => watcher.failures)).toEqual([]);
    });

    test('appends in a cut connection are written once', async () => {
      const { servers } = await start();
      const [begun] = await begin(keys.slice(0, 1));
      const { key, state } = begun!;
      let { last } = state;
      const cuts = cutAll(servers);
      for (let index = 0; index < 200; index += 1) {
        const entries = chunksAfter(last, Uint8Array.of(index));
        const { result } = await answer(log.append({ key, owner: 'one', generation: state.generation, entries }));
        expect(['appended', 'again']).toContain(result);
        last = entries[0]!.id;
      }
      await cuts;
      const page = await answer(log.read({ key, after: state.last }));
      expect(page!.entries.map(({ payload }) => payload[0])).toEqual(Array.from({ length: 200 }, (_, index) => index));
    });

    test('a server that stands still is waited for, three leases long', async () => {
      const { servers } = await start();
      const [begun] = await begin(keys.slice(0, 1), 1_000);
      const { key } = begun!;
      for (const server of servers) server.freeze();
      try {
        await expect(answer(log.inspect(key))).rejects.toMatchObject({ code: 'log-unavailable' });
        const pending = answer(log.inspect(key));
        for (const server of servers) server.thaw();
        expect(await pending).toMatchObject({ status: 'running' });
      } finally {
        for (const server of servers) server.thaw();
      }
    });

    test('a server that comes back empty: the keys are unknown, the watchers are ready again', async () => {
      const { servers } = await start();
      if (servers.length > 1) {
        for (const server of servers) await server.cli('FLUSHALL');
        expect(await answer(log.inspect('key 1'))).toBeUndefined();
        return;
      }
      const begun = await begin(keys.slice(0, 3));
      const again = begun.map(({ watcher }) => watcher.nextReady());
      await servers[0]!.restart();
      await Promise.all(again);
      expect(await answer(log.inspect('key 1'))).toBeUndefined();
      const claim = claimOf('two');
      const joined = await answer(log.join({ key: 'key 1', member: 'm', cursor: '0-0', claim }));
      expect(joined!.claimed).toBe(true);
      expect(joined!.state.generation).toBeGreaterThan(begun[1]!.state.generation);
    });
  });
}

describe('one server', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await startRedisServer()));
  afterAll(() => server.stop());
  for (const [name, open] of Object.entries(singleClients)) {
    suite(name, () => ({ servers: [server], open: () => open(server.port) }));
  }
});

describe('a cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => void (cluster = await startRedisCluster()));
  afterAll(() => cluster.stop());
  for (const [name, open] of Object.entries(clusterClients)) {
    suite(name, () => ({ servers: cluster.nodes, open: () => open(cluster.ports) }));
  }
});
