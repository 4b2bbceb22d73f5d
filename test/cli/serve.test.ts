import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runBin, runShell } from './run-bin.js';
import { startServe, useFolder } from './start-serve.js';

const examples = (name: string): string => fileURLToPath(new URL(`../../examples/functions/${name}`, import.meta.url));

const { write, folder } = useFolder();

test('handler files written for AWS are served unmodified, a line for each invocation', async () => {
  const files = ['chat.js', 'records.js', 'updates.js', 'page.js', 'shop.js'].map(examples);
  const { bin, text } = await startServe(files);

  expect(await text('chat', { prompt: 'hé' })).toBe('You said: hé ✓ (chat $LATEST)\n');
  expect(await text('records', { count: 2 })).toBe('{"id":1,"name":"record 1"}\n{"id":2,"name":"record 2"}\n');
  expect(await text('updates', { step: 100 })).toContain('event: progress\nid: 100\ndata: {"percent":100}\n\n');
  expect(await text('page')).toBe(
    '{"statusCode":201,"headers":{"content-type":"text/html"},"cookies":["visited=1"]}' +
      `${'\0'.repeat(8)}<h1>Hello</h1>\n`,
  );
  expect(await text('shop.total', { prices: [1, 2] })).toBe('{"total":3}');
  expect(await text('shop.receipt', { prices: [1, 2] })).toBe('1.00\n2.00\n');
  await expect(text('shop.broken')).rejects.toMatchObject({ name: 'FunctionError', errorMessage: 'out of stock' });

  const printed = await bin.printed(/shop\.broken {2}[^]*shop\.js:\d+:\d+/);
  expect(printed).toMatch(/prompt of 2 characters\n.* 200 {2}POST {2}chat {2}33 B {2}first byte \d+ ms, \d+ ms/);
  // The function's own status, which the SDK's way carries inside a 200.
  expect(printed).toMatch(/ 201 {2}POST {2}page {2}/);
  expect(printed).toMatch(/shop\.broken .*RangeError: out of stock\n {4}at .*\/shop\.js:\d+:\d+/);
  bin.child.kill('SIGINT');
  expect(await bin.ended).toMatchObject({ code: 0, stderr: '' });
});

test.each(['hello', "it's me"])('the line that is printed invokes the first function: %s', async (name) => {
  const file = await write(`${name}.mjs`, `export const handler = async () => 'Hello';`);
  const { bin } = await startServe([file]);
  const [, line = ''] = /^npx rx-lambda-stream (invoke .*)$/m.exec(await bin.printed(/invoke /)) ?? [];
  expect(await runShell(`bin ${line}`)).toMatchObject({ code: 0, stdout: '"Hello"' });
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
  await write('lib/word.mjs', 'export const word = "one";');
  const file = await write('fn.mjs', 'import { word } from "./lib/word.mjs"; export const handler = async () => word;');
  await write('part.cjs', 'exports.word = "uno";');
  const cjs = await write('other.cjs', 'const { word } = require("./part.cjs"); exports.handler = async () => word;');
  const { bin, text } = await startServe([file, cjs]);
  expect([await text('fn'), await text('other')]).toEqual(['"one"', '"uno"']);

  await write('lib/word.mjs', 'export const word = "two";');
  await bin.printed(/loaded fn, other\n/);
  await write('part.cjs', 'exports.word = "due";');
  await bin.printed(/(loaded fn, other\n[^]*){2}/);
  expect([await text('fn'), await text('other')]).toEqual(['"two"', '"due"']);

  await write('fn.mjs', 'export const handler = async () => "three";\n\nconst = 1;\n');
  const complaint = await bin.complained(/cannot load[^]*SyntaxError/);
  expect(complaint).toMatch(/fn\.mjs:3\b/);
  expect(await text('fn')).toBe('"two"');

  await write('fn.mjs', 'export const handler = async () => "four";\nexport const second = async () => 2;\n');
  await bin.printed(/loaded fn, fn\.second, other\n/);
  expect(await text('fn')).toBe('"four"');
});

test('a file that cannot be loaded at the start ends it, with file and line', async () => {
  const throws = await write('throws.mjs', '\n\nthrow new TypeError("at load");\n');
  const syntax = await write('syntax.mjs', 'export const a = 1;\nconst = 2;\n');
  const commonJs = await write('syntax.cjs', '\n\n\nconst = 2;\n');
  const missing = join(folder(), 'missing.mjs');
  const [first, second, third, fourth] = await Promise.all(
    [throws, syntax, commonJs, missing].map((file) => runBin(['serve', file])),
  );
  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first?.stderr).toMatch(/TypeError: at load\n.*throws\.mjs:3:7/);
  expect(second?.stderr).toMatch(/syntax\.mjs:2\b/);
  expect(third?.stderr).toMatch(/syntax\.cjs:4\b/);
  expect(fourth?.stderr).toContain('missing.mjs');
});

test('timeout and cors are those of the endpoint', async () => {
  const file = await write('slow.mjs', 'export const handler = () => new Promise(() => {});');
  const { client, text, bin } = await startServe([file, '--timeout', '30', '--cors', 'https://app.example']);
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
  expect(second.stderr).toMatch(/EADDRINUSE.*Choose another port with --port/);
});
