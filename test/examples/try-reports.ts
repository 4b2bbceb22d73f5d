import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startLocalLambda } from 'rx-lambda-stream/local';
import { expect, onTestFinished } from 'vitest';
import { ask, readUntil, send } from '../relay/relay-server.js';
import { printed } from '../support/printed.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs the NestJS example, and asks it twice for one report, as two browsers do.
 *
 * @param tsconfig - Says where the packages of NestJS are.
 */
export async function tryReports(tsconfig: string): Promise<void> {
  const local = await startLocalLambda({
    functions: {
      report: async function* ({ id }: { id: string }) {
        yield `${id}, `;
        yield await Promise.resolve('the end');
      },
    },
  });
  onTestFinished(() => local.close());
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/relay-nestjs/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: '0',
      TSX_TSCONFIG_PATH: tsconfig,
      AWS_ENDPOINT_URL_LAMBDA: local.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const [, url = ''] = await printed(child, /Listening on (http:\/\/\S+:\d+)/);
  const request = { method: 'GET', path: '/reports/today', headers: { accept: 'text/event-stream' } };
  for (let browser = 0; browser < 2; browser++) {
    const response = await send(url, request);
    expect(await readUntil(response, /event: end/)).toContain('data: "the end"');
    response.destroy();
  }
  expect((await ask(url, { ...request, path: '/reports/no/such' })).status).toBe(404);
  expect(local.requests).toHaveLength(1);
}
