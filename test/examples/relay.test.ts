import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { relayedInvoke } from '../../src/http/relayed-invoke.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { printed } from '../support/printed.js';
import { ask, readUntil, send } from '../relay/relay-server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs an example, and resolves with the address that it prints. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const [, port = ''] = await printed(child, /(?:127\.0\.0\.1:|port: )(\d+)/);
  return `http://127.0.0.1:${port}`;
}

const sse = { accept: 'text/event-stream' };

test('examples/relay, run by the demo, relays one report to all who ask, and serves its page', async () => {
  const url = await start(['examples/demo.ts', '--relay']);
  expect((await ask(url, { method: 'GET', path: '/' })).text).toContain('EventSource');
  const texts = await Promise.all(
    [1, 2].map(async () => {
      const response = await send(url, { method: 'GET', path: '/reports/today', headers: sse });
      const text = await readUntil(response, /line 3\\n/);
      response.destroy();
      return text;
    }),
  );
  const [first, second] = texts.map((text) => /id: (\d+)-0/.exec(text)?.[1]);
  expect(first).toMatch(/^\d+$/);
  expect(second).toBe(first);
  expect((await ask(url, { method: 'GET', path: '/other', headers: sse })).status).toBe(404);
});

describe('examples/relay-hono', () => {
  test('lets in whom it knows, and relays the function', async () => {
    const local = await startLocalLambda({
      functions: {
        chat: async function* ({ prompt }: { prompt: string }) {
          yield await Promise.resolve(`You said ${prompt}`);
        },
      },
    });
    onTestFinished(() => local.close());
    const url = await start(['examples/relay-hono/main.ts'], {
      AWS_ENDPOINT_URL_LAMBDA: local.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
    const input = { FunctionName: 'chat', Payload: { prompt: 'hi' } };
    const stranger = await outcomeOf(relayedInvoke({ url: `${url}/api` })(undefined, input));
    expect(stranger.error).toMatchObject({ message: 'Sign in first', $metadata: { httpStatusCode: 401 } });
    const ann = await outcomeOf(relayedInvoke({ url: `${url}/api`, headers: { 'x-user': 'ann' } })(undefined, input));
    expect(textOf(ann.values)).toBe('You said hi');
    expect(local.requests).toHaveLength(1);
  });
});
