/**
 * `npm run bench`: this package against the SDK's own `for await` loop, over one loopback server in another process,
 * in one run, in alternating rounds. Ratios above 1 mean that this package is that many times faster.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { shapes, type Shape } from './shapes.js';

const rounds = Number(process.env['ROUNDS'] ?? 7);

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function startServer(): Promise<{ server: ChildProcess; port: number }> {
  const server = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), { execArgv: process.execArgv });
  const port = await new Promise<number>((resolve) => {
    server.once('message', (message: { port: number }) => resolve(message.port));
  });
  return { server, port };
}

async function cost(run: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

function check(shape: Shape, events: number, bytes: number): void {
  if (events !== shape.events || bytes !== shape.events * shape.payloadBytes) {
    throw new Error(`${shape.name}: ${events} events with ${bytes} bytes arrived`);
  }
}

async function sdkLoop(client: LambdaClient, FunctionName: string, shape: Shape): Promise<void> {
  let events = 0;
  let bytes = 0;
  const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName }));
  for await (const { PayloadChunk } of EventStream!) {
    if (PayloadChunk?.Payload === undefined) continue;
    events++;
    bytes += PayloadChunk.Payload.length;
  }
  check(shape, events, bytes);
}

async function ours(client: LambdaClient, FunctionName: string, shape: Shape): Promise<void> {
  let events = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    invokeWithResponseStream(client, { FunctionName }).subscribe({
      next(event) {
        if (event.type !== 'chunk') return;
        events++;
        bytes += event.payload.length;
      },
      complete: resolve,
      error: reject,
    });
  });
  check(shape, events, bytes);
}

async function benchThroughput(client: LambdaClient): Promise<void> {
  console.log(`\nEvents against the SDK's own loop (medians of ${rounds} alternating rounds)\n`);
  console.log('shape            SDK ev/s    ours ev/s   wall ratio  CPU ratio  target');
  for (const [i, shape] of shapes.entries()) {
    const name = `shape-${i}`;
    const sdk: Cost[] = [];
    const own: Cost[] = [];
    // The first round of each warms up and does not count.
    for (let round = 0; round <= rounds; round++) {
      const pair = [
        async () => sdk.push(await cost(() => sdkLoop(client, name, shape))),
        async () => own.push(await cost(() => ours(client, name, shape))),
      ];
      for (const measure of round % 2 ? pair : pair.reverse()) await measure();
      if (round === 0) sdk.length = own.length = 0;
    }
    const wall = [sdk, own].map((costs) => median(costs.map(({ wallMs }) => wallMs)));
    const cpu = [sdk, own].map((costs) => median(costs.map(({ cpuMs }) => cpuMs)));
    const perSecond = wall.map((ms) =>
      Math.round((shape.events / ms) * 1000)
        .toLocaleString('en')
        .padStart(11),
    );
    console.log(
      `${shape.name.padEnd(15)} ${perSecond.join(' ')}  ${(wall[0]! / wall[1]!).toFixed(2).padStart(9)}x ` +
        `${(cpu[0]! / cpu[1]!).toFixed(2).padStart(8)}x  ${shape.target}x`,
    );
  }
}

async function benchLatency(client: LambdaClient, server: ChildProcess): Promise<void> {
  const toHead: number[] = [];
  const toClose: number[] = [];
  for (let round = 0; round < 30; round++) {
    const seen: Record<string, bigint> = {};
    const moments = new Promise<void>((resolve) => {
      const listen = ({ moment, at }: { moment: string; at: string }): void => {
        seen[moment] = BigInt(at);
        if (moment !== 'closed') return;
        server.off('message', listen);
        resolve();
      };
      server.on('message', listen);
    });
    let head = 0n;
    let unsubscribed = 0n;
    await new Promise<void>((resolve, reject) => {
      const subscription = invokeWithResponseStream(client, { FunctionName: 'latency' }).subscribe({
        next({ type }) {
          if (type === 'head') {
            head = process.hrtime.bigint();
          } else {
            unsubscribed = process.hrtime.bigint();
            subscription.unsubscribe();
            resolve();
          }
        },
        error: reject,
      });
    });
    await moments;
    toHead.push(Number(head - seen['headers']!) / 1e6);
    toClose.push(Number(seen['closed']! - unsubscribed) / 1e6);
  }
  const show = (values: number[]): string =>
    `${median(values).toFixed(2)} ms (worst ${Math.max(...values).toFixed(2)} ms)`;
  console.log(`\nFrom the HTTP headers to the head event, with the first frame 100 ms later: ${show(toHead)}`);
  console.log(`From unsubscribing to the server's close: ${show(toClose)}\n`);
}

const { server, port } = await startServer();
const client = new LambdaClient({
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
});
try {
  await benchThroughput(client);
  await benchLatency(client, server);
} finally {
  client.destroy();
  server.kill();
}
