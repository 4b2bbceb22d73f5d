import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { decodeText, invokeWithResponseStream } from 'rx-lambda-stream';
import { streamifyResponse } from 'rx-lambda-stream/local';
import { lastValueFrom, map, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { drive, streamPath } from './drive.js';

const run = promisify(execFile);

const greet = streamifyResponse(async (event: { name?: string }, stream) => {
  stream.setContentType('text/plain');
  stream.write('Hello, ');
  await Promise.resolve();
  stream.end(event.name ?? 'you');
});

test("the SDK's raw loop reads a stream", async () => {
  const { read } = await drive({ greet });
  const { text, complete, output } = await read('greet', { Payload: '{"name":"SDK"}' });
  expect([text, complete, output.StatusCode, output.ExecutedVersion]).toEqual(['Hello, SDK', {}, 200, '$LATEST']);
});

test("this package's Observable reads a stream", async () => {
  const { local, client } = await drive({ greet });
  const invoke = invokeWithResponseStream(client, { FunctionName: 'greet', Payload: { name: 'RxJS' } });
  expect(
    await lastValueFrom(
      invoke.pipe(
        map(({ type }) => type),
        toArray(),
      ),
    ),
  ).toEqual(['head', 'chunk', 'chunk', 'complete']);
  expect((await lastValueFrom(invoke.pipe(decodeText(), toArray()))).join('')).toBe('Hello, RxJS');
  expect(local.requests).toHaveLength(2);
});

/** Clients that know nothing of AWS: each answers with the response's head and body, as Latin-1. */
const plainClients: [string, (url: string, body: string) => Promise<string>][] = [
  [
    'fetch',
    async (url, body) => {
      const response = await fetch(url, { method: 'POST', body });
      const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      return head + Buffer.from(await response.arrayBuffer()).toString('latin1');
    },
  ],
];
// Not every machine has it; the endpoint's own answer is the same.
if (spawnSync('curl', ['--version']).status === 0) {
  plainClients.push([
    'curl',
    async (url, body) => (await run('curl', ['-sS', '-N', '-D-', '-d', body, url], { encoding: 'latin1' })).stdout,
  ]);
}

test.each(plainClients)('plain %s reads a stream, unsigned', async (_name, post) => {
  const { local } = await drive({ greet });
  const answer = await post(`${local.endpoint}${streamPath('greet')}`, '{"name":"everyone"}');
  expect(answer).toContain('x-amzn-remapped-content-type: text/plain');
  const text = [...answer.matchAll(/:message-type\x07\0\x05event([^\0{]*?)[^]{4}(?=\0|$)/g)].map(
    ([, payload]) => payload,
  );
  expect(text.join('')).toContain('Hello, everyone');
  expect(answer).toContain('InvokeComplete');
});
