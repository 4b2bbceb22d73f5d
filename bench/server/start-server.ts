import type { ChildProcess } from 'node:child_process';
import { nextMessage, type StartProcess } from '../harness/processes.js';

/** The benchmark's server, ready to answer. */
export interface BenchServer {
  readonly process: ChildProcess;
  readonly port: number;
}

export async function startServer(start: StartProcess): Promise<BenchServer> {
  const process = await start(new URL('./server-process.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(process, 'port');
  return { process, port };
}
