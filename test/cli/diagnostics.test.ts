import { Int64 } from '@smithy/eventstream-codec';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { scripted, startLocalLambda, streamifyResponse, type LocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../support/self-signed.js';
import { runBin, runShell, type BinResult } from './run-bin.js';

const hostile = '\u001b[2J\u0007\u009b1A\r\nfake: ok\u202e';
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

let local: LocalLambda;

beforeAll(async () => {
  local = await startLocalLambda({
    functions: {
      throws: streamifyResponse(async () => {
        process.stdout.write(`log ${hostile}`);
        await Promise.resolve();
        throw Object.assign(new Error(hostile), { name: `Evil${hostile}` });
      }),
      refused: scripted([{ httpError: { statusCode: 400, name: 'InvalidParameterValueException', message: hostile } }]),
      flaky: scripted((_request, attempt) =>
        attempt < 2
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', message: hostile } }]
          : [{ complete: {} }],
      ),
      sse: scripted([{ chunk: 'data: \u009b\u0085\u007fx\n\n' }, { complete: {} }]),
      text: scripted([{ chunk: '\u009bx\u001b' }, { complete: {} }]),
      unknown: scripted([
        {
          unknownEvent: {
            eventType: 'New',
            headers: {
              big: { type: 'long', value: Int64.fromNumber(2 ** 60) },
              bytes: { type: 'binary', value: new Uint8Array([0xff, 0x00]) },
            },
          },
        },
        { complete: {} },
      ]),
      lines: streamifyResponse(async (_event, stream) => {
        for (let n = 0; n < 20_000 && !stream.destroyed; n++) {
          stream.write(`line ${n}\n`);
          if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        stream.end();
      }),
    },
  });
});

afterAll(() => local.close());

const invoke = (args: readonly string[]): Promise<BinResult> =>
  runBin(['invoke', ...args, '--endpoint', local.endpoint]);

describe('control characters from elsewhere', () => {
  test('are escaped in errors, traces and logs', async () => {
    const [thrown, refused, flaky] = await Promise.all([
      invoke(['throws', '--log']),
      invoke(['refused']),
      invoke(['flaky', '--retry', '1']),
    ]);
    for (const { stderr } of [thrown, refused, flaky]) {
      expect(stderr).not.toMatch(controls);
      expect(stderr).toContain('\\u001b[2J\\u0007\\u009b1A');
    }
    expect(refused.stderr).toMatch(/^Invalid[^\n]*\\r\\nfake: ok\\u202e\n$/);
    expect(flaky.stderr).toMatch(/^attempt 2 [^\n]*\\r\\nfake: ok\\u202e\n$/);
  });

  test('are escaped in --events and --sse, which stay JSON, and left as they are in --text', async () => {
    const [sse, events, text] = await Promise.all([
      invoke(['sse', '--sse']),
      invoke(['sse', '--events']),
      invoke(['text', '--text']),
    ]);
    expect(sse.stdout).toBe('{"data":"\\u009b\\u0085\\u007fx"}\n');
    expect(events.stdout).not.toMatch(controls);
    expect(JSON.parse(events.stdout.split('\n')[1] ?? '')).toMatchObject({ text: 'data: \u009b\u0085\u007fx\n\n' });
    expect(text.stdout).toBe('\u009bx\u001b');
  });

  test('are escaped in what the command line itself brings', async () => {
    const { code, stderr } = await runBin(['invoke', 'x', '--endpoint', `a${hostile}`]);
    expect([code, controls.test(stderr)]).toEqual([2, false]);
  });
});

test('--events prints numbers and bytes of any size', async () => {
  const { code, stdout } = await invoke(['unknown', '--events']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout.split('\n')[1] ?? '')).toMatchObject({
    type: 'unknown',
    headers: { big: '1152921504606846976', bytes: { base64: '/wA=' } },
  });
});

describe('a reader that leaves', () => {
  test.each([
    ['bin --help | head -1', /^rx-lambda-stream: [^\n]*\n$/],
    ['bin invoke lines --endpoint "$E" | head -1', /^line 0\n$/],
    ['bin invoke lines --endpoint "$E" 2>&1 | head -1', /^line 0\n$/],
    ['bin invoke nope --endpoint "$E" 2>&1 >/dev/null | true', /^$/],
    ['bin nonsense 2>&1 | true', /^$/],
  ])('%s ends quietly', async (line, stdout) => {
    const result = await runShell(`set -o pipefail; ${line}; echo "code \${PIPESTATUS[0]}" >&2`, {
      env: { E: local.endpoint },
    });
    expect(result.stdout).toMatch(stdout);
    expect(result.stderr).toMatch(/^code [0-4]\n$/);
  });

  test('of stderr alone does not stop the stream', async () => {
    const { stdout } = await runShell('bin invoke throws --log --endpoint "$E" 2> >(true); echo "code $?"', {
      env: { E: local.endpoint },
    });
    expect(stdout).toBe('code 3\n');
  });
});

test('an output that cannot be written is an error', async () => {
  const { stderr, stdout } = await runShell('bin invoke lines --endpoint "$E" > /dev/full; echo "code $?"', {
    env: { E: local.endpoint },
  });
  expect([stderr, stdout]).toEqual([expect.stringContaining('ENOSPC'), 'code 1\n']);
});

describe('what to do', () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('is said where region, credentials or profile are missing', async () => {
    const [region, credentials, profile, both] = await Promise.all([
      runBin(['invoke', 'x']),
      runBin(['invoke', 'x', '--region', 'eu-central-1']),
      runBin(['invoke', 'x', '--region', 'eu-central-1', '--profile', 'nope']),
      runBin(['invoke', 'x', '--profile', 'nope']),
    ]);
    expect([region, credentials, profile, both].map(({ code }) => code)).toEqual([7, 7, 7, 7]);
    expect(region.stderr).toMatch(/Region is missing\n {2}.*--region.*AWS_REGION/);
    expect(credentials.stderr).toMatch(/\n {2}.*AWS_PROFILE.*--profile/);
    expect(profile.stderr).toMatch(/\n {2}.*profile "nope".*~\/\.aws/);
    expect(both.stderr).toMatch(/\n {2}.*--region.*profile "nope"/);
  });

  test('is said where another server answers, with any status', async () => {
    for (const [statusCode, body, headers] of [
      [200, '<html>', { 'content-type': 'text/html' }],
      [404, '<html>', { 'content-type': 'text/html' }],
      [404, '{"message":"Cannot POST"}', { 'content-type': 'application/json' }],
      [200, 'hello', {}],
    ] as const) {
      const endpoint = await serve((_request, response) => response.writeHead(statusCode, headers).end(body));
      const { code, stderr } = await runBin(['invoke', 'x', '--endpoint', endpoint]);
      expect([code, stderr]).toEqual([7, expect.stringContaining(`${endpoint} did not answer as Lambda does (`)]);
    }
  });

  test('a server without TLS is no connection', async () => {
    const endpoint = await serve((_request, response) => response.end());
    const { code, stderr } = await runBin(['invoke', 'x', '--endpoint', endpoint.replace('http:', 'https:')]);
    expect([code, stderr]).toEqual([7, expect.stringContaining('EPROTO')]);
  });

  test('a certificate that nobody signed is no connection', async () => {
    let requests = 0;
    const server = createTlsServer(selfSigned(), () => requests++).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await runBin(['invoke', 'x', '--endpoint', `https://127.0.0.1:${port}`]);
    expect([code, stdout, stderr]).toEqual([7, '', expect.stringContaining('self-signed certificate')]);
    expect(requests).toBe(0);
  });
});

test("the SDK's notice about the next Node version is not printed", async () => {
  const old = "data:text/javascript,Object.defineProperty(process,'version',{value:'v18.0.0'})";
  const line = `"${process.execPath}" --import "$OLD" "$MAIN" invoke refused --endpoint "$E"`;
  const { stderr } = await runShell(line, { env: { E: local.endpoint, OLD: old } });
  expect(stderr).toMatch(/^InvalidParameterValueException[^\n]*\n$/);
});
