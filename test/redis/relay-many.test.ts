import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { relayedInvoke } from 'rx-lambda-stream/http';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from '../relay/tcp-proxy.js';
import { startRedisServer } from '../support/redis-server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('two relay processes over Redis, behind a round-robin proxy: one is killed in mid-answer, and every text is whole', async () => {
  const words = Array.from({ length: 100 }, (_, index) => `word ${index}\n`);
  const local = await startLocalLambda({
    functions: {
      report: async function* () {
        for (const word of words) {
          yield word;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      },
    },
  });
  const redis = await startRedisServer();
  onTestFinished(async () => {
    await local.close();
    await redis.stop();
  });
  const nodes = await Promise.all(
    [1, 2].map(async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'examples/relay-many/node.ts'], {
        cwd: root,
        env: { ...process.env, REDIS_PORT: String(redis.port), LAMBDA_ENDPOINT: local.endpoint },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill());
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      return { child, port: Number(line.toString()) };
    }),
  );
  const [first, second] = nodes;
  const proxy = await startTcpProxy(first!.port, second!.port);
  const fetch = (url: string, init: RequestInit): Promise<Response> =>
    // The example names its reports by the path.
    globalThis.fetch(url.replace(/\/2021.*/, '/reports/today'), init);

  /** The text, and how often it started over. */
  function read(): Promise<{ text: string; modes: string[] }> {
    let text = '';
    const modes: string[] = [];
    const decoder = new TextDecoder();
    return new Promise((resolve, reject) => {
      relayedInvoke({ url: proxy.url, fetch, reconnect: { maxAttempts: 40, maxDelayMs: 500 } })(undefined, {
        FunctionName: 'report',
      }).subscribe({
        next(event: LambdaStreamEvent) {
          if (event.type === 'chunk') text += decoder.decode(event.payload);
          if (event.type !== 'retry') return;
          modes.push(event.mode);
          if (event.mode === 'restart') text = '';
        },
        error: reject,
        complete: () => resolve({ text, modes }),
      });
    });
  }

  const readers = [read(), read(), read()];
  const running = await local.request(0);
  while (running.bytesWritten < 500) await new Promise((resolve) => setTimeout(resolve, 20));
  first!.child.kill('SIGKILL');
  for (const { text } of await Promise.all(readers)) expect(text).toBe(words.join(''));
  expect(local.requests.length).toBeLessThanOrEqual(2);
}, 120_000);
