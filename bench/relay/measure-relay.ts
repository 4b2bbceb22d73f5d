// npx tsx bench/relay/measure-relay.ts [clients] [rounds]
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const clients = Number(process.argv[2] ?? 1_000);
const rounds = Number(process.argv[3] ?? 3);
/** 50 tokens a second, for five seconds. */
const tokens = 250;
const everyMs = 20;

interface Round {
  /** The server's CPU time for one token of one client, in microseconds. */
  readonly cpuUs: number;
  readonly p50: number;
  readonly p99: number;
}

const start = (script: string, ...args: readonly (string | number)[]): ChildProcess =>
  fork(fileURLToPath(new URL(script, import.meta.url)), args.map(String), { execArgv: ['--import', 'tsx'] });

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = (await once(child, 'message')) as [T];
  return value;
}

async function measure(kind: 'relay' | 'loop'): Promise<Round> {
  const server = start('server-process.ts', kind, tokens, everyMs);
  const { port } = await message<{ port: number }>(server);
  const client = start('client-process.ts', port, clients);
  await message(client);
  const result = message<{ tokens: number; p50: number; p99: number }>(client);
  server.send('go');
  const { tokens: arrived, p50, p99 } = await result;
  if (arrived !== tokens * clients) throw new Error(`${kind}: ${arrived} of ${tokens * clients} tokens arrived`);
  const report = message<{ cpuMs: number }>(server);
  server.send('report');
  const { cpuMs } = await report;
  server.kill();
  client.kill();
  return { cpuUs: (cpuMs * 1_000) / arrived, p50, p99 };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
const results = { relay: [] as Round[], loop: [] as Round[] };
// In turn, so that what else the machine does meets both.
for (let round = 0; round < rounds; round++) {
  for (const kind of ['loop', 'relay'] as const) results[kind].push(await measure(kind));
}
for (const kind of ['loop', 'relay'] as const) {
  const figure = (name: keyof Round): string => median(results[kind].map((round) => round[name])).toFixed(2);
  console.log(
    `${kind}: ${figure('cpuUs')} µs CPU a client-token, lag p50 ${figure('p50')} ms, p99 ${figure('p99')} ms`,
  );
}
const cpu = (kind: 'relay' | 'loop'): number => median(results[kind].map(({ cpuUs }) => cpuUs));
console.log(
  `relay / loop: ${(cpu('relay') / cpu('loop')).toFixed(2)} of the CPU time (${clients} clients, ${rounds} rounds)`,
);
