import { execFile } from 'node:child_process';
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

test('plain curl reads a stream, unsigned', async () => {
  const { local } = await drive({ greet });
  const url = `${local.endpoint}${streamPath('greet')}`;
  const { stdout } = await run('curl', ['-sS', '-N', '-D-', '-d', '{"name":"curl"}', url], { encoding: 'latin1' });
  expect(stdout).toContain('x-amzn-remapped-content-type: text/plain');
  const text = [...stdout.matchAll(/:message-type\x07\0\x05event([^\0{]*?)[^]{4}(?=\0|$)/g)].map(
    ([, payload]) => payload,
  );
  expect(text.join('')).toContain('Hello, curl');
  expect(stdout).toContain('InvokeComplete');
});
