import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { medianOf } from '../harness/median.js';
import {
  bytesPerByte,
  microsecondsCpuPerFollower,
  microsecondsCpuPerToken,
  milliseconds,
  type Row,
} from '../results/row.js';
import { largeBytes, lateJoiners } from './protocol.js';
import { runRound, type Contender, type Load, type Round } from './run-round.js';

const xread = 'XREAD BLOCK over all keys, one connection';
const poll = 'XRANGE every 100 ms a stream';
const subscribe = 'SUBSCRIBE by the bare client: what no reader of pub/sub can be below';
const contenders: Readonly<Record<'the log' | typeof xread | typeof poll | typeof subscribe, Contender>> = {
  'the log': { producer: 'log-producer', reader: 'log-reader' },
  [xread]: { producer: 'xadd-producer', reader: 'xread-reader' },
  [poll]: { producer: 'xadd-producer', reader: 'poll-reader' },
  [subscribe]: { producer: 'log-producer', reader: 'subscribe-reader' },
};
type Name = keyof typeof contenders;

const followersPerProcess = 250;
const processes = 4;

/** What sharing invocations over Redis costs: latency, CPU and memory. Without a redis-server it measures nothing. */
export async function measureLog(effort: Effort): Promise<Row[]> {
  if (!(await hasRedis())) {
    console.log('log: left out, since there is no redis-server in the PATH');
    return [];
  }
  const server = await startRedisServer();
  try {
    return [
      ...(await measureStreams(server, 1, 25, effort, [xread])),
      ...(await measureStreams(server, 200, 25, effort, [xread, poll, subscribe])),
      ...(await measureStreams(server, 1_000, 20, effort, [xread, poll, subscribe])),
      ...(await measureMemory(server, effort)),
      ...(await measureFollowers(server, effort)),
      await measureLateJoiners(server, effort),
    ];
  } finally {
    await server.stop();
  }
}

async function hasRedis(): Promise<boolean> {
  return promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  );
}

const loadOf = (streams: number, perSecond: number, { logSeconds: seconds }: Effort): Load => ({
  streams,
  perSecond,
  tokenBytes: 8,
  followers: 1,
  settleSeconds: 2,
  seconds,
});

async function measureStreams(
  server: RedisServer,
  streams: number,
  perSecond: number,
  effort: Effort,
  others: readonly Exclude<Name, 'the log'>[],
): Promise<Row[]> {
  const load = loadOf(streams, perSecond, effort);
  const rounds = { rounds: effort.logRounds, warmUps: 0 };
  const samples = await alternate<Name, Round>(
    ['the log', ...others],
    (name) => runRound(server, contenders[name], load),
    rounds,
  );
  const figure = (name: Name, of: (round: Round) => number): number => medianOf(samples[name], of);
  const what = `the log, ${streams} × ${perSecond} tokens/s`;
  const compare = (
    measured: string,
    unit: Row['unit'],
    of: (round: Round) => number,
    by: readonly Name[],
    target?: number,
  ): Row[] =>
    by.map((other): Row => ({
      measured: `${what}: ${measured}`,
      unit,
      ours: figure('the log', of),
      against: { name: other, figure: figure(other, of) },
      ...(target !== undefined && other === xread && { target }),
    }));
  const reader = ({ readers }: Round): Round['readers'][number] => readers[0]!;
  const perToken = (cpuMs: number, round: Round): number => (1000 * cpuMs) / reader(round).tokens;
  const withLatency = others.filter((other) => other !== subscribe);
  const p50 = (round: Round): number => reader(round).p50;
  return [
    // At 20,000 tokens/s the one process that writes has no time left.
    ...(streams <= 200 ? [atMost(`${what}: source to consumer, p50`, figure('the log', p50), maxMedianMs)] : []),
    ...compare('source to consumer, p50', milliseconds, p50, withLatency),
    ...compare('source to consumer, p99', milliseconds, (round) => reader(round).p99, withLatency),
    // With one stream, what a process does while it waits is more than what a token takes.
    ...(streams === 1
      ? []
      : [
          ...compare('reader', microsecondsCpuPerToken, (round) => perToken(reader(round).cpuMs, round), others, 3),
          ...compare('Redis', microsecondsCpuPerToken, (round) => perToken(round.redisCpuMs, round), withLatency),
        ]),
  ];
}

/** What the log may add to a token, and what late joiners may add to those of another stream, in milliseconds. */
const maxMedianMs = 2;
const maxJoinedMs = 50;

/** Compares a time with what it may be. */
function atMost(measured: string, ours: number, most: number): Row {
  return { measured, unit: milliseconds, ours, against: { name: `at most ${most} ms`, figure: most }, target: 1 };
}

/** What Redis holds of tokens of 5 bytes: at a pace at which each has an entry of its own, and under load. */
async function measureMemory(server: RedisServer, effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [streams, perSecond] of [
    [20, 25],
    [20, 1_000],
  ] as const) {
    let held = 0;
    const load = { ...loadOf(streams, perSecond, effort), tokenBytes: 5 };
    await runRound(server, contenders['the log'], load, async () => {
      const key = 'rx:{stream 1}:log';
      const [id] = (await server.cli('XREVRANGE', key, '+', '-', 'COUNT', '1')).split('\n');
      const bytes = Math.floor(Number(id!.split('-')[1]) / 1024);
      held = Number(await server.cli('MEMORY', 'USAGE', key, 'SAMPLES', '0')) / bytes;
    });
    rows.push({
      measured: `the log, bytes in Redis per payload byte: ${streams} × ${perSecond} tokens/s of 5 bytes`,
      unit: bytesPerByte,
      ours: held,
    });
  }
  return rows;
}

/** One invocation, followed by 1,000 consumers in 4 processes. */
async function measureFollowers(server: RedisServer, effort: Effort): Promise<Row[]> {
  const load = { ...loadOf(1, 25, effort), followers: followersPerProcess };
  const contender = { ...contenders['the log'], processes };
  const first = await runRound(server, contender, { ...load, settleSeconds: 0, seconds: 0.035 });
  const { readers } = await runRound(server, contender, load);
  const sum = (of: (reader: Round['readers'][number]) => number): number =>
    readers.reduce((total, reader) => total + of(reader), 0);
  const what = `the log, 1 invocation to ${processes * followersPerProcess} followers on ${processes} processes`;
  return [
    {
      measured: `${what}: first byte, the slowest of them`,
      unit: milliseconds,
      ours: Math.max(...first.readers.map(({ max }) => max)),
    },
    {
      measured: `${what}: a token of one follower`,
      unit: microsecondsCpuPerFollower,
      ours: (1000 * sum(({ cpuMs }) => cpuMs)) / sum(({ tokens }) => tokens),
    },
  ];
}

/** Tokens of one stream, while many others of the same process read a large response from its start. */
async function measureLateJoiners(server: RedisServer, effort: Effort): Promise<Row> {
  const load = loadOf(1, 25, effort);
  const { readers } = await runRound(server, { producer: 'log-producer', reader: 'late-joiners' }, load);
  const measured = `the log, a stream's p99 while ${lateJoiners} join ${largeBytes / 2 ** 20} MiB in its process`;
  return atMost(measured, readers[0]!.p99, maxJoinedMs);
}
