import { collectResponse, invokeWithResponseStream } from 'rx-lambda-stream';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { runBin } from './run-bin.js';
import { startServe, useFolder, type Served } from './start-serve.js';

const { write, folder } = useFolder();

/** The functions of the greeting, with what is printed for each. */
async function listed({ bin }: Served): Promise<Map<string, string>> {
  const lines = (await bin.printed(/Listening/)).matchAll(/^ {2}([\w.-]+) +(.+)$/gm);
  return new Map(Array.from(lines, ([, name = '', rest = '']) => [name, rest]));
}

describe('names', () => {
  test('are those of files, folders and exports, or the ones that were asked for', async () => {
    const chat = await write('chat.mjs', 'export const handler = async () => 1; export const extra = async () => 2;');
    const index = await write('orders/index.mjs', 'export default async () => 3;');
    const odd = await write('a=b#c.mjs', 'export const handler = async () => 4;');
    const served = await startServe([chat, `talk=${chat}`, `more=${chat}#extra`, `${chat}#extra`, index, odd].slice(1));
    expect([...(await listed(served)).keys()].sort()).toEqual([
      'a-b-c',
      'chat.extra',
      'more',
      'orders',
      'talk',
      'talk.extra',
    ]);
    expect(
      await Promise.all(['talk', 'more', 'chat.extra', 'orders', 'a-b-c'].map((name) => served.text(name))),
    ).toEqual(['1', '2', '2', '3', '4']);
  });

  test('that two functions have are an error at the start, which says what to do', async () => {
    const one = await write('one/fn.mjs', 'export const handler = async () => 1;');
    const two = await write('two/fn.mjs', 'export const handler = async () => 2;');
    const { code, stdout, stderr } = await runBin(['serve', one, two]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`fn is a function of ${one} already: name this one, as in NAME=${two}#export`);
    const served = await startServe([one, `second=${two}`]);
    expect(await served.text('second')).toBe('2');
  });

  test('of exports that are not there are an error that lists those that are', async () => {
    const file = await write('fn.mjs', 'export const handler = async () => 1;');
    const { code, stderr } = await runBin(['serve', `${file}#nope`]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('exports no function nope; it exports handler')]);
  });
});

describe('TypeScript files', () => {
  test('are loaded where Node strips types', async () => {
    const file = await write(
      'fn.ts',
      'export const handler = async (event: { n: number }): Promise<number> => event.n;',
    );
    const served = await startServe([file]);
    expect(await served.text('fn', { n: 5 })).toBe('5');
  });

  test('may declare the global awslambda, as the guide shows', async () => {
    const served = await startServe(['examples/functions/greet.ts']);
    expect(await served.text('greet', { name: 'Ada' })).toBe('Hello Ada\n');
  });

  test('elsewhere, or with more than types, are an error that says how', async () => {
    const types = await write('types.ts', 'export const handler = async (): Promise<number> => 1;');
    const more = await write('more.ts', 'enum Colour { Red }\nexport const handler = async () => Colour.Red;');
    const [old, enums] = await Promise.all([
      runBin(['serve', types], { nodeArgs: ['--no-experimental-strip-types'] }),
      runBin(['serve', more]),
    ]);
    expect(old).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('NODE_OPTIONS=--experimental-strip-types') as string,
    });
    expect(enums).toMatchObject({ code: 1, stderr: expect.stringContaining("NODE_OPTIONS='--import tsx'") as string });
  });
});

test('imports in other folders, and JSON that is loaded, are watched', async () => {
  await write('lib/deep/word.mjs', 'export const word = "one";');
  await write('config/app.json', '{"n":1}');
  const fn = await write(
    'handlers/fn.mjs',
    `import { word } from '../lib/deep/word.mjs'; import app from '../config/app.json' with { type: 'json' };
     export const handler = async () => word + app.n;`,
  );
  await write('parts/part.cjs', 'exports.word = "uno";');
  const cjs = await write(
    'handlers/old.cjs',
    'const { word } = require("../parts/part.cjs"); exports.handler = async () => word;',
  );
  const { bin, text } = await startServe([fn, cjs]);
  expect([await text('fn'), await text('old')]).toEqual(['"one1"', '"uno"']);
  await write('lib/deep/word.mjs', 'export const word = "two";');
  await bin.printed(/(loaded fn, old\n[^]*){1}/);
  await write('config/app.json', '{"n":2}');
  await bin.printed(/(loaded fn, old\n[^]*){2}/);
  await write('parts/part.cjs', 'exports.word = "due";');
  await bin.printed(/(loaded fn, old\n[^]*){3}/);
  expect([await text('fn'), await text('old')]).toEqual(['"two2"', '"due"']);
});

describe('the environment', () => {
  test('comes from --env-file where it is not set, and Lambda provides its own', async () => {
    const env = await write('.env', 'FROM_FILE=file\nTAKEN=file\n# a comment\nQUOTED="a b"\n');
    const file = await write(
      'fn.mjs',
      `const atLoad = [process.env.FROM_FILE, process.env.AWS_REGION];
       export const handler = async (event, context) => [
         ...atLoad, process.env.TAKEN, process.env.QUOTED, process.env.AWS_LAMBDA_FUNCTION_NAME,
         process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, process.env.LAMBDA_TASK_ROOT, context.memoryLimitInMB,
       ];`,
    );
    const { text } = await startServe([file, '--env-file', env, '--memory', '512'], { env: { TAKEN: 'environment' } });
    expect(JSON.parse(await text('fn'))).toEqual([
      'file',
      'us-east-1',
      'environment',
      'a b',
      'fn',
      '512',
      folder(),
      '512',
    ]);
  });

  test('that cannot be read ends it, and is named', async () => {
    const file = await write('fn.mjs', 'export const handler = async () => 1;');
    const { code, stderr } = await runBin(['serve', file, '--env-file', 'no-such-file']);
    // Some versions of Node read the option before the command does, and then the refusal is Node's, with its own code.
    expect([2, 9]).toContain(code);
    expect(stderr).toContain('no-such-file');
  });
});

test('--concurrency limits how many invocations of a function run at once', async () => {
  const file = await write(
    'fn.mjs',
    `export const handler = () => { console.log('started'); return new Promise(() => undefined); };`,
  );
  const { bin, text } = await startServe([file, '--concurrency', '1']);
  const first = text('fn').catch((error: unknown) => error);
  await bin.printed(/started/);
  await expect(text('fn')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  bin.child.kill('SIGTERM');
  expect(await first).toBeInstanceOf(Error);
});

test('--tenant is the tenant of calls that name none, those to function URLs included', async () => {
  const file = await write('fn.mjs', 'export const handler = async (event, { tenantId }) => tenantId ?? null;');
  const served = await startServe([file, '--tenant', 'blue']);
  expect(await served.text('fn')).toBe('"blue"');
  const input = { FunctionName: 'fn', TenantId: 'green' };
  const named = invokeWithResponseStream(served.client, input).pipe(collectResponse());
  expect((await firstValueFrom(named)).text()).toBe('"green"');
  const url = /^(\S+)/.exec((await listed(served)).get('fn') ?? '')?.[1] ?? '';
  expect(await (await fetch(url)).text()).toBe('"blue"');
});

describe('function URLs', () => {
  const page = `export const handler = async (event) => ({
    statusCode: 201, headers: { 'x-path': event.rawPath }, body: event.requestContext.http.method,
  });`;

  test('are opened and printed for each function, for those of a reload too', async () => {
    const served = await startServe([await write('page.mjs', page)]);
    const url = /^(\S+)/.exec((await listed(served)).get('page') ?? '')?.[1] ?? '';
    const answer = await fetch(`${url}a/b?c=d`);
    expect([answer.status, answer.headers.get('x-path'), await answer.text()]).toEqual([201, '/a/b', 'GET']);
    expect(await served.bin.printed(/GET {2}page \/a\/b/)).toMatch(/ 201 {2}GET {2}page \/a\/b {2}3 B {2}first byte /);

    await write('page.mjs', `${page} export const more = async () => 'hello';`);
    const printed = await served.bin.printed(/page\.more {2}http\S+\n/);
    const more = await fetch(/page\.more {2}(\S+)\n/.exec(printed)?.[1] ?? '');
    expect([more.status, await more.text()]).toEqual([200, '"hello"']);
  });

  test('are not opened with --no-urls', async () => {
    const served = await startServe([await write('page.mjs', page), '--no-urls']);
    expect((await listed(served)).get('page')).toMatch(/^\S+page\.mjs$/);
  });

  test('answer only the pages of --cors, as the endpoint does', async () => {
    const served = await startServe([await write('page.mjs', page), '--cors', 'https://app.example']);
    const url = /^(\S+)/.exec((await listed(served)).get('page') ?? '')?.[1] ?? '';
    for (const [origin, status] of [
      ['https://app.example', 201],
      ['https://other.example', 403],
    ] as const) {
      expect((await fetch(url, { headers: { origin } })).status).toBe(status);
    }
    expect(await served.bin.complained(/refused: /)).toContain('other.example');
  });

  test('are what --request sends the event of', async () => {
    const { endpoint } = await startServe([await write('page.mjs', page)]);
    const result = await runBin(['invoke', 'page', '--request', 'PUT /x', '--include', '--endpoint', endpoint]);
    expect(result).toEqual({ code: 0, stdout: 'HTTP 201\nx-path: /x\n\nPUT', stderr: '' });
  });
});
