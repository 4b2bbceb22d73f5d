import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import {
  HttpResponseStream,
  scripted,
  startLocalLambda,
  streamifyResponse,
  type FinishedInvocation,
  type HttpResponseMetadata,
  type LocalFunction,
  type LocalLambdaOptions,
  type LocalProblem,
  type ResponseStream,
} from 'rx-lambda-stream/local';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drive, gate, post, type RawRequest, type RawResponse } from './drive.js';

/** An endpoint with function URLs, and a plain HTTP client for each. */
async function start(functions: Record<string, LocalFunction>, options: Partial<LocalLambdaOptions> = {}) {
  const problems: LocalProblem[] = [];
  const finished: FinishedInvocation[] = [];
  const local = await startLocalLambda({
    functions,
    functionUrls: true,
    onProblem: (problem) => problems.push(problem),
    onInvocation: (invocation) => finished.push(invocation),
    ...options,
  });
  onTestFinished(() => local.close());
  const url = (name: string): string => local.functionUrls[name] ?? '';
  const ask = (name: string, sent: RawRequest = {}): Promise<RawResponse> =>
    post({ ...local, endpoint: url(name).slice(0, -1) }, { method: 'GET', ...sent });
  return { local, problems, finished, url, ask };
}

const echo = (event: unknown): unknown => event;
const http = (run: (stream: ResponseStream) => void, metadata: HttpResponseMetadata = { statusCode: 200 }) =>
  streamifyResponse(async (_event, stream) => {
    await Promise.resolve();
    run(HttpResponseStream.from(stream, metadata));
  });
const json = ({ body }: RawResponse): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;

describe('the URLs', () => {
  test('are one for each function, each on a port of its own; without the option there is none', async () => {
    const { local, ask } = await start({ one: () => 1, two: () => 2, script: scripted([{ chunk: '3' }]) });
    expect(Object.keys(local.functionUrls)).toEqual(['one', 'two', 'script']);
    expect(new Set([local.endpoint, ...Object.values(local.functionUrls)]).size).toBe(4);
    for (const [name, body] of [
      ['one', '1'],
      ['two', '2'],
      ['script', '3'],
    ] as const) {
      expect((await ask(name)).body.toString()).toBe(body);
    }
    const { local: without } = await drive({ one: () => 1 });
    await without.openFunctionUrls();
    expect(without.functionUrls).toEqual({});
  });

  test('have consecutive ports from the one given, and a port that is taken rejects and leaves none open', async () => {
    const { local: free } = await start({ a: () => 1 });
    const port = Number(new URL(free.functionUrls['a'] ?? '').port);
    const functions = { first: () => 1 };
    await expect(startLocalLambda({ functions, functionUrls: { port } })).rejects.toThrow('EADDRINUSE');
    await free.close();
    const { local } = await start(functions, { functionUrls: { port } });
    expect(local.functionUrls).toEqual({ first: `http://127.0.0.1:${port}/` });
  });

  test('open for functions that are added later; one that was removed answers 404', async () => {
    const functions: Record<string, LocalFunction> = { old: () => 'old' };
    const { local, ask } = await start(functions);
    const { old } = local.functionUrls;
    functions['added'] = () => 'added';
    await Promise.all([local.openFunctionUrls(), local.openFunctionUrls()]);
    expect((await ask('added')).body.toString()).toBe('"added"');
    expect(local.functionUrls['old']).toBe(old);
    delete functions['old'];
    expect((await ask('old')).statusCode).toBe(404);
  });

  test('close with the endpoint', async () => {
    const { local, url } = await start({ fn: () => new Promise(() => undefined) });
    const asked = fetch(url('fn')).catch((error: unknown) => error);
    await local.request(0);
    expect(local.openConnections).toBe(1);
    await local.close();
    expect(await asked).toBeInstanceOf(TypeError);
    expect(local.openConnections).toBe(0);
    await expect(fetch(url('fn'))).rejects.toThrow();
  });
});

describe('the event', () => {
  test('is of payload format 2.0', async () => {
    const { local, ask, url } = await start({ echo });
    const event = json(
      await ask('echo', {
        method: 'PUT',
        path: '/a%20path/x?tag=1&tag=2&name=h%C3%A9&empty=',
        headers: { 'X-Custom': 'Value', cookie: 'a=1; b=2', 'content-type': 'application/json', 'user-agent': 'test' },
        body: '{"n":"é"}',
      }),
    );
    const { host, port } = new URL(url('echo'));
    const { requestId } = local.requests[0] ?? {};
    expect(event).toEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a%20path/x',
      rawQueryString: 'tag=1&tag=2&name=h%C3%A9&empty=',
      cookies: ['a=1', 'b=2'],
      headers: {
        host,
        connection: 'close',
        'content-length': '10',
        'content-type': 'application/json',
        'user-agent': 'test',
        'x-custom': 'Value',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-/) as string,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': port,
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { tag: '1,2', name: 'hé', empty: '' },
      requestContext: {
        accountId: 'anonymous',
        apiId: 'echo',
        domainName: '127.0.0.1',
        domainPrefix: '127',
        http: { method: 'PUT', path: '/a%20path/x', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId,
        routeKey: '$default',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/) as string,
        timeEpoch: expect.any(Number) as number,
      },
      body: '{"n":"é"}',
      isBase64Encoded: false,
    });
  });

  test('has the path alone where a client takes the endpoint for its proxy', async () => {
    const { ask } = await start({ echo });
    const event = json(await ask('echo', { path: 'http://a.example:1/x/y?z=1' }));
    expect(event).toMatchObject({ rawPath: '/x/y', rawQueryString: 'z=1', requestContext: { http: { path: '/x/y' } } });
    expect(json(await ask('echo', { path: 'http://a.example' }))).toMatchObject({ rawPath: '/' });
  });

  test('has no body, query or cookies where the request has none', async () => {
    const { ask } = await start({ echo });
    const event = json(await ask('echo'));
    expect(event).toMatchObject({ rawPath: '/', rawQueryString: '', isBase64Encoded: false });
    for (const name of ['body', 'cookies', 'queryStringParameters']) expect(event).not.toHaveProperty(name);
  });

  test('joins headers of one name, but not cookies with them', async () => {
    const { local } = await start({ echo });
    const { hostname, port } = new URL(local.functionUrls['echo'] ?? '');
    const socket = connect(Number(port), hostname);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2; c=3\r\n');
    socket.write('Connection: close\r\n\r\n');
    let answer = '';
    for await (const part of socket) answer += String(part);
    const event = JSON.parse(answer.slice(answer.indexOf('{'))) as { headers: object; cookies: string[] };
    expect(event.headers).toMatchObject({ 'x-a': '1,2' });
    expect(event.headers).not.toHaveProperty('cookie');
    expect(event.cookies).toEqual(['a=1', 'b=2', 'c=3']);
  });

  test.each<[string, string | undefined, Buffer | string, boolean]>([
    ['JSON', 'application/json; charset=utf-8', '{"é":1}', false],
    ['JSON of a vendor', 'Application/Problem+JSON', '{}', false],
    ['text', 'text/csv', 'a,b', false],
    ['bytes', 'application/octet-stream', 'plain', true],
    ['an HTML form, as on AWS', 'application/x-www-form-urlencoded', 'a=1', true],
    ['text in a coding of its own', 'text/plain', Buffer.from([0xe9]), true],
    ['a body without a type', undefined, 'x', true],
    ['a text with a byte order mark', 'text/plain', '\ufefftext', false],
  ])('holds %s as text or in base64', async (_what, type, body, isBase64Encoded) => {
    const { ask } = await start({ echo });
    const headers = type === undefined ? {} : { 'content-type': type };
    const event = json(await ask('echo', { method: 'POST', headers, body }));
    expect(event['isBase64Encoded']).toBe(isBase64Encoded);
    const received = Buffer.from(String(event['body']), isBase64Encoded ? 'base64' : 'utf8');
    expect(received).toEqual(Buffer.from(body));
  });

  test('holds a compressed body in base64, whatever its type', async () => {
    const { ask } = await start({ echo });
    const headers = { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
    expect(json(await ask('echo', { method: 'POST', headers, body: 'x' }))['isBase64Encoded']).toBe(true);
  });
});

describe('a streamed response', () => {
  test('has the status, the headers and the cookies of the prelude, and arrives as it is written', async () => {
    const { opened, open } = gate();
    const { local, url } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        const response = HttpResponseStream.from(stream, {
          statusCode: 201,
          headers: { 'Content-Type': 'text/plain', 'x-a': '1' },
          multiValueHeaders: { 'x-b': ['1', '2'] },
          cookies: ['a=1; Path=/', 'b=2'],
        });
        response.write('first');
        await opened;
        response.write('second');
        response.end();
      }),
    });
    const response = await fetch(url('fn'));
    expect(response.status).toBe(201);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain',
      'x-a': '1',
      'x-b': '1, 2',
      'x-amzn-requestid': local.requests[0]?.requestId,
    });
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    const reader = response.body?.getReader();
    const read = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(await read()).toBe('first');
    open();
    expect(await read()).toBe('second');
    expect(await read()).toBe('');
  });

  test('sends its head with an empty first write', async () => {
    const { opened, open } = gate();
    const { url } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        HttpResponseStream.from(stream, { statusCode: 202 }).write('');
        await opened;
        stream.end('body');
      }),
    });
    const response = await fetch(url('fn'));
    expect(response.status).toBe(202);
    open();
    expect(await response.text()).toBe('body');
  });

  test('without a prelude is a 200 of the type that the function set', async () => {
    const { ask } = await start({
      typed: streamifyResponse(async (_event, stream) => {
        stream.setContentType('text/event-stream');
        await Promise.resolve();
        stream.end('data: 1\n\n');
      }),
      bare: async function* () {
        yield await Promise.resolve('a');
        yield { n: 1 };
      },
      empty: streamifyResponse(async (_event, stream) => {
        await Promise.resolve();
        stream.end();
      }),
    });
    const typed = await ask('typed');
    expect([typed.statusCode, typed.headers['content-type'], typed.body.toString()]).toEqual([
      200,
      'text/event-stream',
      'data: 1\n\n',
    ]);
    const bare = await ask('bare');
    expect([bare.headers['content-type'], bare.body.toString()]).toEqual(['application/octet-stream', 'a{"n":1}']);
    const empty = await ask('empty');
    expect([empty.statusCode, empty.body.length]).toEqual([200, 0]);
  });

  test('is whole at any size, and headers of the connection are the endpoint’s own', async () => {
    const { ask } = await start({
      fn: http(
        (stream) => {
          stream.write('x'.repeat(300_000));
          stream.end('y');
        },
        { headers: { 'content-length': '5', 'transfer-encoding': 'identity', connection: 'upgrade', upgrade: 'h2c' } },
      ),
    });
    const { headers, body } = await ask('fn');
    expect(body.length).toBe(300_001);
    expect(headers).not.toHaveProperty('content-length');
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers['transfer-encoding']).toBe('chunked');
  });

  test('wherever its bytes are cut, the prelude is found', async () => {
    const { ask } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        const bytes = Buffer.from(`{"statusCode":418,"headers":{"x-a":"1"}}${'\0'.repeat(8)}bödy`, 'utf8');
        for (const byte of bytes) await new Promise((resolve) => stream.write(Buffer.from([byte]), resolve));
        stream.end();
      }),
    });
    const { statusCode, headers, body } = await ask('fn');
    expect([statusCode, headers['x-a'], body.toString()]).toEqual([418, '1', 'bödy']);
  });

  test('holds the function back while the client does not read', async () => {
    let written = 0;
    const total = 64 * 1024 * 1024;
    const paused = gate();
    const { local, url } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        while (written < total) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) {
            if (written > 1_000_000) paused.open();
            await once(stream, 'drain');
          }
        }
        stream.end();
      }),
    });
    const sent = request(url('fn')).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await paused.opened;
    let seen = -1;
    while (seen !== written) {
      seen = written;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(total / 2);
    let bytes = 0;
    for await (const part of response) bytes += (part as Buffer).length;
    expect(bytes).toBe(total);
    expect(local.requests[0]?.payloadBytes).toBe(total);
  });
});

describe('a buffered result', () => {
  test('with a statusCode describes the response', async () => {
    const { ask } = await start({
      text: () => ({
        statusCode: 404,
        headers: { 'Content-Type': 'text/plain', 'x-n': 1, 'x-b': true },
        cookies: ['a=1', 'b=2'],
        body: 'né',
      }),
      bytes: () => ({ statusCode: 200, body: Buffer.from([0, 255]).toString('base64'), isBase64Encoded: true }),
      bare: () => ({ statusCode: 202 }),
    });
    const text = await ask('text');
    expect([text.statusCode, text.body.toString()]).toEqual([404, 'né']);
    expect(text.headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '3',
      'x-n': '1',
      'x-b': 'true',
      'set-cookie': ['a=1', 'b=2'],
    });
    expect((await ask('bytes')).body).toEqual(Buffer.from([0, 255]));
    const bare = await ask('bare');
    expect([bare.statusCode, bare.headers['content-length'], bare.headers['content-type']]).toEqual([
      202,
      '0',
      'application/json',
    ]);
  });

  test.each<[unknown, string]>([
    [{ message: 'hi' }, '{"message":"hi"}'],
    ['hi', '"hi"'],
    [[1], '[1]'],
    [undefined, 'null'],
  ])('%j without one is JSON with status 200', async (result, body) => {
    const { ask } = await start({ fn: () => result });
    const answer = await ask('fn');
    expect([answer.statusCode, answer.headers['content-type'], answer.body.toString()]).toEqual([
      200,
      'application/json',
      body,
    ]);
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(body)));
  });
});

describe('a failure', () => {
  const thrown = (): never => {
    throw new RangeError('no');
  };
  test.each<[string, LocalFunction]>([
    ['a throw', thrown],
    ['a throw of a streaming handler', streamifyResponse(() => Promise.reject(new Error('no')))],
    ['a time-out', { handler: () => new Promise(() => undefined), timeoutMs: 20 }],
    ['a destroyed stream', http((stream) => stream.destroy())],
    ['a script’s end with an error', scripted([{ complete: { errorCode: 'Unhandled' } }])],
    ['a result that is too long', () => 'x'.repeat(7_000_000)],
    ['an announced prelude that never came', http((stream) => stream.end('only a body'))],
    ['a prelude that is not JSON', prelude('nonsense')],
    ['a prelude that is no object', prelude('[]')],
    ['a status that HTTP has not', prelude('{"statusCode":99}')],
    ['a header name that HTTP does not allow', prelude('{"headers":{"a b":"c"}}')],
    ['a header value that HTTP does not allow', prelude('{"headers":{"a":"b\\r\\nc"}}')],
    ['headers that are a list', prelude('{"headers":["a"]}')],
    ['cookies that are no list', prelude('{"cookies":"a=1"}')],
    ['a result whose status is text', () => ({ statusCode: '200' })],
    ['a result whose body is an object', () => ({ statusCode: 200, body: { a: 1 } })],
  ])('before the first byte is a 502: %s', async (_what, fn) => {
    const { local, ask, finished } = await start({ fn });
    const answer = await ask('fn');
    expect([answer.statusCode, answer.body.toString()]).toEqual([502, 'Internal Server Error']);
    await expect.poll(() => finished).toHaveLength(1);
    expect(finished[0]?.failure).toBeDefined();
    expect(local.requests[0]).toMatchObject({ statusCode: 502, bytesWritten: 21 });
  });
  function prelude(json: string): LocalFunction {
    return streamifyResponse(async (_event, stream) => {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      await Promise.resolve();
      stream.end(`${json}${'\0'.repeat(8)}body`);
    });
  }

  test('after the first byte breaks the body off', async () => {
    const { local, finished, url } = await start({
      throws: http((stream) => {
        stream.write('part');
        setTimeout(() => stream.destroy());
      }),
      generator: async function* () {
        yield await Promise.resolve('part');
        await new Promise((resolve) => setTimeout(resolve));
        throw new Error('no');
      },
      times: {
        handler: streamifyResponse(async (_event, stream) => {
          stream.write('part');
          await new Promise(() => undefined);
        }),
        timeoutMs: 30,
      },
    });
    for (const name of ['throws', 'generator', 'times']) {
      const response = await fetch(url(name));
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow('terminated');
    }
    await local.idle();
    await expect.poll(() => finished.map(({ closedEarly }) => closedEarly)).toEqual([false, false, false]);
    expect(finished.every(({ failure }) => failure !== undefined)).toBe(true);
  });

  test('of an invalid response is reported with the reason, and without the content of the response', async () => {
    const { ask, problems } = await start({ fn: () => ({ statusCode: 200, body: { secret: 's3cret' } }) });
    await ask('fn');
    expect(problems).toMatchObject([{ kind: 'invalid-response', request: { functionName: 'fn' } }]);
    expect(problems[0]?.message).toMatch(/its body is not a string but of type object$/);
  });

  test('a request over 6 MB is a 413, one over the concurrency a 429', async () => {
    const { opened, open } = gate();
    const { local, ask } = await start({ fn: { handler: () => opened, reservedConcurrency: 1 } });
    const running = ask('fn');
    await local.request(0);
    const refused = await ask('fn');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    expect((await ask('fn', { method: 'POST', body: 'x'.repeat(6_291_457) })).statusCode).toBe(413);
    open();
    expect((await running).statusCode).toBe(200);
  });
});

describe('responses without a body', () => {
  test('HEAD has the head alone, of a result and of a stream', async () => {
    const { local, ask } = await start({
      result: () => ({ statusCode: 200, headers: { 'x-a': '1' }, body: 'body' }),
      stream: http((stream) => {
        stream.write('x'.repeat(200_000));
        stream.end();
      }),
      fails: () => {
        throw new Error('no');
      },
    });
    const result = await ask('result', { method: 'HEAD' });
    expect([result.statusCode, result.headers['x-a'], result.headers['content-length'], result.body.length]).toEqual([
      200,
      '1',
      '4',
      0,
    ]);
    expect(await ask('stream', { method: 'HEAD' })).toMatchObject({ statusCode: 200, body: Buffer.alloc(0) });
    expect(await ask('fails', { method: 'HEAD' })).toMatchObject({ statusCode: 502, body: Buffer.alloc(0) });
    expect(local.requests.map(({ bytesWritten }) => bytesWritten)).toEqual([0, 0, 0]);
  });

  test.each([204, 304])('a %i drops what the function wrote, and the connection goes on', async (statusCode) => {
    const { local } = await start({
      result: () => ({ statusCode, body: 'dropped' }),
      stream: http(
        (stream) => {
          stream.write('dropped');
          stream.end();
        },
        { statusCode },
      ),
    });
    for (const name of ['result', 'stream']) {
      const { hostname, port } = new URL(local.functionUrls[name] ?? '');
      const socket = connect(Number(port), hostname);
      const sent = 'GET / HTTP/1.1\r\nhost: localhost\r\n';
      socket.write(`${sent}\r\n${sent}connection: close\r\n\r\n`);
      let answer = '';
      for await (const part of socket) answer += String(part);
      expect(answer.match(new RegExp(`HTTP/1.1 ${statusCode}`, 'g'))).toHaveLength(2);
      expect(answer).not.toMatch(/dropped|content-length|transfer-encoding/i);
    }
  });

  test('a function that writes for ever to a HEAD request is ended by its time-out', async () => {
    const { ask } = await start({
      fn: {
        handler: async function* () {
          for (;;) yield await Promise.resolve('x'.repeat(1_000));
        },
        timeoutMs: 100,
      },
    });
    await expect(ask('fn', { method: 'HEAD' })).resolves.toMatchObject({ statusCode: 502 });
  });
});

test('a client that leaves does not stop the handler, and the log tells', async () => {
  const { opened, open } = gate();
  let finish!: (what: string) => void;
  const ran = new Promise<string>((resolve) => (finish = resolve));
  const { local, finished, url } = await start({
    fn: http((stream) => {
      stream.write('a');
      void opened.then(() => {
        for (let n = 0; n < 100; n++) stream.write(Buffer.alloc(100_000));
        stream.end(() => finish('ran to its end'));
      });
    }),
  });
  const abort = new AbortController();
  const response = await fetch(url('fn'), { signal: abort.signal });
  abort.abort();
  expect(response.status).toBe(200);
  expect(await local.requests[0]?.closedEarly).toBe(true);
  open();
  expect(await ran).toBe('ran to its end');
  await expect.poll(() => finished).toMatchObject([{ closedEarly: true, request: { functionName: 'fn' } }]);
});

test('a request is recorded with its method, its path and how its response fared', async () => {
  const { local, ask } = await start({ fn: () => ({ statusCode: 404, body: 'no' }) });
  await ask('fn', { method: 'DELETE', path: '/orders/7?token=s3cret', headers: { 'content-length': '1' }, body: 'x' });
  expect(local.requests).toMatchObject([
    {
      functionName: 'fn',
      operation: 'FunctionUrl',
      method: 'DELETE',
      path: '/orders/7',
      attempt: 1,
      statusCode: 404,
      responseStatus: 404,
      bytesWritten: 2,
      payloadBytes: 2,
      payload: new TextEncoder().encode('x'),
    },
  ]);
  expect(local.requests[0]?.firstByteMs).toBeGreaterThan(0);
});

test("the SDK's way records the function's own status, of a prelude and of a result", async () => {
  const { local, client, read } = await drive({
    prelude: http(
      (stream) => {
        stream.write('b');
        stream.end();
      },
      { statusCode: 404 },
    ),
    result: () => ({ statusCode: 409 }),
    none: () => 1,
  });
  for (const name of ['prelude', 'result', 'none']) await read(name);
  expect(local.requests.map(({ statusCode, responseStatus }) => [statusCode, responseStatus])).toEqual([
    [200, 404],
    [200, 409],
    [200, undefined],
  ]);
  expect(local.requests[2]?.payloadBytes).toBe(1);
  const output = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'none' }));
  expect(output.StatusCode).toBe(200);
});

describe('a script on a URL', () => {
  test('plays its head, chunks, waits and resets', async () => {
    const { opened, open } = gate();
    const { ask, url } = await start({
      whole: scripted([
        { head: { statusCode: 203, headers: { 'content-type': 'text/plain' } } },
        { batch: [{ chunk: 'a' }, { raw: 'b' }] },
        { waitFor: opened },
        { waitMs: 1 },
        { chunk: 'c' },
        { complete: {} },
      ]),
      reset: scripted([{ chunk: 'a' }, 'reset']),
      refused: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]),
      senseless: scripted([{ badCrc: 'prelude' }]),
    });
    const response = await fetch(url('whole'));
    expect([response.status, response.headers.get('content-type')]).toEqual([203, 'text/plain']);
    open();
    expect(await response.text()).toBe('abc');
    await expect(ask('reset')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ask('refused')).statusCode).toBe(429);
    const senseless = await ask('senseless');
    expect([senseless.statusCode, senseless.body.toString()]).toEqual([
      400,
      expect.stringContaining('badCrc has no meaning on a function URL'),
    ]);
  });
});

describe('CORS', () => {
  const fn = http(
    (stream) => {
      stream.write('x');
      stream.end();
    },
    { headers: { 'access-control-allow-origin': '*', 'x-total': '3', vary: 'accept' } },
  );
  const origin = 'https://app.example';

  test('a preflight is answered for an allowed origin, with the method and the headers asked for', async () => {
    const { local, ask } = await start({ fn }, { cors: [origin] });
    const { statusCode, headers } = await ask('fn', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'x-own, content-type',
      },
    });
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'PATCH',
      'access-control-allow-headers': 'x-own, content-type',
      'access-control-allow-credentials': 'true',
    });
    expect(local.requests).toHaveLength(0);
  });

  test("the option's headers replace the function's own, and expose all that it sends", async () => {
    const { ask } = await start({ fn, fails: () => Promise.reject(new Error('no')) }, { cors: [origin] });
    const { headers } = await ask('fn', { headers: { origin } });
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(String(headers['access-control-expose-headers']).split(', ')).toEqual(
      expect.arrayContaining(['x-total', 'content-type', 'x-amzn-requestid']),
    );
    expect(headers.vary).toBe('origin, accept');
    expect((await ask('fails', { headers: { origin } })).headers['access-control-allow-origin']).toBe(origin);
  });

  test('with cors true no page may act with the cookies of the one who is logged in', async () => {
    const { ask } = await start({ fn }, { cors: true });
    const { headers } = await ask('fn', { headers: { origin } });
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('without the option the function answers OPTIONS itself, and its headers stay', async () => {
    const { ask } = await start({ fn });
    const { statusCode, headers } = await ask('fn', { method: 'OPTIONS' });
    expect([statusCode, headers['access-control-allow-origin'], headers.vary]).toEqual([200, '*', 'accept']);
  });
});
