import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  HttpResponseStream,
  scripted,
  startLocalLambda,
  streamifyResponse,
  type LocalLambda,
} from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invokeOptions } from '../../src/cli/invoke/invoke-arguments.js';
import { serveOptions } from '../../src/cli/serve/serve-arguments.js';
import { runBin, startBin, type BinOptions, type BinResult } from './run-bin.js';

let local: LocalLambda;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  local = await startLocalLambda({
    functions: {
      echo: (event: unknown) => event,
      version: (_event: unknown, { functionVersion }) => functionVersion,
      bytes: streamifyResponse(async (_event, stream) => {
        stream.write(new Uint8Array([0xe2, 0x82]));
        await Promise.resolve();
        stream.end(new Uint8Array([0xac, 0xff, 0x00]));
      }),
      records: async function* () {
        yield '{"n": 1.0}\r\n\n{"n"';
        yield await Promise.resolve(': 12345678901234567890, "n": 2}\n');
      },
      notNdjson: scripted([{ chunk: '{"n":1}\nnope\n' }, { complete: {} }]),
      sse: scripted([{ chunk: 'event: tick\nid: 7\ndata: a\ndata: b\n\n' }, { complete: {} }]),
      page: streamifyResponse(async (_event, stream) => {
        const http = HttpResponseStream.from(stream, { statusCode: 404, headers: { 'x-a': '1' }, cookies: ['c=d'] });
        http.write('not here');
        await Promise.resolve();
        http.end();
      }),
      fails: streamifyResponse(async (_event, stream) => {
        stream.write('part\n');
        await Promise.resolve();
        console.log('about to fail');
        throw new RangeError('too far');
      }),
      endless: streamifyResponse(async (_event, stream) => {
        for (let n = 0; ; n++) {
          if (!stream.write(`line ${n} ${'x'.repeat(1_000)}\n`)) {
            await Promise.race([
              new Promise((resolve) => stream.once('drain', resolve)),
              new Promise((resolve) => setTimeout(resolve, 1_000)),
            ]);
          }
          if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
          if (stream.destroyed || n > 200_000) break;
        }
        stream.end();
      }),
      stalls: scripted([{ chunk: 'first\n' }, 'stall']),
      resets: scripted([{ chunk: 'first\n' }, 'reset']),
      truncated: scripted([{ chunk: 'first\n' }]),
      throttled: scripted([
        { httpError: { statusCode: 429, name: 'TooManyRequestsException', message: 'Rate Exceeded.' } },
      ]),
      busyOnce: scripted((_request, attempt) =>
        attempt === 1
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '0' } } }]
          : [{ chunk: 'at ' }, { chunk: 'last' }, { complete: {} }],
      ),
      flaky: scripted((_request, attempt) =>
        attempt < 3
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '0' } } }]
          : [{ chunk: 'at last' }, { complete: {} }],
      ),
    },
  });
});

afterAll(async () => {
  await local.close();
  await rm(folder, { recursive: true });
});

const invoke = (args: readonly string[], options: BinOptions = {}): Promise<BinResult> =>
  runBin(['invoke', ...args, '--endpoint', local.endpoint], options);

describe('the payload', () => {
  test('is absent, an argument, a file, or stdin', async () => {
    const file = join(folder, 'event.json');
    await writeFile(file, '{"from":"file"}');
    const runs = await Promise.all([
      invoke(['echo']),
      invoke(['echo', '--payload', '{"from":"argument"}']),
      invoke(['echo', '--payload-file', file]),
      invoke(['echo', '-'], { input: '{"from":"stdin"}' }),
      invoke(['echo', '--payload-file', '-'], { input: '{"from":"dash"}' }),
    ]);
    expect(runs).toEqual(
      ['{}', '{"from":"argument"}', '{"from":"file"}', '{"from":"stdin"}', '{"from":"dash"}'].map((stdout) => ({
        code: 0,
        stdout,
        stderr: '',
      })),
    );
  });
});

test('a time-out of Infinity is no limit', async () => {
  const run = await invoke(['bytes', '--text', '--timeout', 'Infinity']);
  expect(run).toEqual({ code: 0, stdout: '€\ufffd\0', stderr: '' });
});

describe('the modes', () => {
  test('raw, the default, writes the bytes as they come', async () => {
    const { child, ended } = startBin(['invoke', 'bytes', '--endpoint', local.endpoint]);
    child.stdout.setEncoding('hex');
    const { code, stdout } = await ended;
    expect([code, stdout]).toEqual([0, 'e282acff00']);
  });

  test('text decodes UTF-8, ndjson checks the documents and leaves them as they are, sse an event a line', async () => {
    const [text, ndjson, sse] = await Promise.all([
      invoke(['bytes', '--text']),
      invoke(['records', '--ndjson']),
      invoke(['sse', '--sse']),
    ]);
    expect(text).toEqual({ code: 0, stdout: '€\ufffd\0', stderr: '' });
    expect(ndjson).toEqual({ code: 0, stdout: '{"n": 1.0}\n{"n": 12345678901234567890, "n": 2}\n', stderr: '' });
    expect(sse).toEqual({
      code: 0,
      stdout: '{"id":"7","lastEventId":"7","event":"tick","data":"a\\nb"}\n',
      stderr: '',
    });
  });

  test('events prints everything as JSON lines, and a failed function still has its exit code', async () => {
    const [bytes, fails] = await Promise.all([invoke(['bytes', '--events']), invoke(['fails', '--events'])]);
    const events = (stdout: string): Record<string, unknown>[] =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events(bytes.stdout)).toMatchObject([
      { type: 'head', statusCode: 200 },
      { type: 'chunk', base64: '4oI=' },
      { type: 'chunk', base64: 'rP8A' },
      { type: 'complete' },
    ]);
    expect(events(fails.stdout)).toMatchObject([
      { type: 'head' },
      { type: 'chunk', text: 'part\n' },
      { type: 'complete', errorCode: 'RangeError' },
    ]);
    expect([bytes.code, fails.code]).toEqual([0, 3]);
  });

  test("http writes the function's own head to stderr and its body to stdout", async () => {
    const { code, stdout, stderr } = await invoke(['page', '--http']);
    expect([code, stdout]).toEqual([0, 'not here']);
    expect(stderr).toBe('HTTP 404\nx-a: 1\nset-cookie: c=d\n\n');
  });

  test('qualifier and log reach the function, and the log comes to stderr', async () => {
    const { code, stdout, stderr } = await invoke(['version', '--qualifier', '12', '--log']);
    expect([code, stdout]).toEqual([0, '"12"']);
    expect(stderr).toMatch(/^START RequestId: .* Version: 12\n[^]*REPORT RequestId/);
  });
});

describe('the exit codes', () => {
  test.each<[string, string[], number, string, RegExp]>([
    ['a failed function', ['fails', '--log'], 3, 'part\n', /FunctionError: .*too far[^]* at [^]*about to fail/],
    ['an unknown function', ['nope'], 4, '', /ResourceNotFoundException: Function not found/],
    ['a throttled call', ['throttled'], 5, '', /TooManyRequestsException: Rate Exceeded/],
    ['a reset', ['resets'], 6, 'first\n', /TruncatedStreamError: .*broke/],
    ['a stream without its end', ['truncated'], 6, 'first\n', /TruncatedStreamError: .*ended without InvokeComplete/],
    ['a record that is no JSON', ['notNdjson', '--ndjson'], 9, '{"n":1}\n', /InvalidRecordError: Line 2/],
    ['a time that is up', ['stalls', '--timeout', '2500'], 8, 'first\n', /timeout: .*after 2500 ms/],
  ])('%s', async (_name, args, code, stdout, stderr) => {
    const result = await invoke(args);
    expect(result).toEqual({ code, stdout, stderr: expect.stringMatching(stderr) as string });
  });

  test('no endpoint there, and no region or credentials, are 7', async () => {
    const [refused, noRegion, noCredentials] = await Promise.all([
      runBin(['invoke', 'echo', '--endpoint', 'http://127.0.0.1:1']),
      runBin(['invoke', 'echo']),
      runBin(['invoke', 'echo', '--region', 'eu-central-1']),
    ]);
    expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('ECONNREFUSED') as string });
    expect(noRegion).toMatchObject({ code: 7, stderr: expect.stringContaining('Region is missing') as string });
    expect(noCredentials).toMatchObject({ code: 7, stderr: expect.stringContaining('credentials') as string });
  });

  test('a command line that is wrong is 2, with a word on what is wrong and where to read on', async () => {
    const [noCommand, unknown, wrong, noName, noTime, noFile] = await Promise.all([
      runBin([]),
      runBin(['toString']),
      runBin(['invoke']),
      runBin(['invoke', '']),
      runBin(['invoke', 'echo', '--timeout', '0']),
      runBin(['serve', 'no-such-file.mjs']),
    ]);
    expect(noName).toEqual(wrong);
    expect(noTime).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--timeout must be from 1 to') as string,
    });
    expect(noFile).toMatchObject({ code: 2, stderr: expect.stringContaining('this is not a file: ') as string });
    expect(noCommand).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'usage: A command is missing\nSee rx-lambda-stream --help\n',
    });
    expect(unknown.stderr).toContain('no command toString');
    expect(wrong).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'usage: invoke needs the NAME of a function\nSee rx-lambda-stream invoke --help\n',
    });
  });
});

test('retry calls again what the service did not run, and says so', async () => {
  const { code, stdout, stderr } = await invoke(['flaky', '--retry', '2']);
  expect([code, stdout]).toEqual([0, 'at last']);
  expect(stderr).toMatch(/^attempt 2 in \d+ ms after TooManyRequestsException.*\nattempt 3 in \d+ ms after [^\n]*\n$/);
});

describe('stats', () => {
  const times = String.raw`head \d+ ms, first chunk \d+ ms, end \d+ ms`;
  const id = '[0-9a-f-]{36}';

  test('a line at the end reports all attempts, and stdout holds the response alone', async () => {
    const { code, stdout, stderr } = await invoke(['busyOnce', '--retry', '1', '--stats']);
    expect([code, stdout]).toEqual([0, 'at last']);
    expect(stderr).toMatch(
      new RegExp(
        String.raw`^attempt 2 .*\ncomplete  7 B in \d chunks?  ${times}  2 attempts  version \$LATEST  ${id}\n$`,
      ),
    );
  });

  test('a failure is told before it, with one request and what had arrived', async () => {
    const { code, stderr } = await invoke(['fails', '--stats']);
    expect(code).toBe(3);
    expect(stderr).toMatch(new RegExp(String.raw`RangeError[\s\S]*\nfailed  5 B in 1 chunk  ${times}  1 attempt  `));
  });

  test('a failure that is written as an event is one too', async () => {
    const { code, stderr } = await invoke(['fails', '--stats', '--events']);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^failed  5 B in 1 chunk  /)]);
  });

  test('a call that was refused has no times of a response', async () => {
    const { stderr } = await invoke(['throttled', '--stats']);
    expect(stderr).toMatch(/\nfailed  0 B in 0 chunks  end \d+ ms  1 attempt\n$/);
  });

  test('a time-out and a Ctrl-C report that the stream was left', async () => {
    const timedOut = await invoke(['stalls', '--stats', '--timeout', '200']);
    expect(timedOut.stderr).toMatch(/^timeout: .*\ncancelled  \d B in \d chunks?  /);
    const bin = startBin(['invoke', 'stalls', '--stats', '--endpoint', local.endpoint]);
    await bin.printed(/first/);
    bin.child.kill('SIGINT');
    expect((await bin.ended).stderr).toMatch(/^cancelled  6 B in 1 chunk  /);
  });
});

describe('stopping', () => {
  test('output arrives while the stream goes on, and Ctrl-C closes the connection', async () => {
    const before = local.requests.length;
    const bin = startBin(['invoke', 'stalls', '--endpoint', local.endpoint]);
    await bin.printed(/first/);
    bin.child.kill('SIGINT');
    expect(await bin.ended).toEqual({ code: 130, stdout: 'first\n', stderr: '' });
    const request = local.requests.slice(before).find(({ functionName }) => functionName === 'stalls');
    expect(await request?.closedEarly).toBe(true);
  });

  test('SIGTERM closes the connection too', async () => {
    const bin = startBin(['invoke', 'stalls', '--endpoint', local.endpoint]);
    await bin.printed(/first/);
    bin.child.kill('SIGTERM');
    expect((await bin.ended).code).toBe(143);
  });

  test('a reader that has enough ends it quietly, and the function is told', async () => {
    const before = local.requests.length;
    const bin = startBin(['invoke', 'endless', '--endpoint', local.endpoint]);
    await bin.printed(/line 0/);
    bin.child.stdout.destroy();
    expect(await bin.ended).toMatchObject({ code: 0, stderr: '' });
    const request = local.requests.slice(before).find(({ functionName }) => functionName === 'endless');
    expect(await request?.closedEarly).toBe(true);
  });
});

describe('help', () => {
  test('--help of each command names exactly its options, and the version is that of the package', async () => {
    const [main, invokeHelp, serveHelp, version] = await Promise.all([
      runBin(['--help']),
      runBin(['invoke', 'x', '--help']),
      runBin(['help', 'serve']),
      runBin(['--version']),
    ]);
    expect([main, invokeHelp, serveHelp, version].map(({ code, stderr }) => [code, stderr])).toEqual(
      Array.from({ length: 4 }, () => [0, '']),
    );
    expect(main.stdout).toMatch(/invoke NAME[^]*serve FILE/);
    for (const [{ stdout }, options] of [
      [invokeHelp, invokeOptions],
      [serveHelp, serveOptions],
    ] as const) {
      const named = stdout.matchAll(/^ {2}--([a-z-]+)/gm);
      expect(Array.from(named, ([, name]) => name).sort()).toEqual(Object.keys(options).sort());
      expect(stdout).toContain('EXIT CODES');
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    }
    expect(serveHelp.stdout).toContain('A handler in a busy loop blocks all of it, Ctrl-C too');
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});
