import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Position } from '../../src/log/index.js';
import { startLocalLambda, type LocalLambda } from '../../src/local/index.js';
import { startRedisCluster, startRedisServer, until, type RedisServer } from '../support/redis-server.js';
import { startMachine, type Machine, type MachineSettings } from './machine.js';
import { numberedBytes } from './numbered-bytes.js';

interface Tokens {
  readonly count: number;
  readonly everyMs: number;
  readonly size?: number;
  /** A cold start. */
  readonly firstMs?: number;
}

const tokenBytes = 5;

let local: LocalLambda;

beforeAll(async () => {
  local = await startLocalLambda({
    functions: {
      tokens: async function* ({ count, everyMs, size = tokenBytes, firstMs = 0 }: Tokens) {
        if (firstMs > 0) await pause(firstMs);
        for (let index = 0; index < count; index += 1) {
          yield numberedBytes(index * size, size);
          if (everyMs > 0) await pause(everyMs);
        }
      },
    },
  });
});
afterAll(() => local.close());

const settings = {
  'one server, redis 6': { client: 'redis 6', start: () => startRedisServer().then((server) => [server]) },
  'a cluster, ioredis 6': {
    client: 'ioredis 6 cluster',
    start: () => startRedisCluster().then(({ nodes }) => nodes),
  },
} as const;

const leaseMs = 1_000;
let counter = 0;

describe.each(Object.entries(settings))('machines on %s', (_name, { client, start }) => {
  let servers: readonly RedisServer[];
  let machines: Machine[];
  let key: string;

  beforeAll(async () => {
    servers = await start();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  const machineSettings = (): MachineSettings => ({
    client,
    ports: servers.map(({ port }) => port),
    endpoint: local.clientConfig.endpoint,
  });
  beforeAll(async () => {
    machines = await Promise.all([0, 1, 2].map(() => startMachine(machineSettings())));
  });
  beforeEach(() => {
    key = `invocation ${(counter += 1)} of 'é}{%'`;
  });
  afterEach(async () => {
    expect(machines.flatMap(({ faults }) => faults)).toEqual([]);
    // A machine that a test has killed is replaced.
    machines = await Promise.all(
      machines.map(async (machine) => (machine.isAlive ? machine : startMachine(machineSettings()))),
    );
  });
  afterAll(async () => {
    await Promise.all(machines.map((machine) => machine.kill()));
  });

  const invocations = (): number => local.requests.length;

  /**
   * Tells how many tokens the function of the newest invocation writes from now until its connection closes. They come
   * at their pace or slower, so that their number is a time that a slow machine does not lengthen.
   */
  const untilClosed = async (): Promise<{ tokens: number }> => {
    const request = local.requests.at(-1)!;
    const { payloadBytes } = request;
    expect(await request.closedEarly).toBe(true);
    return { tokens: (request.payloadBytes - payloadBytes) / tokenBytes };
  };

  /** Resolves when so many processes are present in the key. */
  const present = async (count: number): Promise<void> => {
    const here = `rx:{${key.replace(/[{}%]/g, encodeURIComponent)}}:here`;
    await until(async () => {
      const sizes = await Promise.all(servers.map((server) => server.cli('HLEN', here)));
      return sizes.includes(String(count));
    });
  };
  const whole = (bytes: number) => expect.objectContaining({ bytes, isWhole: true }) as unknown;

  test('three processes with several consumers each, early, late and after the end, share one invocation', async () => {
    const before = invocations();
    const payload = { count: 60, everyMs: 15 };
    const early = machines.flatMap((machine) => [1, 2].map(() => machine.join(key, 'tokens', payload)));
    await early[0]!.reaches(100);
    const late = machines.map((machine) => machine.join(key, 'tokens', payload));
    const followers = machines.map((machine) => machine.follow(key));
    const ends = await Promise.all([...early, ...late, ...followers].map(({ ended }) => ended));
    const after = machines.map((machine) => machine.join(key, 'tokens', payload));
    ends.push(...(await Promise.all(after.map(({ ended }) => ended))));
    expect(ends).toEqual(ends.map(() => whole(300)));
    expect(ends.map(({ kinds, error }) => ({ kinds, error }))).toEqual(
      ends.map(() => ({ kinds: ['head', 'complete'], error: undefined })),
    );
    expect(invocations() - before).toBe(1);
  });

  test('the connection closes when the last consumer anywhere leaves, unless one comes back in time', async () => {
    const before = invocations();
    const payload = { count: 4_000, everyMs: 10 };
    const options = { leaseMs, lingerMs: 600 };
    const [first, second] = [machines[0]!, machines[1]!].map((machine) =>
      machine.join(key, 'tokens', payload, options),
    );
    await Promise.all([first!.reaches(20), second!.reaches(20)]);
    await first!.leave();
    await second!.leave();
    const back = machines[2]!.join(key, 'tokens', payload, { ...options, after: second!.position! });
    await back.reaches(second!.bytes + 200);
    const closing = untilClosed();
    await back.leave();
    expect((await closing).tokens * payload.everyMs).toBeLessThan(options.lingerMs + 1_000);
    expect(invocations() - before).toBe(1);
  });

  test('the last consumer crashes: the connection closes a lease later', async () => {
    const payload = { count: 4_000, everyMs: 10 };
    const options = { leaseMs, lingerMs: 300 };
    const producing = machines[0]!.join(key, 'tokens', payload, options);
    await producing.reaches(20);
    const reading = machines[1]!.join(key, 'tokens', payload, options);
    await reading.reaches(20);
    await producing.leave();
    const closing = untilClosed();
    await machines[1]!.kill();
    expect((await closing).tokens * payload.everyMs).toBeLessThan(options.lingerMs + 1_000 + leaseMs);
  });

  test('a stop from another machine closes within 500 ms, everyone is told, and a reload invokes nothing', async () => {
    const payload = { count: 4_000, everyMs: 10 };
    const times: number[] = [];
    // The best of some: a machine that is busy for half a second says nothing about the stop.
    for (let round = 0; round < 5 && !times.some((ms) => ms < 500); round += 1) {
      const before = invocations();
      const ofRound = `${key} ${round}`;
      const consumers = machines.map((machine) => machine.join(ofRound, 'tokens', payload));
      await Promise.all(consumers.map((consumer) => consumer.reaches(20)));
      const closing = untilClosed();
      await machines[2]!.stop(ofRound);
      times.push((await closing).tokens * payload.everyMs);
      const ends = await Promise.all(consumers.map(({ ended }) => ended));
      const reload = await machines[1]!.join(ofRound, 'tokens', { count: 1, everyMs: 1 }).ended;
      expect([...ends, reload].map(({ error }) => error?.code)).toEqual(Array(4).fill('stopped'));
      expect(invocations() - before).toBe(1);
    }
    expect(Math.min(...times)).toBeLessThan(500);
  });

  describe('the producer is killed', () => {
    const payload = { count: 80, everyMs: 20 };
    const killProducer = async (options: object) => {
      const before = invocations();
      const producing = machines[0]!.join(key, 'tokens', payload, { leaseMs, ...options });
      await producing.reaches(20);
      const consumers = [1, 2].flatMap((index) =>
        [1, 2].map(() => machines[index]!.join(key, 'tokens', payload, { leaseMs, ...options })),
      );
      await Promise.all(consumers.map((consumer) => consumer.reaches(50)));
      // Another stream tells the time: its tokens do not come faster, however slow the machine is.
      const beside = machines[1]!.join(`${key} beside`, 'tokens', { count: 4_000, everyMs: 20 });
      await beside.reaches(5);
      const at = beside.bytes;
      await machines[0]!.kill();
      const ends = await Promise.all(consumers.map(({ ended }) => ended));
      const tookMs = ((beside.bytes - at) / tokenBytes) * 20;
      await beside.leave();
      return { ends, tookMs, more: invocations() - before - 2 };
    };

    test('by default every consumer has a ProducerLostError within two leases, and nothing is invoked', async () => {
      const { ends, tookMs, more } = await killProducer({ leaseMs: 2_000 });
      expect(ends.map(({ error }) => error?.code)).toEqual(Array(4).fill('producer-lost'));
      expect(tookMs).toBeLessThanOrEqual(2 * 2_000);
      expect(more).toBe(0);
    });

    test('without `idempotent` nobody takes over', async () => {
      const { ends, more } = await killProducer({ afterProducerLoss: 'restart' });
      expect(ends.map(({ error }) => error?.code)).toEqual(Array(4).fill('producer-lost'));
      expect(more).toBe(0);
    });

    test.each(['restart', 'replay'] as const)(
      '%s: one other machine takes over, and the texts are whole',
      async (mode) => {
        const { ends, more } = await killProducer({ idempotent: true, afterProducerLoss: mode });
        expect(ends).toEqual(ends.map(() => whole(400)));
        expect(ends.map(({ kinds }) => kinds.filter((kind) => kind.startsWith('retry')))).toEqual(
          Array(4).fill([`retry ${mode}`]),
        );
        expect(more).toBe(1);
      },
    );

    test('continue: the new invocation follows what was there', async () => {
      const { ends, more } = await killProducer({ idempotent: true, afterProducerLoss: 'continue' });
      expect(ends.map(({ kinds }) => kinds.filter((kind) => kind.startsWith('retry')))).toEqual(
        Array(4).fill(['retry continue']),
      );
      // The function of this test begins at its first byte again: its 400 bytes follow those before the loss.
      expect(new Set(ends.map(({ bytes }) => bytes)).size).toBe(1);
      expect(ends[0]!.bytes).toBeGreaterThan(400 + 20);
      expect(ends.map(({ error }) => error)).toEqual(Array(4).fill(undefined));
      expect(more).toBe(1);
    });

    test('before its first byte: lost, and no unknown key', async () => {
      const options = { leaseMs };
      const producing = machines[0]!.join(key, 'tokens', { count: 3, everyMs: 1, firstMs: 60_000 }, options);
      await until(() => producing.hasOpened);
      const reading = machines[1]!.join(key, 'tokens', payload, options);
      await present(2);
      await machines[0]!.kill();
      expect((await reading.ended).error?.code).toBe('producer-lost');
    });
  });

  describe('the producer is frozen past its lease, and thawed', () => {
    test.each([
      ['after another has written', 0],
      ['before another has written its first byte', 3 * leaseMs],
    ])('%s: not one byte of it appears, its own consumers included', async (_when, firstMs) => {
      const options = { leaseMs, idempotent: true, afterProducerLoss: 'restart' } as const;
      const producing = machines[0]!.join(key, 'tokens', { count: 400, everyMs: 10, size: 3 }, options);
      await producing.reaches(60);
      const payload = { count: 200, everyMs: 20, firstMs };
      const others = [1, 2].map((index) => machines[index]!.join(key, 'tokens', payload, options));
      await Promise.all(others.map((consumer) => consumer.reaches(90)));
      const before = invocations();
      machines[0]!.signal('SIGSTOP');
      await until(() => invocations() > before);
      if (firstMs === 0) await Promise.all(others.map((consumer) => until(() => consumer.bytes % 5 === 0)));
      machines[0]!.signal('SIGCONT');
      const ends = await Promise.all([...others, producing].map(({ ended }) => ended));
      expect(ends).toEqual(ends.map(() => whole(1_000)));
      expect(invocations() - before).toBe(1);
    });

    test("under 'error', where nobody takes over: nothing more, and its consumers are told", async () => {
      const options = { leaseMs };
      const join = (index: number) => machines[index]!.join(key, 'tokens', { count: 1_000, everyMs: 10 }, options);
      const producing = join(0);
      await producing.reaches(20);
      const consumers = [producing, join(1)];
      await Promise.all(consumers.map((consumer) => consumer.reaches(50)));
      machines[0]!.signal('SIGSTOP');
      const other = await consumers[1]!.ended;
      machines[0]!.signal('SIGCONT');
      const own = await consumers[0]!.ended;
      expect([other.error?.code, own.error?.code]).toEqual(['producer-lost', 'producer-lost']);
      expect(own.bytes).toBe(other.bytes);
      const late = await machines[2]!.follow(key).ended;
      expect(late).toMatchObject({ bytes: other.bytes, isWhole: true, error: { code: 'producer-lost' } });
    });
  });

  test('Redis stands still for two leases: every stream completes whole', async () => {
    const keys = Array.from({ length: 6 }, (_, index) => `${key} ${index}`);
    const payload = { count: 150, everyMs: 20 };
    const consumers = keys.flatMap((each) =>
      machines.map((machine) => machine.join(each, 'tokens', payload, { leaseMs })),
    );
    await Promise.all(consumers.map((consumer) => consumer.reaches(50)));
    for (const server of servers) server.freeze();
    await pause(2 * leaseMs);
    for (const server of servers) server.thaw();
    const ends = await Promise.all(consumers.map(({ ended }) => ended));
    expect(ends).toEqual(ends.map(() => whole(750)));
  });

  test('a reader is frozen while its calls wait, for longer than an answer may take: it has the whole', async () => {
    const join = (index: number) => machines[index]!.join(key, 'tokens', { count: 300, everyMs: 20 }, { leaseMs });
    const producing = join(0);
    await producing.reaches(20);
    const reading = join(1);
    await reading.reaches(50);
    // Redis hears the renewals of the next half lease, and answers them when the reader no longer runs.
    for (const server of servers) server.freeze();
    await pause(leaseMs / 2);
    machines[1]!.signal('SIGSTOP');
    for (const server of servers) server.thaw();
    await pause(4 * leaseMs);
    machines[1]!.signal('SIGCONT');
    expect(await Promise.all([producing.ended, reading.ended])).toEqual([whole(1_500), whole(1_500)]);
  });

  test('a machine closes its log at a deploy: the others are told at once, or take over', async () => {
    const payload = { count: 100, everyMs: 20 };
    // Whoever waits for this lease is not done in the test's time.
    const options = { idempotent: true, afterProducerLoss: 'replay', leaseMs: 120_000 } as const;
    const producing = machines[0]!.join(key, 'tokens', payload, options);
    await producing.reaches(50);
    const [told, taking] = [
      machines[1]!.join(key, 'tokens', payload),
      machines[2]!.join(key, 'tokens', payload, options),
    ];
    await Promise.all([told.reaches(50), taking.reaches(50)]);
    await machines[0]!.close();
    expect((await told.ended).error?.code).toBe('producer-lost');
    expect(await taking.ended).toEqual(whole(500));
    expect((await producing.ended).error?.code).toBe('producer-lost');
    await machines[0]!.kill();
  });

  test('all connections are cut, twice in a stream: whole', async () => {
    const consumers = machines.map((machine) => machine.join(key, 'tokens', { count: 200, everyMs: 10 }));
    for (const bytes of [200, 500]) {
      await consumers[0]!.reaches(bytes);
      for (const server of servers) {
        await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }
    }
    const ends = await Promise.all(consumers.map(({ ended }) => ended));
    expect(ends).toEqual(ends.map(() => whole(1_000)));
    expect(ends.map(({ kinds }) => kinds.at(-1))).toEqual(Array(3).fill('complete'));
  });

  test('the data is lost in a stream: every consumer is told, and what arrived is whole', async () => {
    const consumers = machines.map((machine) =>
      machine.join(key, 'tokens', { count: 4_000, everyMs: 10 }, { leaseMs }),
    );
    await Promise.all(consumers.map((consumer) => consumer.reaches(100)));
    for (const server of servers) await server.cli('FLUSHALL');
    const ends = await Promise.all(consumers.map(({ ended }) => ended));
    expect(ends.map(({ error, isWhole }) => ({ code: error?.code, isWhole }))).toEqual(
      Array(3).fill({ code: 'producer-lost', isWhole: true }),
    );
    expect(await local.requests.at(-1)!.closedEarly).toBe(true);
  });

  test('a position is good on every machine, and a stranger starts nothing', async () => {
    const before = invocations();
    const first = machines[0]!.join(key, 'tokens', { count: 40, everyMs: 10 });
    await first.reaches(60);
    const resumed = machines[1]!.follow(key, first.position);
    const again = machines[2]!.join(key, 'tokens', { count: 1, everyMs: 1 }, { after: first.position! });
    const ends = await Promise.all([first, resumed, again].map(({ ended }) => ended));
    expect(ends).toEqual(ends.map(() => whole(200)));
    const unknown = [`${2 ** 52}-0`, `${first.position!.split('-')[0]}-999999`] as Position[];
    const strangers = unknown.map((after) => machines[1]!.join(key, 'tokens', { count: 1, everyMs: 1 }, { after }));
    const told = await Promise.all(strangers.map(({ ended }) => ended));
    expect(told.map(({ error }) => error?.code)).toEqual(Array(2).fill('unknown-invocation'));
    expect((await machines[2]!.follow(`${key} never`).ended).error?.code).toBe('unknown-invocation');
    expect(invocations() - before).toBe(1);
  });
});
