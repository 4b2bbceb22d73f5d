import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createClient } from 'redis';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisLog } from '../../src/redis/index.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { singleClients } from './clients.js';
import { answer, chunksAfter, claimOf, Recorder } from './recorder.js';

const anything = (value: unknown): never => value as never;

let server: RedisServer;
beforeAll(async () => void (server = await startRedisServer()));
afterAll(() => server.stop());

const join = (log: ReturnType<typeof redisLog>, key = 'key') =>
  answer(log.join({ key, member: 'm', cursor: '0-0', claim: claimOf('one') }));

describe('at the call', () => {
  test.each([undefined, null, 'redis://127.0.0.1', 7, {}, [], () => undefined])(
    'a client that is none: %s',
    (client) => {
      expect(() => redisLog({ client: anything(client) })).toThrow(TypeError);
      expect(() => redisLog({ client: anything(client) })).toThrow(/^redisLog: client must be a connected client/);
    },
  );

  test('no options at all', () => {
    expect(() => redisLog(anything(undefined))).toThrow(/redisLog: client must be/);
    expect(() => redisLog(anything('redis://127.0.0.1'))).toThrow(TypeError);
  });

  test('a client of `redis` that is not connected, or no longer', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${server.port}` }).on('error', () => undefined);
    expect(() => redisLog({ client })).toThrow('redisLog: client must be connected');
    await client.connect();
    client.destroy();
    expect(() => redisLog({ client })).toThrow('redisLog: client must be connected');
  });

  test('a client of ioredis that was ended', async () => {
    const client = new Redis(server.port);
    await client.ping();
    const ended = once(client, 'end');
    client.disconnect();
    await ended;
    expect(() => redisLog({ client })).toThrow('redisLog: client must be connected');
  });

  test('a pool', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${server.port}` });
    const pool = client.createPool();
    await pool.connect();
    expect(() => redisLog({ client: anything(pool) })).toThrow('no pool');
    await pool.close();
  });

  test('keyPrefix, of every client that has one', async () => {
    const lazy = { lazyConnect: true, keyPrefix: 'app:' };
    const nodeRedis = createClient({ url: `redis://127.0.0.1:${server.port}`, keyPrefix: 'app:' });
    await nodeRedis.connect();
    const clients = [
      new Redis(lazy),
      new Cluster([{ port: server.port }], lazy),
      new Cluster([{ port: server.port }], { lazyConnect: true, redisOptions: { keyPrefix: 'app:' } }),
      nodeRedis,
    ];
    for (const client of clients) expect(() => redisLog({ client })).toThrow(/no keyPrefix.*pass `prefix`/);
    nodeRedis.destroy();
  });

  test.each([Cluster, Cluster5])('a cluster of ioredis without sharded subscribers', (OfVersion) => {
    const nodes = [{ port: server.port }];
    for (const options of [{}, { shardedSubscribers: false }]) {
      const client = new OfVersion(nodes, { lazyConnect: true, ...options });
      expect(() => redisLog({ client })).toThrow(/^redisLog: client must be a Cluster with `shardedSubscribers: true`/);
    }
    const client = new OfVersion(nodes, { lazyConnect: true, shardedSubscribers: true });
    expect(() => redisLog({ client })).not.toThrow();
  });

  test.each(['', 'a{b', 'a}b', 7])('a prefix that would change the hash tag: %s', (prefix) => {
    const client = new Redis({ lazyConnect: true });
    expect(() => redisLog({ client, prefix: anything(prefix) })).toThrow(/redisLog: prefix must be a text without/);
  });
});

describe.each(Object.entries(singleClients))('before a function is called, over %s', (_name, open) => {
  test('a user without channels: said by name, and nothing is written', async () => {
    await server.cli('FLUSHALL');
    await server.cli('ACL', 'SETUSER', 'default', 'resetchannels');
    try {
      const { client, close } = await open(server.port);
      const log = redisLog({ client });
      const refusal = { code: 'log-unavailable', message: expect.stringContaining('add &') as unknown };
      await expect(join(log)).rejects.toMatchObject(refusal);
      const watcher = new Recorder();
      log.watch('key', watcher);
      await expect.poll(() => watcher.failures).toEqual([expect.objectContaining(refusal)]);
      expect(await server.cli('KEYS', '*')).toBe('');
      await log.close();
      close();
    } finally {
      await server.cli('ACL', 'SETUSER', 'default', 'allchannels');
    }
  });

  test('a user without the keys, or without a command', async () => {
    const { client, close } = await open(server.port);
    const log = redisLog({ client });
    await server.cli('ACL', 'SETUSER', 'default', 'resetkeys', '~other:*');
    try {
      await expect(join(log)).rejects.toThrow(/add ~/);
      await server.cli('ACL', 'SETUSER', 'default', 'allkeys', '-xadd');
      await expect(join(log)).rejects.toThrow(/lacks a command.*'XADD'/);
    } finally {
      await server.cli('ACL', 'SETUSER', 'default', 'allkeys', '+@all');
    }
    expect((await join(log))?.claimed).toBe(true);
    await log.close();
    close();
  });

  test('the ACL of docs/redis-entries.md suffices', async () => {
    const page = await readFile(new URL('../../docs/redis-entries.md', import.meta.url), 'utf8');
    const rules = /ACL SETUSER relay on '>secret' ([^`]*?)```/s.exec(page)![1]!;
    const words = rules.replace(/[\\']/g, '').trim().split(/\s+/);
    await server.cli('ACL', 'SETUSER', 'default', ...words);
    const { client, close } = await open(server.port);
    try {
      const log = redisLog({ client });
      const watcher = new Recorder();
      const established = watcher.nextReady();
      const stop = log.watch('acl', watcher);
      await established;
      const key = 'acl';
      const { state } = (await join(log, key))!;
      const owner = 'one';
      const { generation } = state;
      const entries = chunksAfter(state.last, Uint8Array.of(1), Uint8Array.of(2));
      await answer(log.append({ key, owner, generation, entries, trim: entries[0]!.id }));
      await answer(log.renew({ key, producer: { owner, generation }, reader: { member: 'm', cursor: '0-0' } }));
      await answer(log.restart({ key, owner, generation, previous: entries[1]!.id, opening: '{}' }));
      await answer(log.read({ key, after: '0-0' }));
      await answer(log.leave({ key, member: 'm' }));
      await answer(log.seal({ key, condition: 'nobody-present', end: 'abandoned', record: '{}' }));
      await answer(log.forget(key));
      await expect.poll(() => watcher.heard.length).toBe(5);
      stop();
      await log.close();
    } finally {
      close();
      await server.cli('ACL', 'SETUSER', 'default', 'allkeys', 'allchannels', '+@all');
    }
  });

  test('a server without memory: the claim is refused, what runs is read and ended', async () => {
    await server.cli('FLUSHALL');
    const { client, close } = await open(server.port);
    const log = redisLog({ client });
    const running = await join(log, 'running');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb');
    try {
      await expect(join(log, 'new')).rejects.toThrow(/out of memory: raise maxmemory/);
      const [key, member, cursor] = ['running', 'm2', '0-0'] as const;
      const reader = await answer(log.join({ key, member, cursor, claim: claimOf('two') }));
      expect(reader).toMatchObject({ claimed: false, state: { status: 'running' } });
      expect(reader?.present).toHaveLength(2);
      const payload = Uint8Array.of(1);
      const entries = [{ id: `${running!.state.generation}-1024`, previous: running!.state.last, record: '', payload }];
      const append = { key, owner: 'one', generation: running!.state.generation, entries: anything(entries) };
      await expect(answer(log.append(append))).rejects.toMatchObject({ code: 'log-unavailable' });
      const sealed = await answer(log.seal({ key, condition: 'running', end: 'failed', record: '{}' }));
      expect(sealed.sealed).toBe(true);
    } finally {
      await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    }
    await log.close();
    close();
  });

  test('an eviction policy that evicts: a warning with its name', async () => {
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>;
    const { client, close } = await open(server.port);
    const log = redisLog({ client });
    try {
      await join(log);
      const [warning] = await warned;
      expect(warning).toMatchObject({ name: 'RedisEvictionWarning', code: 'RX_LAMBDA_STREAM_EVICTION' });
      expect(warning.message).toContain('maxmemory-policy volatile-lru');
    } finally {
      await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
    await log.close();
    close();
  });
});

test('a server of an older version: the version is named, and the one that is needed', async () => {
  // Answers as Redis 6.2 does, as far as a client and the first question of the log go.
  const old: Server = createServer((socket) => {
    socket.on('data', (data) => {
      const info = 'redis_version:6.2.14\r\nredis_mode:standalone\r\nloading:0\r\n';
      for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const isInfo = command?.toLowerCase() === 'info';
        socket.write(isInfo ? `$${info.length}\r\n${info}\r\n` : '-ERR unknown command\r\n');
      }
    });
    socket.on('error', () => undefined);
  });
  old.listen(0, '127.0.0.1');
  await once(old, 'listening');
  const { port } = old.address() as { port: number };
  const client = new Redis5(port, '127.0.0.1').on('error', () => undefined);
  const log = redisLog({ client });
  await expect(join(log)).rejects.toThrow(/Redis 6\.2\.14 is too old.*SPUBLISH came with Redis 7\.0/);
  await log.close();
  client.disconnect();
  old.close();
});

test('a client that the application closes: no call waits', async () => {
  const { client, close } = await singleClients['redis 6'](server.port);
  const log = redisLog({ client });
  await join(log);
  close();
  await expect(answer(log.inspect('key'))).rejects.toMatchObject({ code: 'log-unavailable' });
  await log.close();
  await expect(answer(log.inspect('key'))).rejects.toThrow(/closed/);
  const watcher = new Recorder();
  log.watch('key', watcher);
  await expect.poll(() => watcher.failures).toHaveLength(1);
});
