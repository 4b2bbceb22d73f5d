import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drive, gate, post, rawExchange, streamPath } from './drive.js';

test('a script sends what it says and ends cleanly, without an InvokeComplete of its own', async () => {
  const { local, read } = await drive({ fn: scripted([{ chunk: 'a' }, { chunk: new Uint8Array([98]) }]) });
  const { chunks, complete } = await read('fn');
  expect(chunks).toEqual(['a', 'b']);
  expect(complete).toBeUndefined();
  expect(await local.requests[0]?.closedEarly).toBe(false);
});

test('an empty script is an empty 200 with the headers of a stream', async () => {
  const { local } = await drive({ fn: scripted([]) });
  const { statusCode, headers, body } = await post(local, { path: streamPath('fn') });
  expect(statusCode).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'application/vnd.amazon.eventstream',
    'transfer-encoding': 'chunked',
    'x-amz-executed-version': '$LATEST',
    'x-amzn-remapped-content-type': 'application/octet-stream',
    'x-amzn-requestid': local.requests[0]?.requestId,
    'x-amzn-trace-id': expect.stringMatching(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;/,
    ) as string,
  });
  expect(body).toHaveLength(0);
});

test('each step is a write of its own, and a batch is one write', async () => {
  const { local } = await drive({
    apart: scripted([{ raw: 'a' }, { raw: 'b' }, { raw: 'c' }]),
    batch: scripted([{ batch: [{ raw: 'a' }, { raw: 'b' }, { raw: 'c' }] }]),
  });
  const parts = async (name: string): Promise<string[]> =>
    (await post(local, { path: streamPath(name) })).parts.map(String);
  expect(await parts('apart')).toEqual(['a', 'b', 'c']);
  expect(await parts('batch')).toEqual(['abc']);
});

test('flush sends the head before the first byte', async () => {
  const { opened, open } = gate();
  const { local } = await drive({ fn: scripted(['flush', { waitFor: opened }, { raw: 'body' }]) });
  const response = await fetch(local.endpoint + streamPath('fn'), { method: 'POST' });
  expect(response.status).toBe(200);
  expect(local.requests[0]?.bytesWritten).toBe(0);
  open();
  expect(await response.text()).toBe('body');
});

test('without flush the head comes with the first byte', async () => {
  const { opened, open } = gate();
  const { local } = await drive({ fn: scripted([{ waitFor: opened }, { raw: 'body' }]) });
  let isThere = false;
  const fetched = fetch(local.endpoint + streamPath('fn'), { method: 'POST' }).finally(() => (isThere = true));
  const request = await local.request(0);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isThere).toBe(false);
  expect(request.statusCode).toBeUndefined();
  open();
  expect((await fetched).status).toBe(200);
});

test('head changes the status, adds headers and removes them', async () => {
  const { local } = await drive({
    fn: scripted([
      {
        head: {
          statusCode: 206,
          headers: { 'x-extra': '1', 'content-type': 'text/html', 'x-amzn-trace-id': undefined },
        },
      },
      { raw: '<html>' },
    ]),
  });
  const { statusCode, headers, body } = await post(local, { path: streamPath('fn') });
  expect(statusCode).toBe(206);
  expect(headers).toMatchObject({ 'x-extra': '1', 'content-type': 'text/html' });
  expect(headers).not.toHaveProperty('x-amzn-trace-id');
  expect(body.toString()).toBe('<html>');
});

test('waits hold the next step back, for a time or for a promise, rejected ones too', async () => {
  const { opened, open } = gate();
  const { read } = await drive({
    fn: scripted([
      { chunk: 'a' },
      { waitMs: 1 },
      { chunk: 'b' },
      { waitFor: opened.then(() => Promise.reject(new Error('no matter'))) },
      { chunk: 'c' },
    ]),
  });
  const reading = read('fn');
  open();
  expect((await reading).text).toBe('abc');
});

test('many waits in one script leave no listener behind', async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  const waits = Array.from({ length: 20 }, () => ({ waitFor: Promise.resolve() }));
  const { read } = await drive({ fn: scripted([...waits, { chunk: 'a' }]) });
  expect((await read('fn')).text).toBe('a');
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
});

test('a script that is a function sees the request and the attempt, and is asked each time', async () => {
  const { read } = await drive({
    fn: scripted((request, attempt) => [{ chunk: `${attempt}:${new TextDecoder().decode(request.payload)}` }]),
  });
  expect((await read('fn', { Payload: 'not JSON' })).text).toBe('1:not JSON');
  expect((await read('fn', { Payload: '{}' })).text).toBe('2:{}');
});

test('a script function that throws or answers nonsense is a ServiceException that says why', async () => {
  const { local } = await drive({
    throws: scripted(() => {
      throw new Error('my mistake');
    }),
    nonsense: scripted(() => [{ chnk: 'a' } as never]),
  });
  for (const [name, message] of [
    ['throws', 'my mistake'],
    ['nonsense', 'chnk'],
  ] as const) {
    const { statusCode, headers, body } = await post(local, { path: streamPath(name) });
    expect([statusCode, headers['x-amzn-errortype']]).toEqual([500, 'ServiceException']);
    expect(body.toString()).toContain(message);
  }
});

describe('failures, as the SDK sees them', () => {
  test.each<[string, ScriptStep[], object]>([
    ['reset', [{ chunk: 'a' }, 'reset'], { message: 'aborted', code: 'ECONNRESET' }],
    [
      'a bad prelude checksum',
      [{ badCrc: 'prelude' }],
      { message: expect.stringContaining('prelude checksum') as string },
    ],
    [
      'a bad message checksum',
      [{ badCrc: 'message' }],
      { message: expect.stringContaining('message checksum') as string },
    ],
    ['a bogus length', [{ chunk: 'a' }, { bogusLength: 1_000 }], { message: 'Truncated event message received.' }],
    ['an exception frame', [{ exception: 'ServiceException', body: { Message: 'm' } }], { name: 'ServiceException' }],
    [
      'an error frame',
      [{ errorFrame: { code: 'Oops', message: 'm' } }],
      { name: 'Oops', message: expect.stringMatching(/^m/) as string },
    ],
  ])('%s', async (_name, steps, error) => {
    const { read } = await drive({ fn: scripted(steps) });
    await expect(read('fn')).rejects.toMatchObject(error);
  });

  test('an HTTP error is the typed exception, with its Reason and Retry-After', async () => {
    const { client } = await drive(
      {
        fn: scripted([
          {
            httpError: {
              statusCode: 429,
              name: 'TooManyRequestsException',
              message: 'Rate Exceeded.',
              headers: { 'retry-after': '3' },
              body: { Reason: 'CallerRateLimitExceeded' },
            },
          },
        ]),
      },
      {},
      { maxAttempts: 1 },
    );
    const sent = client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }));
    await expect(sent).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '3',
    });
  });

  test('an HTTP error without a message has one all the same, as on AWS', async () => {
    const { client } = await drive(
      { fn: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]) },
      {},
      { maxAttempts: 1 },
    );
    const sent = client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }));
    await expect(sent).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      message: 'Answered by a script',
    });
  });

  test('an HTTP error without a name and with a text body is what a proxy sends', async () => {
    const { local } = await drive({
      fn: scripted([
        { httpError: { statusCode: 503, body: '<h1>busy</h1>', headers: { 'content-type': 'text/html' } } },
      ]),
    });
    const { statusCode, headers, body } = await post(local, { path: streamPath('fn') });
    expect([statusCode, headers['content-type'], body.toString()]).toEqual([503, 'text/html', '<h1>busy</h1>']);
    expect(headers).not.toHaveProperty('x-amzn-errortype');
  });

  test('reset before any byte breaks the connection without a response', async () => {
    const { local } = await drive({ fn: scripted(['reset']) });
    await expect(post(local, { path: streamPath('fn') })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await local.requests[0]?.closedEarly).toBe(false);
  });

  test('end ends the response, on a connection that stays usable', async () => {
    const { local } = await drive({ fn: scripted([{ raw: 'a' }, 'end']) });
    const request = `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n`;
    const answer = await rawExchange(local, `${request}\r\n${request}connection: close\r\n\r\n`);
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('a wrong script throws at the call', () => {
  test.each<[string, unknown, string]>([
    ['an unknown step', [{ chnk: 'a' }], 'step 0 is unknown'],
    ['an unknown word', ['flsh'], 'step 0 is unknown: flsh'],
    ['a step that is no word', ['complete'], 'step 0 is unknown: complete; as in { complete: … }'],
    ['a late httpError', [{ chunk: 'a' }, { httpError: { statusCode: 500 } }], 'httpError must be the first step'],
    ['a late head', ['flush', { head: {} }], 'head must be the first step'],
    ['a step after httpError', [{ httpError: { statusCode: 429 } }, { chunk: 'a' }], 'httpError must be the last step'],
    ['a step after reset', ['reset', { chunk: 'a' }], 'reset must be the last step'],
    ['a step after end', [{ chunk: 'a' }, 'end', { chunk: 'b' }], 'end must be the last step'],
    ['a step after stall', ['stall', { complete: {} }], 'stall must be the last step'],
    ['a wait in a batch', [{ batch: [{ waitMs: 1 }] }], 'a batch holds bytes only, not waitMs'],
    ['no array', { chunk: 'a' }, 'must be an array'],
  ])('%s', (_name, steps, message) => {
    expect(() => scripted(steps as never)).toThrow(TypeError);
    expect(() => scripted(steps as never)).toThrow(message);
  });
});
