import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisServer } from '../../test/support/redis-server.js';
import { nextMessage, withProcesses } from '../harness/processes.js';
import type { Order, Report, Role, Task } from './protocol.js';

/** The plan of a round: its writers, its readers, and the number of processes. */
export interface Contender {
  readonly producer: Role;
  readonly reader: Role;
  readonly processes?: number;
}

export type Load = Omit<Task, 'role' | 'port'> & { readonly settleSeconds: number; readonly seconds: number };

/** A round: what its processes have told, and the CPU time of the server. */
export interface Round {
  readonly producer: Report;
  readonly readers: readonly Report[];
  readonly redisCpuMs: number;
}

/** Lets new processes write and read for a while, on an empty server. `look` runs at the end, while they still run. */
export function runRound(
  server: RedisServer,
  { producer, reader, processes = 1 }: Contender,
  { settleSeconds, seconds, ...load }: Load,
  look: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Round> {
  return withProcesses(async (start) => {
    await server.cli('FLUSHALL');
    const startOne = async (role: Role): Promise<ChildProcess> => {
      const task: Task = { ...load, role, port: server.port };
      const child = await start(new URL('./log-process.ts', import.meta.url), JSON.stringify(task));
      await nextMessage<{ ready: true }>(child, 'ready');
      return child;
    };
    const all = [await startOne(producer), ...(await startEach(processes, () => startOne(reader)))];
    const tell = (order: Order['order']): void => {
      for (const child of all) child.send({ order });
    };
    for (const child of all) {
      const done = nextMessage<{ done: true }>(child, 'done');
      child.send({ order: 'open' });
      await done;
    }
    const isLate = reader === 'late-joiners';
    // First bytes are what is measured where nobody settles.
    if (settleSeconds === 0 || isLate) tell('measure');
    tell('go');
    await pause(settleSeconds * 1000);
    if (settleSeconds > 0 && !isLate) tell('measure');
    const before = await server.cpuSeconds();
    await pause(seconds * 1000);
    const reports = all.map((child) => nextMessage<{ report: Report }>(child, 'report'));
    tell('report');
    const [written, ...read] = (await Promise.all(reports)).map(({ report }) => report);
    const redisCpuMs = 1000 * ((await server.cpuSeconds()) - before);
    await look();
    return { producer: written!, readers: read, redisCpuMs };
  });
}

const startEach = <T>(count: number, start: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, start));
