import {
  createFlowControl,
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  shareInvocation,
  type InvokeInput,
  type InvokeWithResponseStream,
  type LambdaStreamClient,
} from 'rx-lambda-stream';
import {
  asyncScheduler,
  ignoreElements,
  merge,
  scan,
  tap,
  throttleTime,
  type Observable,
  type ObservableInput,
} from 'rxjs';

/** How far the response is. */
export interface Statistics {
  readonly chunks: number;
  readonly bytes: number;
}

/** Where the response goes. */
export interface FanOutTargets<T> {
  /** Takes the text as it comes, say a terminal's. */
  readonly write: (text: string) => void;
  /** Stores one record; the next one waits for it, and so does the function when records pile up. */
  readonly save: (record: T) => ObservableInput<unknown>;
}

/**
 * Feeds three consumers from one invocation: its text, its records, and live statistics, which are what it emits.
 *
 * The slowest of them sets the pace. When one fails, the whole does, and the connection is closed.
 */
export function fanOut<T>(
  client: LambdaStreamClient,
  input: InvokeInput,
  { write, save }: FanOutTargets<T>,
  invoke: InvokeWithResponseStream = invokeWithResponseStream,
): Observable<Statistics> {
  const flow = createFlowControl({ highWaterMark: 64 });
  const response = invoke(client, input, { pauseWhile: flow.paused }).pipe(shareInvocation());

  const text = response.pipe(decodeText(), tap(write), ignoreElements());
  const records = response.pipe(parseNdjson<T>(), flow.mergeMap(save, 1), ignoreElements());
  const statistics = response.pipe(
    scan(
      ({ chunks, bytes }, event) =>
        event.type === 'chunk' ? { chunks: chunks + 1, bytes: bytes + event.payload.length } : { chunks, bytes },
      { chunks: 0, bytes: 0 },
    ),
    throttleTime(100, asyncScheduler, { leading: true, trailing: true }),
  );
  return merge(text, records, statistics);
}

// npx tsx examples/fan-out.ts
if (process.argv[1] === import.meta.filename) {
  const { LambdaClient } = await import('@aws-sdk/client-lambda');
  const { mkdtemp, open, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const path = await import('node:path');
  const { startLocalLambda } = await import('rx-lambda-stream/local');
  const { lastValueFrom } = await import('rxjs');

  const local = await startLocalLambda({
    functions: {
      rows: async function* () {
        for (let id = 0; id < 20; id++) {
          yield `${JSON.stringify({ id, square: id * id })}\n`;
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
      },
    },
  });
  const client = new LambdaClient(local.clientConfig);
  const folder = await mkdtemp(path.join(tmpdir(), 'fan-out-'));
  const file = await open(path.join(folder, 'rows.ndjson'), 'w');
  const statistics = fanOut(
    client,
    { FunctionName: 'rows' },
    {
      write: (text) => process.stdout.write(text),
      save: (record) => file.appendFile(`${JSON.stringify(record)}\n`),
    },
  );
  await lastValueFrom(statistics.pipe(tap((state) => console.error(state))));
  console.error((await file.stat()).size, 'bytes in the file');
  await file.close();
  await rm(folder, { recursive: true });
  client.destroy();
  await local.close();
}
