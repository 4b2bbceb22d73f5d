import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { decodeText } from 'rx-lambda-stream';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { relayedInvoke } from 'rx-lambda-stream/http';
import { tap } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from '../relay/tcp-proxy.js';
import { follow, type Followed } from '../relay/written-invocation.js';
import { gate } from '../support/live.js';
import { printed } from '../support/printed.js';
import { startRedisServer } from '../support/redis-server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a file of the example; it is gone when the test is. */
function run(file: string, env: NodeJS.ProcessEnv = {}): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/relay-many/${file}`], {
    cwd: root,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  return child;
}

/** A page that shows a report. */
interface Page extends Followed<string> {
  /** What it shows now. */
  readonly text: () => string;
  /** The modes of its retries. */
  readonly modes: readonly string[];
}

/** Reads a report, and empties the page where it begins anew. */
function readReport(url: string): Page {
  let text = '';
  const modes: string[] = [];
  // The example names its reports by the path.
  const fetch = (path: string, init: RequestInit): Promise<Response> =>
    globalThis.fetch(path.replace(/\/2021.*/, '/reports/today'), init);
  const invoke = relayedInvoke({ url, fetch, reconnect: { maxAttempts: 40, maxDelayMs: 500 } });
  const page = follow(
    invoke(undefined, { FunctionName: 'report' }).pipe(
      tap((event) => {
        if (event.type !== 'retry') return;
        modes.push(event.mode);
        if (event.mode === 'restart') text = '';
      }),
      decodeText(),
      tap((piece) => (text += piece)),
    ),
  );
  return { ...page, text: () => text, modes };
}

const sentence = 'two relay processes over Redis, behind a round-robin proxy: one ends by %s in mid-answer';

test.each(['SIGKILL', 'SIGTERM'] as const)(
  `${sentence}, and every text is whole`,
  async (signal) => {
    const words = Array.from({ length: 100 }, (_, index) => `word ${index}\n`);
    const { opened: killed, open: goOn } = gate();
    const local = await startLocalLambda({
      functions: {
        report: async function* () {
          for (const word of words) {
            if (word === words[50]) await killed;
            yield word;
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
        const child = run('node.ts', {
          REDIS_URL: `redis://127.0.0.1:${redis.port}`,
          AWS_ENDPOINT_URL_LAMBDA: local.endpoint,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
        });
        const [, port] = await printed(child, /port: (\d+)/);
        return { child, port: Number(port) };
      }),
    );
    const proxy = await startTcpProxy(...nodes.map(({ port }) => port));

    // The first connection is the first process's, which reads from Lambda for all.
    const pages = [readReport(proxy.url)];
    await local.request(0);
    pages.push(readReport(proxy.url), readReport(proxy.url));
    for (const page of pages) await page.until(() => page.text().endsWith('word 49\n'));
    expect(proxy.connections).toBe(3);
    const [{ child }] = nodes as [(typeof nodes)[0]];
    const exited = once(child, 'exit');
    child.kill(signal);
    expect(await exited).toEqual(signal === 'SIGKILL' ? [null, signal] : [0, null]);
    goOn();
    for (const page of pages) {
      const { completed } = await page.outcome;
      expect([completed, page.text()]).toEqual([true, words.join('')]);
      expect(page.modes.filter((mode) => mode === 'restart')).toHaveLength(1);
    }
    // Two of the three were the killed process's.
    expect(pages.map(({ modes }) => modes.includes('replay'))).toEqual([true, false, true]);
    expect(local.requests).toHaveLength(2);
  },
  120_000,
);

test('examples/relay-many is one command, and a page goes on where one of its processes is killed', async () => {
  const [, first, , port] = await printed(run('main.ts'), /Process (\d+)[^]*Process (\d+)[^]*port: (\d+)/);
  const pages = [1, 2].map(() => readReport(`http://127.0.0.1:${port}`));
  for (const page of pages) await page.until(() => page.text().includes('line 5\n'));
  process.kill(Number(first), 'SIGKILL');
  const whole = Array.from({ length: 100 }, (_, index) => `today, line ${index + 1}\n`).join('');
  for (const page of pages) {
    await page.outcome;
    expect(page.text()).toBe(whole);
  }
}, 120_000);
