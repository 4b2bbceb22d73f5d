import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, constants, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { concat, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import {
  FunctionError,
  invokeWithResponseStream,
  TruncatedStreamError,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent, retryEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import { createRelay, type Relay, type RelayGrant } from '../../src/relay/index.js';
import { gate, startLive } from '../support/live.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { ask, lambdaPath, readAll, sdkClient, send, startRelay } from './relay-server.js';
import { stopClock } from './virtual-clock.js';

/** The frames of an answer, each as `:event-type` or `:exception-type` and its payload. */
function framesOf(body: Uint8Array): [type: string, payload: string][] {
  const frames: [string, string][] = [];
  createMessageDecoder((headers, payload) => {
    const type = [headers[':message-type'], headers[':event-type'] ?? headers[':exception-type']].join(' ');
    return frames.push([type, new TextDecoder().decode(payload)]) > 0;
  }).decode(body);
  return frames;
}

/** Serves a relay over HTTP/2. Resolves with a client's session. */
async function connectTo(relay: Relay): Promise<ClientHttp2Session> {
  const server = createHttp2Server(relay.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await relay.close();
    session.destroy();
    server.close();
  });
  return session;
}

const sends = (...events: LambdaStreamEvent[]): RelayGrant => ({ open: () => of(...events) });

describe("Lambda's own protocol", () => {
  test('the answer is frames as Lambda sends them, behind its headers', async () => {
    const head = headEvent({ executedVersion: '7', contentType: 'text/plain', requestId: 'r-1' });
    const grant = sends(head, chunkEvent('hel'), chunkEvent('lo'), completeEvent({ logTail: 'the log' }));
    const { url } = await startRelay({ authorize: () => grant });
    const { status, headers, body } = await ask(url);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amz-executed-version': '7',
      'x-amzn-remapped-content-type': 'text/plain',
    });
    expect(headers).not.toHaveProperty('x-amzn-requestid');
    expect(headers).not.toHaveProperty('x-rx-invocation');
    expect(framesOf(body)).toEqual([
      ['event PayloadChunk', 'hel'],
      ['event PayloadChunk', 'lo'],
      ['event InvokeComplete', '{}'],
    ]);
  });

  test("expose: 'all' adds the request id and the log", async () => {
    const grant = sends(headEvent({ requestId: 'r-1' }), completeEvent({ logTail: 'the log' }));
    const { url } = await startRelay({ authorize: () => ({ ...grant, expose: 'all' }) });
    const { headers, body } = await ask(url);
    expect(headers['x-amzn-requestid']).toBe('r-1');
    expect(framesOf(body)).toEqual([['event InvokeComplete', JSON.stringify({ LogResult: btoa('the log') })]]);
  });

  test('after the first frame a FunctionError is an InvokeComplete; an outsider sees only its class', async () => {
    const errorDetails = JSON.stringify({ errorType: 'CardError', errorMessage: 'card 4711', trace: [] });
    const error = new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails, logTail: 'secret' });
    const open = (): Observable<LambdaStreamEvent> =>
      concat(
        of(headEvent()),
        throwError(() => error),
      );
    const { url } = await startRelay({
      authorize: ({ functionName }) => ({ open, ...(functionName === undefined && { expose: 'all' as const }) }),
    });
    const [frame] = framesOf((await ask(url)).body);
    expect(frame).toEqual([
      'event InvokeComplete',
      JSON.stringify({ ErrorCode: 'Unhandled', ErrorDetails: '{"errorType":"CardError"}' }),
    ]);
    const [all] = framesOf((await ask(url, { path: '/' })).body);
    expect(JSON.parse(all?.[1] ?? '')).toEqual({
      ErrorCode: 'Unhandled',
      ErrorDetails: errorDetails,
      LogResult: btoa('secret'),
    });
  });

  test('a function error that open emits shows no more', async () => {
    const errorDetails = JSON.stringify({ errorType: 'CardError', errorMessage: 'card 4711' });
    const grant = sends(headEvent(), completeEvent({ errorCode: 'Unhandled', errorDetails }));
    const { url } = await startRelay({ authorize: () => grant });
    expect((await ask(url)).text).not.toContain('4711');
  });

  test('after it any other error is an exception frame with class and code; the connection stays open', async () => {
    const error = new TruncatedStreamError({ functionName: 'secret', chunks: 1, bytes: 3 });
    const { url } = await startRelay({
      authorize: () => ({
        open: () =>
          concat(
            of(headEvent(), chunkEvent('abc')),
            throwError(() => error),
          ),
      }),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const sockets = new Set<unknown>();
    for (let round = 0; round < 2; round++) {
      const sent = request(new URL(lambdaPath, url), { method: 'POST', agent }).end();
      const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer>];
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      sockets.add(sent.socket);
      const [, exception] = framesOf(Buffer.concat(parts));
      expect(exception?.[0]).toBe('exception TruncatedStreamError');
      expect(JSON.parse(exception?.[1] ?? '')).toEqual({
        Type: 'User',
        Message: 'The response is not complete',
        code: 'truncated',
        ours: true,
        chunks: 1,
        bytes: 3,
        status: 424,
      });
    }
    expect(sockets.size).toBe(1);
  });

  test('an event that has no frame of its own is passed over by the SDK: pings, retries, heads', async () => {
    const clock = stopClock();
    const more = new Subject<LambdaStreamEvent>();
    const open = (): Observable<LambdaStreamEvent> =>
      concat(of(headEvent(), retryEvent(), headEvent(), chunkEvent('a')), more);
    const { url } = await startRelay({ authorize: () => ({ open }) });
    async function goOn(): Promise<void> {
      await clock.advance(15_000);
      more.next(chunkEvent('b'));
      more.next(completeEvent());
    }
    const output = await sdkClient(url).send(new InvokeWithResponseStreamCommand({ FunctionName: 'chat' }));
    const texts: string[] = [];
    for await (const event of output.EventStream ?? []) {
      if (event.PayloadChunk?.Payload) {
        texts.push(new TextDecoder().decode(event.PayloadChunk.Payload));
        if (texts.length === 1) await goOn();
      } else expect(Object.keys(event)).toEqual(['InvokeComplete']);
    }
    expect(texts).toEqual(['a', 'b']);
    // The same bytes hold a ping.
    const response = await send(url, {});
    await goOn();
    const types = framesOf((await readAll(response)).body).map(([type]) => type);
    expect(types).toEqual(['event PayloadChunk', 'event RxPing', 'event PayloadChunk', 'event InvokeComplete']);
  });

  test('a client that does not know a restart gets an exception instead of two texts in one', async () => {
    const restart = retryEvent({ mode: 'restart', delivered: { chunks: 1, bytes: 1 } });
    const { url } = await startRelay({
      authorize: () => sends(headEvent(), chunkEvent('a'), restart, chunkEvent('b'), completeEvent()),
    });
    expect(framesOf((await ask(url)).body).map(([type]) => type)).toEqual([
      'event PayloadChunk',
      'exception RestartedError',
    ]);
    const accept = 'application/vnd.amazon.eventstream; rx=1';
    expect(framesOf((await ask(url, { headers: { accept } })).body).map(([type]) => type)).toEqual([
      'event PayloadChunk',
      'event RxRestart',
      'event PayloadChunk',
      'event InvokeComplete',
    ]);
  });

  test('a field of the head that HTTP does not allow in a header is left out, and the stream goes on', async () => {
    const head = headEvent({ contentType: 'text/plain\r\nset-cookie: a=b', executedVersion: '€' });
    const { url, relay } = await startRelay({ authorize: () => sends(head, chunkEvent('hi'), completeEvent()) });
    const { status, headers, body } = await ask(url);
    expect([status, framesOf(body)[0]]).toEqual([200, ['event PayloadChunk', 'hi']]);
    expect(headers).not.toHaveProperty('set-cookie');
    const response = await relay.fetch(new Request(`http://a.example${lambdaPath}`, { method: 'POST' }));
    expect([response.status, response.headers.get('set-cookie')]).toEqual([200, null]);
    await response.body?.cancel();
  });

  test('an accepted DryRun is 204 without a body', async () => {
    const { url, relay } = await startRelay({ authorize: () => sends(headEvent({ statusCode: 204 })) });
    const { status, body } = await ask(url);
    expect([status, body.length]).toEqual([204, 0]);
    const response = await relay.fetch(new Request(`http://a.example${lambdaPath}`, { method: 'POST' }));
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test.each([[1], [3]])(
    'the SDK sends a failed relayed request once, whatever it may retry (maxAttempts %i)',
    async (maxAttempts) => {
      let asked = 0;
      const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      const { url } = await startRelay({ authorize: () => (asked++, { open: () => throwError(() => error) }) });
      const sent = sdkClient(url, maxAttempts).send(new InvokeWithResponseStreamCommand({ FunctionName: 'chat' }));
      await expect(sent).rejects.toMatchObject({ name: 'Error', $metadata: { httpStatusCode: 424, attempts: 1 } });
      expect(asked).toBe(1);
    },
  );

  test("the SDK's exceptions come through, and its typed fields", async () => {
    const exception = serviceException('TooManyRequestsException', {
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '3',
    });
    const { url } = await startRelay({ authorize: () => ({ open: () => throwError(() => exception) }) });
    const { error } = await outcomeOf(invokeWithResponseStream(sdkClient(url), { FunctionName: 'chat' }));
    expect(error).toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '3',
      $metadata: { httpStatusCode: 429 },
    });
  });
});

describe('an invocation without a key', () => {
  test('runs a real function once, byte for byte, through the SDK on both sides', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255);
    const { local, client } = await startLive({
      chat: async function* () {
        yield bytes.subarray(0, 1_000);
        yield await Promise.resolve(bytes.subarray(1_000));
      },
    });
    const { url } = await startRelay({
      authorize: ({ input }) => ({ open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) }),
    });
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(sdkClient(url), { FunctionName: 'chat', Payload: { a: 1 } }),
    );
    expect(completed).toBe(true);
    expect(typesOf(values)).toMatch(/^head (chunk )+complete$/);
    expect(Buffer.concat(values.map((event) => (event.type === 'chunk' ? event.payload : new Uint8Array())))).toEqual(
      Buffer.from(bytes),
    );
    expect(local.requests).toHaveLength(1);
    expect(new TextDecoder().decode(local.requests[0]?.payload)).toBe('{"a":1}');
  });

  test('belongs to one client: leaving closes the connection to Lambda', async () => {
    const { local, client } = await startLive({
      chat: async function* () {
        yield 'a';
        await new Promise(() => undefined);
      },
    });
    const { url } = await startRelay({
      authorize: ({ input }) => ({ open: (pauseWhile) => invokeWithResponseStream(client, input, { pauseWhile }) }),
    });
    const response = await send(url, {});
    await once(response, 'data');
    response.destroy();
    expect(await (await local.request(0)).closedEarly).toBe(true);
  });

  test('a client that left before authorize decided costs no invocation', async () => {
    const asked = gate();
    const decided = gate();
    let ran = 0;
    const { url } = await startRelay({
      async authorize({ request }) {
        asked.open();
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        setImmediate(decided.open);
        return { open: () => (ran++, NEVER) };
      },
    });
    const sent = request(new URL(lambdaPath, url), { method: 'POST' });
    sent.on('error', () => undefined);
    sent.end();
    await asked.opened;
    sent.destroy();
    await decided.opened;
    expect(ran).toBe(0);
  });

  test('frames have no position to go on from: last-event-id is 404, and nothing runs', async () => {
    let ran = 0;
    const { url } = await startRelay({ authorize: () => ({ open: () => (ran++, of(headEvent(), completeEvent())) }) });
    const { status, text } = await ask(url, { headers: { 'last-event-id': '1-0' } });
    expect([status, JSON.parse(text)]).toMatchObject([404, { code: 'unknown-invocation' }]);
    expect(ran).toBe(0);
  });

  test.each(['x', '1', '1-', '-1', '1-2-3', '1-2/END', '0x1-2', '1-2/end', `${'9'.repeat(41)}-0`])(
    'a malformed position is 400: %s',
    async (id) => {
      let asked = 0;
      const { url } = await startRelay({ authorize: () => (asked++, { key: 'k' }) });
      expect((await ask(url, { headers: { 'last-event-id': id } })).status).toBe(400);
      expect(asked).toBe(id.endsWith('/end') ? 1 : 0);
    },
  );
});

describe('the two doors', () => {
  test('fetch: request.signal leaves before the head too and rejects with its reason', async () => {
    const opened = gate();
    const left = gate();
    const relay = createRelay({
      authorize: () => ({
        open: () =>
          new Observable(() => {
            opened.open();
            return left.open;
          }),
      }),
    });
    const controller = new AbortController();
    const init = { method: 'POST', signal: controller.signal };
    const response = relay.fetch(new Request(`http://a.example${lambdaPath}`, init));
    await opened.opened;
    const reason = new Error('gone');
    controller.abort(reason);
    await expect(response).rejects.toBe(reason);
    await left.opened;
    await relay.close();
  });

  test('fetch: cancel leaves', async () => {
    const left = gate();
    const relay = createRelay({
      authorize: () => ({ open: () => new Observable((subscriber) => (subscriber.next(headEvent()), left.open)) }),
    });
    const response = await relay.fetch(new Request(`http://a.example${lambdaPath}`, { method: 'POST' }));
    await response.body?.cancel();
    await left.opened;
    await relay.close();
  });

  test('listener: a body that a parser has taken is a 500 at once, and onError hears what to do', async () => {
    const told: unknown[] = [];
    const { url } = await startRelay(
      { authorize: () => sends(headEvent(), completeEvent()), onError: (error) => told.push(error) },
      (relay) => (incoming, response) => {
        incoming.resume().on('end', () => relay.listener(incoming, response));
      },
    );
    expect((await ask(url, { body: '{}' })).status).toBe(500);
    expect(String(told[0])).toContain('mount the relay before it');
    // Without a body there is nothing that could have been taken.
    expect((await ask(url, { headers: { 'content-length': '0' } })).status).toBe(200);
  });

  test('fetch: a body that a parser has taken is a 500 at once', async () => {
    const told: unknown[] = [];
    const relay = createRelay({ authorize: () => ({ key: 'k' }), onError: (error) => told.push(error) });
    const request = new Request(`http://a.example${lambdaPath}`, { method: 'POST', body: '{}' });
    await request.json();
    expect((await relay.fetch(request)).status).toBe(500);
    expect(String(told[0])).toContain('mount the relay before it');
    await relay.close();
  });

  test('HTTP/2: the same listener, :authority for Host, and no connection header', async () => {
    const relay = createRelay({
      maxBodyBytes: 10,
      hosts: ['relay.example'],
      authorize: ({ request }) => sends(headEvent(), chunkEvent(new URL(request.url).host), completeEvent()),
    });
    const session = await connectTo(relay);
    async function post(
      headers: Record<string, string>,
      body = '',
    ): Promise<{ head: Record<string, unknown>; body: Buffer }> {
      const stream = session.request({ ':method': 'POST', ':path': lambdaPath, ...headers });
      stream.on('error', () => undefined);
      stream.end(body);
      const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
      const parts: Buffer[] = [];
      for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
      return { head, body: Buffer.concat(parts) };
    }
    const { head, body } = await post({ ':authority': 'relay.example', origin: 'https://relay.example' });
    expect(head[':status']).toBe(200);
    expect(framesOf(body)[0]).toEqual(['event PayloadChunk', 'relay.example']);
    expect((await post({ ':authority': 'evil.example' })).head[':status']).toBe(403);
    const large = await post({ ':authority': 'relay.example' }, 'x'.repeat(11));
    expect(large.head[':status']).toBe(413);
    expect(large.head).not.toHaveProperty('connection');
  });

  test.each(['the stream', 'the session'])('HTTP/2: a client that ends %s closes the source', async (what) => {
    const { opened: closed, open: close } = gate();
    const relay = createRelay({
      authorize: () => ({
        open: () =>
          new Observable((subscriber) => {
            subscriber.next(headEvent());
            subscriber.next(chunkEvent('a'));
            return close;
          }),
      }),
    });
    const session = await connectTo(relay);
    const stream = session.request({ ':method': 'POST', ':path': lambdaPath });
    stream.on('error', () => undefined);
    stream.end('{}');
    await once(stream, 'data');
    if (what === 'the stream') stream.close(constants.NGHTTP2_CANCEL);
    else session.destroy();
    await closed;
  });

  test('HTTP/2: a client that leaves within its body is not asked about, and nothing runs', async () => {
    const { opened: admitted, open: admit } = gate();
    const payloads: string[] = [];
    const relay = createRelay({
      admit,
      authorize({ payload }) {
        payloads.push(new TextDecoder().decode(payload));
        return sends(headEvent(), completeEvent());
      },
    });
    const session = await connectTo(relay);
    const cut = session.request({ ':method': 'POST', ':path': lambdaPath });
    const gone = new Error('gone');
    const left = expect(once(cut, 'close')).rejects.toBe(gone);
    cut.write('the first half');
    await admitted;
    // Its `close` would end the body before the stream.
    cut.destroy(gone);
    await left;
    const whole = session.request({ ':method': 'POST', ':path': lambdaPath });
    whole.end('whole');
    await once(whole.resume(), 'end');
    expect(payloads).toEqual(['whole']);
  });

  test('close resolves though clients hang, cuts them, and lets nobody in', async () => {
    const { relay, url } = await startRelay({
      authorize: ({ functionName }) => ({
        open: () => (functionName === 'chat' ? concat(of(headEvent()), NEVER) : NEVER),
      }),
    });
    const response = await send(url, {});
    const broken = once(response, 'error');
    response.resume();
    await relay.close();
    await broken;
    expect((await ask(url)).status).toBe(503);
    await relay.close();
  });

  test('the text of a stream arrives piece by piece', async () => {
    const pieces = new Subject<LambdaStreamEvent>();
    const { url } = await startRelay({ authorize: () => ({ open: () => concat(of(headEvent()), pieces) }) });
    const events: LambdaStreamEvent[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      invokeWithResponseStream(sdkClient(url), { FunctionName: 'chat' }).subscribe({
        next(event) {
          events.push(event);
          if (event.type === 'head') pieces.next(chunkEvent('a'));
          else if (events.length === 2) pieces.next(chunkEvent('b'));
          else pieces.next(completeEvent());
        },
        error: reject,
        complete: resolve,
      });
    });
    await ended;
    expect(textOf(events)).toBe('ab');
  });
});
