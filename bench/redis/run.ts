/** The invocation log on Redis: `npx tsx bench/redis/run.ts [seconds]`. Starts a redis-server of its own. */
import { startRedisServer } from '../../test/support/redis-server.js';
import { measure, type Result } from './measure.js';

const seconds = Number(process.argv[2] ?? 8);
const server = await startRedisServer();
const show = (value: number, digits = 2): string => value.toFixed(digits).padStart(9);

function print(name: string, { readers, redisCpuMs, producer }: Result): void {
  const tokens = readers.reduce((sum, reader) => sum + reader.tokens, 0);
  const cpuMs = readers.reduce((sum, reader) => sum + reader.cpuMs, 0);
  const worst = Math.max(...readers.map(({ p99 }) => p99));
  const middle = readers.map(({ p50 }) => p50).sort((a, b) => a - b)[Math.floor(readers.length / 2)] ?? NaN;
  console.log(
    `${name.padEnd(44)}${show(middle)}${show(worst)}${show((1000 * cpuMs) / tokens, 1)}` +
      `${show((1000 * producer.cpuMs) / tokens, 1)}${show((1000 * redisCpuMs) / tokens, 1)}${show(tokens, 0)}`,
  );
}

console.log(`${'lags in ms, CPU in µs a token'.padEnd(44)}      p50      p99   reader producer    redis   tokens`);
for (const [streams, perSecond] of [
  [1, 25],
  [200, 25],
  [1_000, 20],
] as const) {
  const load = { streams, perSecond, seconds, tokenBytes: 8, followers: 1 };
  const name = `${streams} × ${perSecond}/s`;
  print(`${name}, the log`, await measure(server, 'log-producer', 'log-reader', load));
  print(`${name}, XREAD BLOCK over all keys`, await measure(server, 'xadd-producer', 'xread-reader', load));
  print(`${name}, XRANGE every 100 ms`, await measure(server, 'xadd-producer', 'poll-reader', load));
}

for (const perSecond of [25, 1_000]) {
  const load = { streams: 20, perSecond, seconds, tokenBytes: 8, followers: 1 };
  await measure(server, 'log-producer', 'log-reader', load);
  const key = 'rx:{stream 1}:log';
  const held = Number(await server.cli('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  const entries = Number(await server.cli('XLEN', key));
  const payload = perSecond * seconds * 8;
  console.log(`20 × ${perSecond}/s: ${show(held / payload)} bytes a payload byte, ${entries} entries`);
}

const fan = { streams: 1, perSecond: 25, seconds, tokenBytes: 8, followers: 250 };
const fanned = await measure(server, 'log-producer', 'log-reader', fan, 4);
const cpu = fanned.readers.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
const lag = Math.max(...fanned.readers.map(({ p99 }) => p99));
console.log(
  `1 to 1,000 followers on 4 processes: first byte p99 ${show(lag)} ms, ${show(cpu / 1_000)} ms CPU a follower`,
);
await server.stop();
