import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { medianOf } from '../harness/median.js';
import { nextMessage, withProcesses } from '../harness/processes.js';
import { kibibytesPerStream, microsecondsCpuPerClient, milliseconds, type Row, type Unit } from '../results/row.js';

/** What the processes of a round are told. */
export interface SseTask {
  readonly clients: number;
  readonly everyMs: number;
  /** Tokens before those that are measured: the engine compiles, and the clients' places are made. */
  readonly settleTokens: number;
  readonly tokens: number;
}

export interface ServerReport {
  /** CPU time of the measured tokens. */
  readonly cpuMs: number;
  /** Live memory that an open client holds. */
  readonly bytesPerClient: number;
}

/** How late tokens arrived, in milliseconds. */
export interface ClientsReport {
  readonly p50: number;
  readonly p99: number;
}

const names = ['relay', 'loop'] as const;
const other = 'res.write in a loop';

const tokensPerSecond = 50;
const clients = 1_000;

/** At most 1.3 times the CPU time of a loop that knows neither places, nor pace, nor keys. */
const target = 0.77;

/** A thousand clients of server-sent events read one invocation, from the relay and from a hand-written loop. */
export async function measureRelay({ relayRounds, relaySeconds }: Effort): Promise<Row[]> {
  const task: SseTask = {
    clients,
    everyMs: 1_000 / tokensPerSecond,
    settleTokens: 3 * tokensPerSecond,
    tokens: relaySeconds * tokensPerSecond,
  };
  const samples = await alternate(names, (name) => measureRound(name, task), { rounds: relayRounds, warmUps: 0 });
  const row = (unit: Unit, figure: (round: ServerReport & ClientsReport) => number, measured = ''): Row => ({
    measured: `${clients.toLocaleString('en')} SSE clients of one invocation, ${tokensPerSecond} tokens/s${measured}`,
    unit,
    ours: medianOf(samples.relay, figure),
    against: { name: other, figure: medianOf(samples.loop, figure) },
  });
  return [
    {
      ...row(microsecondsCpuPerClient, ({ cpuMs }) => (cpuMs * 1_000) / (task.tokens * clients)),
      target,
      inReadme: true,
    },
    row(milliseconds, ({ p50 }) => p50, ': lag, median'),
    { ...row(milliseconds, ({ p99 }) => p99, ': lag, p99'), inReadme: true },
    row(kibibytesPerStream, ({ bytesPerClient }) => bytesPerClient / 1_024, ': live memory'),
  ];
}

function measureRound(name: (typeof names)[number], task: SseTask): Promise<ServerReport & ClientsReport> {
  return withProcesses(async (start) => {
    const server = await start(new URL('./sse-server-process.ts', import.meta.url), name, JSON.stringify(task));
    const { port } = await nextMessage<{ port: number }>(server, 'port');
    const readers = await start(
      new URL('./sse-clients-process.ts', import.meta.url),
      String(port),
      JSON.stringify(task),
    );
    await nextMessage<{ open: true }>(readers, 'open');
    const reported = nextMessage<{ report: ServerReport }>(server, 'report');
    const late = nextMessage<{ lags: ClientsReport }>(readers, 'lags');
    server.send('go');
    const [{ report }, { lags }] = await Promise.all([reported, late]);
    return { ...report, ...lags };
  });
}
