import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntryId, InvocationLog, JoinAnswer, LogClaim, LogEntry } from '../../src/log/invocation-log.js';
import { redisLog } from '../../src/redis/index.js';
import { startRedisCluster, startRedisServer, type RedisCluster, type RedisServer } from '../support/redis-server.js';
import { clusterClients, singleClients, type OpenClient } from './clients.js';
import { answer, chunksAfter, claimOf, Recorder } from './recorder.js';

const servers: { single?: RedisServer; cluster?: RedisCluster } = {};
beforeAll(async () => {
  [servers.single, servers.cluster] = await Promise.all([startRedisServer(), startRedisCluster()]);
});
afterAll(async () => {
  await Promise.all([servers.single?.stop(), servers.cluster?.stop()]);
});

const openers = {
  ...Object.fromEntries(
    Object.entries(singleClients).map(([name, open]) => [name, () => open((servers.single as RedisServer).port)]),
  ),
  ...Object.fromEntries(
    Object.entries(clusterClients).map(([name, open]) => [name, () => open((servers.cluster as RedisCluster).ports)]),
  ),
} as Readonly<Record<string, () => Promise<OpenClient>>>;

let counter = 0;

describe.each(Object.keys(openers))('the log over %s', (name) => {
  const opened: OpenClient[] = [];
  let log: InvocationLog;
  beforeAll(async () => {
    opened.push(await (openers[name] as () => Promise<OpenClient>)());
    log = redisLog({ client: opened[0]!.client });
  });
  afterAll(async () => {
    await log.close();
    for (const each of opened) each.close();
  });

  const keyOf = (text: string): string => `${text} ${name} ${(counter += 1)}`;
  const joined = async (key: string, owner: string, claim: Partial<LogClaim> = {}): Promise<JoinAnswer> =>
    (await answer(log.join({ key, member: `m-${owner}`, cursor: '0-0', claim: claimOf(owner, claim) }))) as JoinAnswer;

  test('a claim, bytes of any value, the end: read back as they were written', async () => {
    const key = keyOf('plain');
    const { claimed, state, present } = await joined(key, 'one');
    expect({ claimed, status: state.status, present }).toEqual({
      claimed: true,
      status: 'running',
      present: [{ member: 'm-one', cursor: '0-0', leftMs: 5_000 }],
    });
    expect(state.last).toBe(`${state.generation}-0`);
    const entries = chunksAfter(state.last, Uint8Array.of(0, 255, 10), new Uint8Array(65_536).fill(7));
    const { generation } = state;
    const request = { key, owner: 'one', generation, entries };
    expect((await answer(log.append(request))).result).toBe('appended');
    expect((await answer(log.append(request))).result).toBe('again');
    const last = entries.at(-1)!.id;
    const second = Number(last.split('-')[1]);
    const end: LogEntry = {
      id: `${generation}-${second + 1}`,
      previous: last,
      record: '{"type":"complete","text":"€"}',
      payload: new Uint8Array(0),
    };
    const ending = await answer(log.append({ key, owner: 'one', generation, entries: [end], end: 'complete' }));
    expect(ending.result).toBe('appended');
    const page = await answer(log.read({ key, after: state.last }));
    expect(page?.entries).toEqual([...entries, end]);
    expect(page?.state).toMatchObject({ status: 'complete', last: end.id, end: end.record });
    expect(page?.entries[0]?.payload.constructor).toBe(Uint8Array);
  });

  test('of two claims one is granted; the other joins; the first may claim again', async () => {
    const key = keyOf('claims');
    const [first, second] = await Promise.all([joined(key, 'one'), joined(key, 'two')]);
    expect([first.claimed, second.claimed].filter(Boolean)).toHaveLength(1);
    const winner = first.claimed ? 'one' : 'two';
    expect((await joined(key, winner)).claimed).toBe(true);
    expect((await joined(key, winner === 'one' ? 'two' : 'one')).claimed).toBe(false);
  });

  test('an append of another owner, generation or place is refused and leaves nothing', async () => {
    const key = keyOf('fence');
    const { state } = await joined(key, 'one');
    const entries = chunksAfter(state.last, Uint8Array.of(1));
    const { generation } = state;
    const refused = await Promise.all([
      answer(log.append({ key, owner: 'two', generation, entries })),
      answer(log.append({ key, owner: 'one', generation: generation - 1, entries })),
      answer(log.append({ key, owner: 'one', generation, entries: chunksAfter(entries[0]!.id, Uint8Array.of(2)) })),
    ]);
    expect(refused.map(({ result }) => result)).toEqual(['refused', 'refused', 'refused']);
    expect((await answer(log.read({ key, after: '0-0' })))?.entries).toHaveLength(1);
  });

  test('watchers are told of entries with their bytes, and of those who come and go', async () => {
    const key = keyOf('watch }a{b}c');
    const watcher = new Recorder();
    const established = watcher.nextReady();
    const stop = log.watch(key, watcher);
    await established;
    const { state } = await joined(key, 'one');
    const entries = chunksAfter(state.last, Uint8Array.of(0, 255), Uint8Array.of(10, 13));
    await answer(log.append({ key, owner: 'one', generation: state.generation, entries }));
    await answer(log.leave({ key, member: 'm-one' }));
    await expect.poll(() => watcher.presences).toBeGreaterThanOrEqual(2);
    expect(watcher.heard.slice(1)).toEqual(entries);
    expect(watcher.heard[0]).toMatchObject({ id: state.last, previous: '0-0', record: '{"v":1}' });
    stop();
  });

  test('a seal ends what runs, once, and only where its condition holds', async () => {
    const key = keyOf('seal');
    const { state } = await joined(key, 'one', { leaseMs: 1_000 });
    const seal = (condition: 'running' | 'lease-over' | 'nobody-present') =>
      answer(log.seal({ key, condition, end: 'lost', record: '{"type":"lost"}' }));
    expect(await seal('lease-over')).toMatchObject({ sealed: false, state: { status: 'running' } });
    expect(await seal('nobody-present')).toMatchObject({ sealed: false });
    const both = await Promise.all([seal('running'), seal('running')]);
    expect(both.map(({ sealed }) => sealed).filter(Boolean)).toHaveLength(1);
    expect(both[0]).toMatchObject({ state: { status: 'lost', last: `${state.generation}-1` } });
    const next = await joined(key, 'two', { last: `${state.generation}-1` });
    expect(next.claimed).toBe(true);
    expect(next.state.generation).toBeGreaterThan(state.generation);
  });

  test('a take-over that keeps the generation goes on at its place', async () => {
    const key = keyOf('same');
    const { state } = await joined(key, 'one');
    await answer(log.seal({ key, condition: 'running', end: 'lost', record: '{}' }));
    const last = `${state.generation}-1` as EntryId;
    expect((await joined(key, 'two', { generation: 'same', last: '1-1' })).claimed).toBe(false);
    const taken = await joined(key, 'two', { generation: 'same', last });
    expect(taken).toMatchObject({ claimed: true, state: { last: `${state.generation}-2`, owner: 'two' } });
  });

  test('a restart begins a new generation, and its repetition is told', async () => {
    const key = keyOf('restart');
    const { state } = await joined(key, 'one');
    const request = { key, owner: 'one', generation: state.generation, previous: state.last, opening: '{"again":1}' };
    const first = await answer(log.restart(request));
    const second = await answer(log.restart(request));
    expect([first.result, second.result]).toEqual(['appended', 'again']);
    expect(second.state).toMatchObject({ opening: '{"again":1}', last: first.state!.last });
    expect(first.state!.generation).toBeGreaterThan(state.generation);
  });

  test('what is trimmed is named; the newest entry stays', async () => {
    const key = keyOf('trim');
    const { state } = await joined(key, 'one');
    const { generation } = state;
    let { last } = state;
    for (let round = 0; round < 20; round += 1) {
      const entries = chunksAfter(last, ...Array.from({ length: 8 }, () => new Uint8Array(4_000)));
      const trim = last;
      last = entries.at(-1)!.id;
      await answer(log.append({ key, owner: 'one', generation, entries, trim }));
    }
    const page = await answer(log.read({ key, after: '0-0' }));
    expect(page!.entries.length).toBeLessThan(40);
    expect(page!.state.trimmed).toBe(page!.entries[0]!.previous);
    expect(page!.entries.at(-1)!.id).toBe(last);
    await answer(
      log.append({
        key,
        owner: 'one',
        generation,
        entries: chunksAfter(last, Uint8Array.of(1)),
        trim: '9000000000000-0',
      }),
    );
    expect((await answer(log.read({ key, after: '0-0' })))!.entries.at(-1)!.previous).toBe(last);
  });

  test('a page holds at most 1 MiB, and pages follow each other without a gap', async () => {
    const key = keyOf('pages');
    const { state } = await joined(key, 'one');
    const written = chunksAfter(
      state.last,
      ...Array.from({ length: 3_000 }, (_, index) => new Uint8Array(1 + (index % 1500))),
    );
    for (let at = 0; at < written.length; at += 500) {
      const entries = written.slice(at, at + 500);
      await answer(log.append({ key, owner: 'one', generation: state.generation, entries }));
    }
    const read: LogEntry[] = [];
    for (let after = state.last; ;) {
      const page = await answer(log.read({ key, after }));
      if (page!.entries.length === 0) break;
      expect(page!.entries.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(1_048_576);
      read.push(...page!.entries);
      after = read.at(-1)!.id;
    }
    expect(read).toEqual(written);
  });

  test('a renewal takes back a lease that ran out, and gives the keys their time', async () => {
    const key = keyOf('renew');
    const { state } = await joined(key, 'one', { leaseMs: 1_000, ttlMs: 20_000 });
    await expect.poll(async () => (await answer(log.inspect(key)))!.leaseLeftMs, { timeout: 5_000 }).toBeLessThan(0);
    const reader = { member: 'm-two', cursor: state.last };
    const other = await answer(log.renew({ key, reader, producer: { owner: 'two', generation: state.generation } }));
    expect(other!.state.leaseLeftMs).toBeLessThan(0);
    expect(other!.present).toEqual([{ ...reader, leftMs: 1_000 }]);
    const own = await answer(log.renew({ key, producer: { owner: 'one', generation: state.generation } }));
    expect(own!.state.leaseLeftMs).toBeGreaterThan(500);
  });

  test('a key that nobody joined is unknown, everywhere', async () => {
    const key = keyOf('unknown');
    const member = 'm';
    expect(await answer(log.inspect(key))).toBeUndefined();
    expect(await answer(log.read({ key, after: '0-0' }))).toBeUndefined();
    expect(await answer(log.join({ key, member, cursor: '0-0' }))).toBeUndefined();
    expect(await answer(log.renew({ key, reader: { member, cursor: '0-0' } }))).toBeUndefined();
    expect(await answer(log.seal({ key, condition: 'running', end: 'stopped', record: '{}' }))).toEqual({
      sealed: false,
    });
    await joined(key, 'one');
    await answer(log.forget(key));
    expect(await answer(log.inspect(key))).toBeUndefined();
  });
});
