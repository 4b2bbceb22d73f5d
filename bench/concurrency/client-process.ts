/**
 * A process that reads many paced streams at once: its arguments are the reader and the port. A process serves one
 * round.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readerOf } from '../events/readers.js';
import { startClock } from '../harness/cost.js';
import { makeClient } from '../harness/make-client.js';
import { collectGarbage, serveRounds } from '../harness/serve-rounds.js';
import { finishPath, pacedFunction, type PaceReport } from './paced-function.js';

export interface ConcurrencyTask {
  readonly streams: number;
  readonly tokensPerSecond: number;
  /**
   * How long the streams run before they are measured, in seconds. In that time they open, and the engine compiles.
   */
  readonly settleSeconds: number;
  /** How long they are measured, in seconds. */
  readonly seconds: number;
}

export interface ConcurrencyResult {
  readonly eventsPerSecond: number;
  readonly cpuSecondsPerSecond: number;
  readonly serverCpuSecondsPerSecond: number;
  /** The live memory that the open streams hold. */
  readonly heapBytesPerStream: number;
  /** How much the process has grown since before the streams, with garbage. */
  readonly residentBytesPerStream: number;
}

const [, , name, port] = process.argv;
const read = readerOf(name);
const client = makeClient(Number(port));

serveRounds(({ streams, tokensPerSecond, settleSeconds, seconds }: ConcurrencyTask) => async () => {
  let tokens = 0;
  const open = (count: number): { started: Promise<void>; ended: Promise<unknown> } => {
    let waiting = count;
    const { promise: started, resolve } = withResolvers();
    const ended = Promise.all(
      Array.from({ length: count }, () => {
        let isFirst = true;
        return read(client, pacedFunction(tokensPerSecond), () => {
          tokens++;
          if (!isFirst) return;
          isFirst = false;
          if (--waiting === 0) resolve();
        });
      }),
    );
    // A stream that fails before all have started ends the round.
    return { started: Promise.race([started, ended.then(() => undefined)]), ended };
  };
  /** Ends all streams, and checks that no token was lost. */
  const finish = async (ended: Promise<unknown>): Promise<PaceReport> => {
    const response = await fetch(`http://127.0.0.1:${port}${finishPath}`);
    const report = (await response.json()) as PaceReport;
    await ended;
    if (tokens !== report.written) throw new Error(`${report.written} tokens were written, ${tokens} have arrived`);
    tokens = 0;
    return report;
  };

  // One stream comes first, so that memory that is allocated once does not count for the measured streams.
  const first = open(1);
  await first.started;
  await finish(first.ended);
  const before = liveMemory();

  const all = open(streams);
  await all.started;
  await delay(settleSeconds * 1000);

  const cost = startClock();
  const tokensBefore = tokens;
  await delay(seconds * 1000);
  const { wallMs, cpuMs } = cost();
  const arrived = tokens - tokensBefore;

  const resident = process.memoryUsage.rss();
  const after = liveMemory();
  const server = await finish(all.ended);

  return {
    eventsPerSecond: (arrived / wallMs) * 1000,
    cpuSecondsPerSecond: cpuMs / wallMs,
    serverCpuSecondsPerSecond: server.cpuSecondsPerSecond,
    heapBytesPerStream: (after.bytes - before.bytes) / streams,
    residentBytesPerStream: (resident - before.resident) / streams,
  } satisfies ConcurrencyResult;
});

function liveMemory(): { bytes: number; resident: number } {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { bytes: heapUsed + external, resident: rss };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
