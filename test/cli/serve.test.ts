import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectResponse, invokeWithResponseStream } from 'rx-lambda-stream';
import { firstValueFrom } from 'rxjs';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { runBin, startBin, type Bin } from './run-bin.js';

const examples = (name: string): string => fileURLToPath(new URL(`../../examples/functions/${name}`, import.meta.url));

let folder: string;

beforeEach(async () => {
  const made = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  folder = made;
  onTestFinished(() => rm(made, { recursive: true }));
});

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** Starts \`serve\` on a free port, and a client with the configuration it prints. */
async function startServe(
  args: readonly string[],
): Promise<{ bin: Bin; client: LambdaClient; text: (name: string, event?: object) => Promise<string> }> {
  const bin = startBin(['serve', ...args, '--port', '0']);
  const printed = await bin.printed(/\}\);\n/);
  const pasted = /new LambdaClient\((\{[^]*?\})\);/.exec(printed)?.[1] ?? '';
  const config = JSON.parse(pasted.replaceAll(/(\w+):\s/g, '"$1": ').replaceAll("'", '"')) as { endpoint: string };
  const client = new LambdaClient({ ...config, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return {
    bin,
    client,
    text: async (FunctionName, Payload = {}) =>
      (
        await firstValueFrom(invokeWithResponseStream(client, { FunctionName, Payload }).pipe(collectResponse()))
      ).text(),
  };
}

test('handler files written for AWS are served unmodified, a line for each invocation', async () => {
  const files = ['chat.js', 'records.js', 'updates.js', 'page.js', 'shop.js'].map(examples);
  const { bin, text } = await startServe(files);

  expect(await text('chat', { prompt: 'hé' })).toBe('You said: hé ✓ (chat $LATEST)\n');
  expect(await text('records', { count: 2 })).toBe('{"id":1,"name":"record 1"}\n{"id":2,"name":"record 2"}\n');
  expect(await text('updates', { step: 100 })).toContain('event: progress\nid: 100\ndata: {"percent":100}\n\n');
  expect(await text('page')).toBe(
    `{"statusCode":201,"headers":{"content-type":"text/html"},"cookies":["visited=1"]}${'\0'.repeat(8)}<h1>Hello</h1>\n`,
  );
  expect(await text('shop.total', { prices: [1, 2] })).toBe('{"total":3}');
  expect(await text('shop.receipt', { prices: [1, 2] })).toBe('1.00\n2.00\n');
  await expect(text('shop.broken')).rejects.toMatchObject({ name: 'FunctionError', errorMessage: 'out of stock' });

  const printed = await bin.printed(/shop\.broken {2}[^]*shop\.js:\d+:\d+/);
  expect(printed).toMatch(/prompt of 2 characters\n.* 200 {2}chat {2}[\d.]+ k?B {2}\d+ ms/);
  expect(printed).toMatch(/shop\.broken .*RangeError: out of stock\n {4}at .*\/shop\.js:\d+:\d+/);
  bin.child.kill('SIGINT');
  expect(await bin.ended).toMatchObject({ code: 0, stderr: '' });
});

test('CommonJS files are served too', async () => {
  const one = await write('one.cjs', 'exports.handler = async (event) => ({ cjs: event.n });');
  const two = await write(
    'two.cjs',
    'exports.a = async () => "a"; module.exports["b"] = async () => "b"; exports.limit = 3;',
  );
  const { text } = await startServe([one, two]);
  expect(await text('one', { n: 1 })).toBe('{"cjs":1}');
  expect(await text('two.a')).toBe('"a"');
  expect(await text('two.b')).toBe('"b"');
});

test('a changed file is loaded again, with what it imports, and a broken one keeps its functions', async () => {
  await mkdir(join(folder, 'lib'));
  await write('lib/word.mjs', 'export const word = "one";');
  const file = await write('fn.mjs', 'import { word } from "./lib/word.mjs"; export const handler = async () => word;');
  await write('part.cjs', 'exports.word = "uno";');
  const cjs = await write('other.cjs', 'const { word } = require("./part.cjs"); exports.handler = async () => word;');
  const { bin, text } = await startServe([file, cjs]);
  expect([await text('fn'), await text('other')]).toEqual(['"one"', '"uno"']);

  await write('lib/word.mjs', 'export const word = "two";');
  await write('part.cjs', 'exports.word = "due";');
  await bin.printed(/loaded fn, other\n/);
  expect([await text('fn'), await text('other')]).toEqual(['"two"', '"due"']);

  await write('fn.mjs', 'export const handler = async () => "three";\n\nconst = 1;\n');
  const complaint = await bin.complained(/cannot load[^]*SyntaxError/);
  expect(complaint).toMatch(/fn\.mjs:3\b/);
  expect(await text('fn')).toBe('"two"');

  await write('fn.mjs', 'export const handler = async () => "four";\nexport const second = async () => 2;\n');
  await bin.printed(/loaded fn\.handler, fn\.second, other\n/);
  expect(await text('fn.handler')).toBe('"four"');
  await expect(text('fn')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a file that cannot be loaded at the start ends it, with file and line', async () => {
  const throws = await write('throws.mjs', '\n\nthrow new TypeError("at load");\n');
  const syntax = await write('syntax.mjs', 'export const a = 1;\nconst = 2;\n');
  const commonJs = await write('syntax.cjs', '\n\n\nconst = 2;\n');
  const missing = join(folder, 'missing.mjs');
  const [first, second, third, fourth] = await Promise.all(
    [throws, syntax, commonJs, missing].map((file) => runBin(['serve', file])),
  );
  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first?.stderr).toMatch(/TypeError: at load\n.*throws\.mjs:3:7/);
  expect(second?.stderr).toMatch(/syntax\.mjs:2\b/);
  expect(third?.stderr).toMatch(/syntax\.cjs:4\b/);
  expect(fourth?.stderr).toContain('missing.mjs');
});

test('what a handler throws outside of its promise is told, and the others live on', async () => {
  const file = await write(
    'wild.mjs',
    `export const bad = async () => { setTimeout(() => { throw new Error('nobody catches this'); }); Promise.reject(new Error('nor this')); return 1; };
     export const good = async () => 2;`,
  );
  const { bin, text } = await startServe([file]);
  expect(await text('wild.bad')).toBe('1');
  expect(await bin.complained(/nobody catches this[^]*wild\.mjs:1/)).toContain('nor this');
  expect(await text('wild.good')).toBe('2');
});

test('timeout and cors are those of the endpoint', async () => {
  const file = await write('slow.mjs', 'export const handler = () => new Promise(() => {});');
  const { client, text, bin } = await startServe([file, '--timeout', '30', '--cors']);
  await expect(text('slow')).rejects.toMatchObject({ errorCode: 'Sandbox.Timedout' });
  const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(await bin.printed(/Listening/))?.[0] ?? '';
  const answer = await fetch(endpoint, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
  await expect(client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'slow' }))).resolves.toMatchObject({
    StatusCode: 200,
  });
});

test('a port that is taken is an error, and a file without functions a warning', async () => {
  const file = await write('none.mjs', 'export const limit = 3;');
  const { bin } = await startServe([file]);
  expect(await bin.complained(/no functions/)).toContain('none.mjs');
  const port = /127\.0\.0\.1:(\d+)/.exec(await bin.printed(/Listening/))?.[1] ?? '';
  const second = await runBin(['serve', file, '--port', port]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('EADDRINUSE');
});
