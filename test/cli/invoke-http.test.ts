import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpResponseStream, startLocalLambda, streamifyResponse, type LocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBin, type BinOptions, type BinResult } from './run-bin.js';

interface UrlEvent {
  readonly rawPath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A handler that streams an HTTP response. */
const page = (statusCode: number, body: string, headers: Record<string, string> = {}) =>
  streamifyResponse(async (_event, stream) => {
    const http = HttpResponseStream.from(stream, { statusCode, headers, cookies: ['a=b'] });
    http.write(body);
    await Promise.resolve();
    http.end();
  });

let local: LocalLambda;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-'));
  local = await startLocalLambda({
    functions: {
      event: (event: unknown) => event,
      sse: page(200, 'id: 1\ndata: first\n\ndata: second\n\n', { 'content-type': 'text/event-stream' }),
      ndjson: page(500, '{"n":1}\n{"n":2}\n'),
      text: page(200, 'hé', { 'x-bad': 'a\u009bb' }),
      lost: page(404, 'not here'),
      returned: () => ({
        statusCode: 201,
        headers: { 'x-a': '1' },
        cookies: ['c=d'],
        body: 'aGk=',
        isBase64Encoded: true,
      }),
      empty: () => ({ statusCode: 200, multiValueHeaders: { 'x-a': ['1', '2'] }, body: null }),
      object: () => ({ statusCode: 200, body: { secret: true } }),
      strange: () => ({ statusCode: 'fine', body: 'x' }),
      plain: (event: UrlEvent) => ({ path: event.rawPath }),
      brokenJson: streamifyResponse(async (_event, stream) => {
        stream.setContentType('Application/JSON; charset=utf-8');
        stream.write('{');
        await Promise.resolve();
        stream.end();
      }),
    },
  });
});

afterAll(async () => {
  await local.close();
  await rm(folder, { recursive: true });
});

const invoke = (args: readonly string[], options: BinOptions = {}): Promise<BinResult> =>
  runBin(['invoke', ...args, '--endpoint', local.endpoint], options);

describe('a response that is announced as HTTP', () => {
  test('is decoded by the modes that read records, and a bad status is told', async () => {
    const [sse, ndjson, text] = await Promise.all([
      invoke(['sse', '--sse']),
      invoke(['ndjson', '--ndjson']),
      invoke(['text', '--text']),
    ]);
    expect(sse).toEqual({
      code: 0,
      stdout: '{"id":"1","lastEventId":"1","data":"first"}\n{"lastEventId":"1","data":"second"}\n',
      stderr: '',
    });
    expect(ndjson).toEqual({ code: 0, stdout: '{"n":1}\n{"n":2}\n', stderr: 'HTTP 500\n' });
    expect(text).toEqual({ code: 0, stdout: 'hé', stderr: '' });
  });

  test('stays as it came for raw and events', async () => {
    const [raw, events] = await Promise.all([invoke(['lost']), invoke(['lost', '--events'])]);
    expect(raw.stdout).toMatch(/^\{"statusCode":404.*\0{8}not here$/);
    expect(events.stdout).not.toContain('http-head');
  });
});

test('--include writes the head before the body, control characters escaped', async () => {
  const [included, separate] = await Promise.all([invoke(['text', '--include']), invoke(['text', '--http'])]);
  const head = 'HTTP 200\nx-bad: a\\u009bb\nset-cookie: a=b\n\n';
  expect(included).toEqual({ code: 0, stdout: `${head}hé`, stderr: '' });
  expect(separate).toEqual({ code: 0, stdout: 'hé', stderr: head });
});

test('--fail makes a status of 400 or above exit code 10, without the body', async () => {
  const [lost, well, records] = await Promise.all([
    invoke(['lost', '--fail']),
    invoke(['text', '--fail']),
    invoke(['ndjson', '--fail', '--ndjson']),
  ]);
  expect(lost).toMatchObject({ code: 10, stdout: '', stderr: expect.stringContaining('HTTP status 404') as string });
  expect(well).toMatchObject({ code: 0, stdout: 'hé' });
  expect(records).toMatchObject({ code: 10, stdout: '' });
});

describe('--request', () => {
  test('makes the event of a function URL', async () => {
    const { code, stdout, stderr } = await invoke([
      'event',
      '--request',
      'put /a%20b/c?x=1&y=2&x=3&z=%C3%A9',
      '--data',
      '{"n":1}',
      '--header',
      'X-One: 1',
      '--header',
      'x-one:2',
      '--header',
      'Cookie: a=b; c=d',
      '--header',
      'content-type: application/x-thing',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a%20b/c',
      rawQueryString: 'x=1&y=2&x=3&z=%C3%A9',
      cookies: ['a=b', 'c=d'],
      headers: {
        accept: '*/*',
        host: 'function.local',
        'user-agent': 'rx-lambda-stream',
        'content-type': 'application/x-thing',
        'content-length': '7',
        'x-one': '1,2',
      },
      queryStringParameters: { x: '1,3', y: '2', z: 'é' },
      requestContext: expect.objectContaining({
        domainName: 'function.local',
        http: {
          method: 'PUT',
          path: '/a%20b/c',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'rx-lambda-stream',
        },
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/) as string,
      }) as object,
      // The rule of function URLs: only bodies of text types are text.
      body: Buffer.from('{"n":1}').toString('base64'),
      isBase64Encoded: true,
    });
  });

  test('is GET without a body and POST with one, which may come from a file or from stdin', async () => {
    const file = join(folder, 'body.bin');
    await writeFile(file, new Uint8Array([0xff, 0x00]));
    const [get, post, binary, stdin] = await Promise.all([
      invoke(['event', '--request', '/']),
      invoke(['event', '--request', '/', '--data', 'x']),
      invoke(['event', '--request', '/', '--data', `@${file}`]),
      invoke(['event', '--request', '/', '--data', '@-'], { input: 'from stdin' }),
    ]);
    const shown = [get, post, binary, stdin].map(({ stdout }) => {
      const { requestContext, body, isBase64Encoded } = JSON.parse(stdout) as {
        requestContext: { http: { method: string } };
        body?: string;
        isBase64Encoded: boolean;
      };
      return [requestContext.http.method, body, isBase64Encoded];
    });
    expect(shown).toEqual([
      ['GET', undefined, false],
      ['POST', 'x', false],
      ['POST', '/wA=', true],
      ['POST', 'from stdin', false],
    ]);
  });

  test('prints the body of the response, streamed or returned, as curl does', async () => {
    const [streamed, returned, plain, included, broken, failed] = await Promise.all([
      invoke(['lost', '--request', '/']),
      invoke(['returned', '--request', '/']),
      invoke(['plain', '--request', '/p']),
      invoke(['returned', '--request', '/', '--include']),
      invoke(['brokenJson', '--request', '/']),
      invoke(['lost', '--request', '/', '--fail']),
    ]);
    expect(streamed).toEqual({ code: 0, stdout: 'not here', stderr: 'HTTP 404\n' });
    expect(returned).toEqual({ code: 0, stdout: 'hi', stderr: '' });
    expect(plain).toEqual({ code: 0, stdout: '{"path":"/p"}', stderr: '' });
    expect(included).toEqual({ code: 0, stdout: 'HTTP 201\nx-a: 1\nset-cookie: c=d\n\nhi', stderr: '' });
    expect(broken).toEqual({ code: 0, stdout: '{', stderr: '' });
    expect(failed.code).toBe(10);
  });
});

test('a returned response without a body is empty, and a header may have several values', async () => {
  const { stdout, code } = await invoke(['empty', '--request', '/', '--include']);
  expect([code, stdout]).toEqual([0, 'HTTP 200\nx-a: 1, 2\n\n']);
});

test.each(['object', 'strange'])('what a function URL answers with 502 is a failure: %s', async (name) => {
  const { stdout, stderr, code } = await invoke([name, '--request', '/']);
  expect(code).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toContain('HTTP');
  expect(stderr).not.toContain('secret');
});

test('--tenant reaches the function', async () => {
  const before = local.requests.length;
  await invoke(['event', '--tenant', 'blue']);
  expect(local.requests[before]?.tenantId).toBe('blue');
});
