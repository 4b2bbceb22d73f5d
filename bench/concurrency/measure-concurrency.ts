import { ours, sdkLoop } from '../events/readers.js';
import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { medianOf } from '../harness/median.js';
import { withProcesses } from '../harness/processes.js';
import {
  cpuSecondsPerSecond,
  eventsPerSecond,
  kibibytesPerStream,
  microsecondsCpuPerEvent,
  type ComparedRow,
  type Row,
  type Unit,
} from '../results/row.js';
import { startServer } from '../server/start-server.js';
import type { ConcurrencyResult, ConcurrencyTask } from './client-process.js';

const names = [ours, sdkLoop] as const;
type Name = (typeof names)[number];
type Samples = Readonly<Record<Name, readonly ConcurrencyResult[]>>;

const streams = 1000;

/** From what is wanted down to what any machine can do; each divides a second into whole milliseconds. */
const paces = [50, 25, 10];

/** How far from the pace tokens may be read: below it they are late, above it late ones are caught up. */
const maxDeviation = 0.05;

/** Above this a process is busy all the time, and reads several tokens at once because they have piled up. */
const mostCpu = 0.9;

/**
 * A thousand streams at once, at the first pace that both contenders hold with time to spare; what they did at the
 * paces before is told as well, of a single round. Each round has processes of its own, so that memory begins anew.
 */
export async function measureConcurrency({ concurrencyRounds, concurrencySeconds: seconds }: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const tokensPerSecond of paces) {
    const task: ConcurrencyTask = { streams, tokensPerSecond, settleSeconds: 3, seconds };
    let samples = await measureRounds(task, 1);
    const failed = names.filter((name) => !holds(samples[name][0]!, tokensPerSecond));
    const isHeld = failed.length === 0;
    if (isHeld || tokensPerSecond === paces.at(-1)) {
      const more = await measureRounds(task, concurrencyRounds - 1);
      samples = { [ours]: [...samples[ours], ...more[ours]], [sdkLoop]: [...samples[sdkLoop], ...more[sdkLoop]] };
    }
    rows.push(...toRows(samples, tokensPerSecond, failed));
    if (isHeld) break;
  }
  return rows;
}

function measureRounds(task: ConcurrencyTask, rounds: number): Promise<Samples> {
  return alternate(names, (name) => measureRound(name, task), { rounds, warmUps: 0 });
}

function measureRound(name: Name, task: ConcurrencyTask): Promise<ConcurrencyResult> {
  return withProcesses(async (start) => {
    const { port } = await startServer(start);
    const client = await start(new URL('./client-process.ts', import.meta.url), name, String(port));
    return (await measureIn<ConcurrencyResult>(client, task)).result;
  });
}

function holds(result: ConcurrencyResult, tokensPerSecond: number): boolean {
  const { cpuSecondsPerSecond: cpu, serverCpuSecondsPerSecond: serverCpu } = result;
  return reaches(result, tokensPerSecond) && cpu <= mostCpu && serverCpu <= mostCpu;
}

function reaches(result: ConcurrencyResult, tokensPerSecond: number): boolean {
  return Math.abs(result.eventsPerSecond / (streams * tokensPerSecond) - 1) <= maxDeviation;
}

function toRows(samples: Samples, tokensPerSecond: number, failed: readonly Name[]): Row[] {
  const isHeld = failed.length === 0;
  const load = `${streams.toLocaleString('en')} streams, ${tokensPerSecond} tokens/s each`;
  const verdict = isHeld ? load : `${load} (not held by ${failed.join(' and ')})`;
  const row = (measured: string, unit: Unit, figure: (result: ConcurrencyResult) => number): ComparedRow => {
    const figureOf = (name: Name): number => medianOf(samples[name], figure);
    return { measured, unit, ours: figureOf(ours), against: { name: sdkLoop, figure: figureOf(sdkLoop) } };
  };
  const reached = row(verdict, eventsPerSecond, (result) => result.eventsPerSecond);
  const cpu = row(verdict, cpuSecondsPerSecond, (result) => result.cpuSecondsPerSecond);
  const server = row(`${load}: the server`, cpuSecondsPerSecond, (result) => result.serverCpuSecondsPerSecond);
  const perEvent = row(
    load,
    microsecondsCpuPerEvent,
    (result) => (result.cpuSecondsPerSecond / result.eventsPerSecond) * 1e6,
  );
  const isReached = names.every((name) => samples[name].every((result) => reaches(result, tokensPerSecond)));
  // Of different rates the time cannot be compared.
  if (!isReached) return [{ ...reached, inReadme: true }, uncompared(cpu), perEvent, uncompared(server)];
  const rates: Row[] = [reached, { ...cpu, inReadme: true }, perEvent, uncompared(server)];
  // Tokens that have piled up would count as the streams' memory.
  if (!isHeld) return rates;
  const heap = row(`${load}: live heap`, kibibytesPerStream, (result) => result.heapBytesPerStream / 1024);
  return [
    ...rates,
    { ...heap, inReadme: true },
    row(`${load}: resident set`, kibibytesPerStream, (result) => result.residentBytesPerStream / 1024),
  ];
}

const uncompared = (row: ComparedRow): Row => ({ ...row, against: { ...row.against, comparable: false } });
