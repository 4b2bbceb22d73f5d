import { spawn } from 'node:child_process';
import type { Agent } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted, startLocalLambda, type LocalLambda } from 'rx-lambda-stream/local';
import { firstValueFrom, lastValueFrom, take, toArray, type Subscription } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { createStreamingClient, invokeInTime } from '../../examples/sockets.js';
import { outcomeOf, typesOf } from '../support/collect.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** Long enough never to pass in a test. */
const longMs = 60_000;

interface Setup {
  readonly local: LocalLambda;
  readonly client: LambdaClient;
  /** Begins a stream that never ends; resolves when it has its socket. */
  readonly hold: () => Promise<Subscription>;
}

async function setUp(maxStreams: number, maxWaitMs: number): Promise<Setup> {
  const local = await startLocalLambda({
    functions: {
      endless: scripted([{ chunk: 'now' }, 'stall']),
      mute: scripted(['stall']),
      short: scripted([{ chunk: 'all' }, { complete: {} }]),
    },
  });
  const client = createStreamingClient(maxStreams, maxWaitMs, local.clientConfig);
  onTestFinished(async () => {
    client.destroy();
    await local.close();
  });
  return {
    local,
    client,
    hold: () =>
      new Promise((resolve, reject) => {
        const subscription: Subscription = invokeInTime(client, { FunctionName: 'endless' }, longMs).subscribe({
          next: ({ type }) => type === 'chunk' && resolve(subscription),
          error: reject,
        });
      }),
  };
}

/** Requests that wait for a socket. */
function queueLength(client: LambdaClient): number {
  const { httpAgent } = (client.config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs();
  return Object.values((httpAgent as Agent).requests).reduce((sum, queue = []) => sum + queue.length, 0);
}

test('as many streams as there are sockets run at a time, with one request each', async () => {
  const { local, hold } = await setUp(3, longMs);
  const held = await Promise.all([hold(), hold(), hold()]);
  expect([local.requests.length, local.openConnections]).toEqual([3, 3]);
  held.forEach((stream) => stream.unsubscribe());
  await local.idle();
});

test('one more waits unsent, and runs when one of them is left', async () => {
  const { local, client, hold } = await setUp(2, longMs);
  const [first] = await Promise.all([hold(), hold()]);
  const waiting = lastValueFrom(invokeInTime(client, { FunctionName: 'short' }, longMs).pipe(toArray()));
  while (queueLength(client) === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(local.requests).toHaveLength(2);
  first.unsubscribe();
  expect(typesOf(await waiting)).toBe('head chunk complete');
  expect(local.requests).toHaveLength(3);
});

test('one that finds no socket in time is announced as not sent, and tried again', async () => {
  const { local, client, hold } = await setUp(1, 500);
  const holder = await hold();
  const events: LambdaStreamEvent[] = [];
  const completed = new Promise<void>((resolve, reject) => {
    invokeInTime(client, { FunctionName: 'short' }, longMs).subscribe({
      next(event) {
        events.push(event);
        if (event.type === 'retry') {
          expect(local.requests).toHaveLength(1);
          holder.unsubscribe();
        }
      },
      error: reject,
      complete: resolve,
    });
  });
  await completed;
  expect(typesOf(events)).toBe('retry head chunk complete');
  expect(events[0]).toMatchObject({ mode: 'fresh', attempt: 2, error: { name: 'TimeoutError' } });
  expect(local.requests.map(({ functionName }) => functionName)).toEqual(['endless', 'short']);
});

test('one that was sent and not answered in time ends in a TimeoutError, its connection closed', async () => {
  const { local, client } = await setUp(1, longMs);
  const { values, error } = await outcomeOf(invokeInTime(client, { FunctionName: 'mute' }, 1_000));
  expect([values, (error as Error).name]).toEqual([[], 'TimeoutError']);
  expect(local.requests).toHaveLength(1);
  expect(await local.requests[0]?.closedEarly).toBe(true);
  // The socket is free again.
  const again = invokeInTime(client, { FunctionName: 'short' }, longMs).pipe(take(1));
  expect((await firstValueFrom(again)).type).toBe('head');
});

test('it runs as it is', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/sockets.ts'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = (await text(child.stdout)).trim().split('\n');
  expect(await ended).toBe(0);
  // The first two may come in either order; the third has two attempts.
  expect(lines.filter((line) => !line.startsWith('third')).sort()).toEqual([
    'first: chunk',
    'first: head',
    'second: chunk',
    'second: head',
  ]);
  expect(lines.filter((line) => line.startsWith('third'))).toEqual(['third: retry', 'third: head', 'third: chunk']);
});
