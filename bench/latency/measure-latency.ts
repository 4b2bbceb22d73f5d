import type { ChildProcess } from 'node:child_process';
import { ours, sdkLoop } from '../events/readers.js';
import { alternate } from '../harness/alternate.js';
import type { Effort } from '../harness/effort.js';
import { measureIn } from '../harness/measure-in.js';
import { median } from '../harness/median.js';
import { startEach, withProcesses } from '../harness/processes.js';
import { milliseconds, type Row } from '../results/row.js';
import { startServer } from '../server/start-server.js';
import { firstFrameMs, type ClientMoments, type Moment } from './moments.js';

const names = [ours, sdkLoop] as const;

/** Measures how soon an application hears of the response, and how soon the server hears of an unsubscription. */
export function measureLatency({ latencyRounds: rounds }: Effort): Promise<Row[]> {
  return withProcesses(async (start) => {
    const server = await startServer(start);
    const script = new URL('./client-process.ts', import.meta.url);
    const clients = await startEach(names, (name) => start(script, name, String(server.port)));

    const samples = await alternate(
      names,
      async (name) => {
        const seen = momentsOf(server.process);
        const { result } = await measureIn<ClientMoments>(clients[name], null);
        const { headers, closed } = await seen;
        return {
          headMs: Number(result.headAt - headers) / 1e6,
          closeMs: Number(closed - result.leftAt) / 1e6,
        };
      },
      { rounds, warmUps: 2 },
    );
    const row = (measured: string, key: 'headMs' | 'closeMs', sdk: string, of: (ms: number[]) => number): Row => ({
      measured,
      unit: milliseconds,
      ours: of(samples[ours].map((sample) => sample[key])),
      against: {
        name: sdk,
        figure: of(samples[sdkLoop].map((sample) => sample[key])),
        // The SDK waits for the first frame, so that a ratio would say nothing.
        ...(key === 'headMs' && { comparable: false }),
      },
      inReadme: of === median,
    });
    const head = `HTTP headers to \`head\` event, first frame after ${firstFrameMs} ms`;
    const close = "unsubscribing to the server's close";
    const worst = (values: number[]): number => Math.max(...values);
    return [
      row(head, 'headMs', "the SDK's `send()`", median),
      row(`${head}, worst of ${rounds}`, 'headMs', "the SDK's `send()`", worst),
      row(close, 'closeMs', "the SDK's `abort()`", median),
      row(`${close}, worst of ${rounds}`, 'closeMs', "the SDK's `abort()`", worst),
    ];
  });
}

/** Resolves with the moments at which the server wrote the next stream's headers and saw the stream closed. */
function momentsOf(server: ChildProcess): Promise<Record<Moment['moment'], bigint>> {
  return new Promise((resolve) => {
    let headers = 0n;
    const onMessage = ({ moment, at }: Moment): void => {
      if (moment === 'headers') {
        headers = at;
      } else {
        server.off('message', onMessage);
        resolve({ headers, closed: at });
      }
    };
    server.on('message', onMessage);
  });
}
