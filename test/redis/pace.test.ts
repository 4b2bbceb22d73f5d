import { setTimeout as pause } from 'node:timers/promises';
import { concat, interval, map, of, tap } from 'rxjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import { startLocalLambda, type LocalLambda } from '../../src/local/index.js';
import { chunkEvent, headEvent } from '../../src/testing/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until } from '../support/redis-server.js';
import { consume, largeResponse, pausable, type Outcome } from './consume.js';
import { startMachine, type Consumer, type Machine } from './machine.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const redis = useRedis()('redis 6');
const chunkBytes = 65_536;

let local: LocalLambda;
let machines: readonly Machine[];
let mayBegin: Promise<void>;

beforeAll(async () => {
  local = await startLocalLambda({
    functions: {
      large: async function* () {
        await mayBegin;
        for (let index = 0; index < chunks; index += 1) yield numberedBytes(index * chunkBytes, chunkBytes);
      },
    },
  });
  const ports = (await redis.servers()).map(({ port }) => port);
  const settings = { client: 'redis 6', ports, endpoint: local.endpoint } as const;
  machines = await Promise.all([startMachine(settings), startMachine(settings)]);
});
afterAll(async () => {
  await Promise.all(machines.map((machine) => machine.kill()));
  await local.close();
});

/** 100 MiB, with a window of 1 MiB. */
const chunks = 1_600;
const totalBytes = chunks * chunkBytes;
const maxReplayBytes = 1024 * 1024;

/** Joins on both machines before the function has written a byte. The first one produces. */
async function joinBoth(key: string, leaseMs: number): Promise<readonly [producing: Consumer, reading: Consumer]> {
  const [producer, reader] = machines as [Machine, Machine];
  let begin = (): void => undefined;
  mayBegin = new Promise((resolve) => (begin = resolve));
  const options = { maxReplayBytes, leaseMs };
  const producing = producer.join(key, 'large', {}, options);
  await until(() => producing.hasOpened);
  const reading = reader.join(key, 'large', {}, options);
  await until(async () => (await redis.command('HLEN', `rx:{${key}}:here`)).join() === '2');
  begin();
  return [producing, reading];
}

test('a reader process is frozen in 100 MB with a window of 1 MB: the producer waits, and all arrives', async () => {
  const [producing, frozen] = await joinBoth('frozen', 60_000);
  await frozen.reaches(10 * maxReplayBytes);
  machines[1]!.signal('SIGSTOP');
  // For the two seconds that the issue asks for.
  await pause(2_000);
  expect(producing.isOver).toBe(false);
  // A window, and what the process had taken without a word of it.
  expect(producing.bytes - frozen.bytes).toBeLessThan(4 * maxReplayBytes);
  machines[1]!.signal('SIGCONT');
  for (const end of await Promise.all([producing.ended, frozen.ended])) {
    expect(end).toEqual({ bytes: totalBytes, isWhole: true, kinds: ['head', 'complete'] });
  }
});

test('a reader process that does not come back is left behind after a lease, and told when it does', async () => {
  const [producing, left] = await joinBoth('left', 1_000);
  await left.reaches(maxReplayBytes);
  machines[1]!.signal('SIGSTOP');
  expect(await producing.ended).toEqual({ bytes: totalBytes, isWhole: true, kinds: ['head', 'complete'] });
  machines[1]!.signal('SIGCONT');
  expect(await left.ended).toMatchObject({ isWhole: true, error: { code: 'replay-limit' } });
});

test('20 late joiners of 16 MiB: everything to each, and the tokens of another stream keep coming', async () => {
  const [writer, joiner] = await Promise.all([redis.openMachine(), redis.openMachine()]);
  const largeBytes = 256 * chunkBytes;
  const open = pausable(() => largeResponse(256));
  const written = consume(joinInvocation(writer, 'large', open, { maxReplayBytes: 2 * largeBytes }));
  await written.ended;
  expect(written.end).toBe('complete');

  let late: readonly Outcome[] = [];
  const arrived = (): number => late.reduce((sum, { bytes }) => sum + bytes, 0);
  /** How much of the large response had arrived at each token. */
  const atToken: number[] = [];
  const ticks = concat(of(headEvent()), interval(5).pipe(map((index) => chunkEvent(numberedBytes(index * 5, 5)))));
  const ticking = consume(joinInvocation(writer, 'beside', () => ticks));
  const beside = consume(followInvocation(joiner, 'beside').pipe(tap(() => atToken.push(arrived()))));
  await until(() => beside.bytes > 0);
  late = Array.from({ length: 20 }, () => consume(followInvocation(joiner, 'large')));
  await Promise.all(late.map(({ ended }) => ended));
  for (const { bytes, isWhole, end } of late) {
    expect({ bytes, isWhole, end }).toEqual({ bytes: largeBytes, isWhole: true, end: 'complete' });
  }
  expect(beside.isWhole).toBe(true);
  // No large part of it came between two tokens.
  const steps = [...atToken, arrived()].map((bytes, index) => bytes - (atToken[index - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThan(arrived() / 4);
  beside.leave();
  ticking.leave();
});
