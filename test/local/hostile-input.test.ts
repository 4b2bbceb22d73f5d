import { connect } from 'node:net';
import { scripted } from 'rx-lambda-stream/local';
import { afterEach, expect, test } from 'vitest';
import { drive, post, rawExchange, streamPath, type Driven } from './drive.js';

let driven: Driven | undefined;

/** A function that answers, to prove afterwards that the endpoint is still well. */
async function start(options: Parameters<typeof drive>[1] = {}): Promise<Driven> {
  driven = await drive(
    {
      fn: () => 'alive',
      waits: scripted(['stall']),
      badHeader: scripted([{ head: { headers: { 'x-bad': 'a\r\nb' } } }]),
    },
    options,
  );
  return driven;
}

afterEach(async () => {
  expect((await driven?.read('fn'))?.text).toBe('"alive"');
});

const awsShaped = /^HTTP\/1\.1 (\d+) [\s\S]*x-amzn-errortype: (\w+)[\s\S]*\{"Type":"User","[Mm]essage":/i;

/** The status and the exception's name of an AWS-shaped refusal. */
function refusal(answer: string): string[] {
  return awsShaped.exec(answer)?.slice(1) ?? [answer];
}

test('headers over 16 KB are refused', async () => {
  const { local } = await start();
  const answer = await rawExchange(
    local,
    `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\nx-huge: ${'a'.repeat(20_000)}\r\n\r\n`,
  );
  expect(refusal(answer)).toEqual(['431', 'RequestHeaderSectionTooLargeException']);
});

test('bytes that are no HTTP are refused', async () => {
  const { local } = await start();
  expect(refusal(await rawExchange(local, '\x16\x03\x01\x02\x00 hello\r\n\r\n'))).toEqual([
    '400',
    'InvalidRequestException',
  ]);
});

test('a body that does not arrive is refused when its time is up', async () => {
  const { local } = await start({ requestTimeoutMs: 100 });
  const answer = await rawExchange(
    local,
    `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nslow`,
  );
  expect(refusal(answer)).toEqual(['408', 'RequestTimeoutException']);
  await local.idle();
});

test('headers that do not arrive are refused when their time is up', async () => {
  const { local } = await start({ requestTimeoutMs: 100 });
  const answer = await rawExchange(local, `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\n`);
  expect(refusal(answer)).toEqual(['408', 'RequestTimeoutException']);
});

test('a client that leaves in the middle of its body is forgotten', async () => {
  const { local } = await start();
  const { hostname, port } = new URL(local.endpoint);
  const socket = connect(Number(port), hostname);
  socket.write(`POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhalf`);
  const request = await local.request(0);
  socket.destroy();
  expect(await request.closedEarly).toBe(true);
  await local.idle();
});

test('a pipelined request whose turn never comes is over with its connection', async () => {
  const { local } = await start();
  const { hostname, port } = new URL(local.endpoint);
  const socket = connect(Number(port), hostname);
  const head = (name: string): string =>
    `POST ${streamPath(name)} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`;
  socket.write(head('waits') + head('fn'));
  await local.request(1);
  socket.destroy();
  await local.idle();
  expect(await local.requests[1]?.closedEarly).toBe(true);
});

test.each([
  ['GET', streamPath('fn')],
  ['POST', '/'],
  ['POST', '//'],
  ['POST', '/../../etc/passwd'],
  ['POST', '/2021-11-15/functions//response-streaming-invocations'],
  ['POST', '/2021-11-15/functions/%E0%A4%A/response-streaming-invocations'],
  ['POST', '/2021-11-15/functions/a/b/response-streaming-invocations'],
  ['DELETE', '/2015-03-31/functions/fn'],
  ['OPTIONS', streamPath('fn')],
])('%s %s is no operation', async (method, path) => {
  const { local } = await start();
  const { statusCode, headers } = await post(local, { method, path });
  expect([statusCode, headers['x-amzn-errortype']]).toEqual([404, 'UnknownOperationException']);
});

test.each(['a b', '../fn', 'fn\0', 'a'.repeat(200), 'arn:aws:s3:::bucket', 'fn:', ':', 'fn:a:b:c', '<script>'])(
  'the function name %j is refused',
  async (name) => {
    const { local } = await start();
    const { statusCode, headers, body } = await post(local, { path: streamPath(name) });
    expect([statusCode, headers['x-amzn-errortype']]).toEqual([400, 'InvalidParameterValueException']);
    expect(body.length).toBeLessThan(1_000);
  },
);

test('a body just over the limit is answered, and one many times over it is not read to its end', async () => {
  const { local } = await start({ maxRequestBytes: 10_000 });
  const path = streamPath('fn');
  expect((await post(local, { path, body: 'x'.repeat(50_000) })).statusCode).toBe(413);
  const { hostname, port } = new URL(local.endpoint);
  const socket = connect(Number(port), hostname);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  // The endpoint may close before it has read what was sent: a reset.
  socket.on('error', (error: NodeJS.ErrnoException) => expect(error.code).toMatch(/ECONNRESET|EPIPE/));
  socket.resume();
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10000000000\r\n\r\n`);
  const feed = (): void => {
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
  };
  socket.on('drain', feed);
  feed();
  await closed;
  await local.idle();
  expect(local.requests[1]?.statusCode).toBe(413);
});

test('a script with a header that HTTP does not allow is a ServiceException', async () => {
  const { local } = await start();
  const { statusCode, headers } = await post(local, { path: streamPath('badHeader') });
  expect([statusCode, headers['x-amzn-errortype']]).toEqual([500, 'ServiceException']);
});
