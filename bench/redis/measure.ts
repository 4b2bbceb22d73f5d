import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RedisServer } from '../../test/support/redis-server.js';

export interface Job {
  readonly role: 'log-producer' | 'log-reader' | 'xadd-producer' | 'xread-reader' | 'poll-reader';
  readonly port: number;
  readonly streams: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly tokenBytes: number;
  /** Consumers of each stream in this process. */
  readonly followers: number;
}

/** What a process measured. Lags are in milliseconds. */
export interface Measured {
  readonly tokens: number;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Result {
  readonly producer: Measured;
  readonly readers: readonly Measured[];
  readonly redisCpuMs: number;
}

async function start(job: Job): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./log-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, JOB: JSON.stringify(job) },
  });
  await once(child, 'message');
  return child;
}

/** Lets one process write and others read, and adds up what it took. */
export async function measure(
  server: RedisServer,
  writes: Job['role'],
  reads: Job['role'],
  load: Omit<Job, 'role' | 'port'>,
  processes = 1,
): Promise<Result> {
  await server.cli('FLUSHALL');
  const job = (role: Job['role']): Job => ({ ...load, role, port: server.port });
  const producer = await start({ ...job(writes), followers: 1 });
  const readers = await Promise.all(Array.from({ length: processes }, () => start(job(reads))));
  const results = [producer, ...readers].map(async (child) => (await once(child, 'message'))[0] as Measured);
  const before = await server.cpuSeconds();
  producer.send('go');
  // Followers of the log need a claim to follow.
  if (writes === 'log-producer') {
    while (Number(await server.cli('DBSIZE')) < 3 * load.streams)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const reader of readers) reader.send('go');
  const [written, ...read] = await Promise.all(results);
  return {
    producer: written as Measured,
    readers: read,
    redisCpuMs: 1000 * ((await server.cpuSeconds()) - before),
  };
}
