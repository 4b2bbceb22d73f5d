import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { concat, finalize, NEVER, Observable, of, Subject, tap } from 'rxjs';
import { invokeWithResponseStream, type LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRelay, RelayRefusal, type Relay, type RelayGrant } from '../../src/relay/index.js';
import { gate, startLive } from '../support/live.js';
import { ask, lambdaPath, readUntil, send, startRelay } from './relay-server.js';
import { settled, stopClock } from './virtual-clock.js';

/** Emits blocks while it is not paused, and counts them. `paused` resolves at the first pause. */
function hose(count: number): { open: NonNullable<RelayGrant['open']>; emitted: () => number; paused: Promise<void> } {
  const { opened: wasPaused, open: tellPause } = gate();
  let emitted = 0;
  let paused = false;
  const block = new Uint8Array(16 * 1024);
  return {
    emitted: () => emitted,
    paused: wasPaused,
    open: (pauseWhile) =>
      new Observable<LambdaStreamEvent>((subscriber) => {
        let running = false;
        async function run(): Promise<void> {
          if (running) return;
          running = true;
          while (!paused && !subscriber.closed && emitted < count) {
            emitted++;
            subscriber.next(chunkEvent(block));
            await new Promise((resolve) => setImmediate(resolve));
          }
          running = false;
          if (emitted === count) {
            subscriber.next(completeEvent());
            subscriber.complete();
          }
        }
        subscriber.next(headEvent());
        subscriber.add(
          pauseWhile.subscribe((pause) => {
            paused = pause;
            if (pause) tellPause();
            void run();
          }),
        );
      }),
  };
}

/** A connection that has sent a request and reads nothing. */
async function silentClient(port: number, headers = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(`POST ${lambdaPath} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n${headers}\r\n`);
  return socket;
}

describe('pace', () => {
  test('listener: write false pauses the source, drain goes on, to the last byte', async () => {
    const { open, emitted, paused } = hose(1_000);
    const { port } = await startRelay({ authorize: () => ({ open }) });
    const socket = await silentClient(port, 'connection: close\r\n');
    await paused;
    const held = emitted();
    // Far less than the 16 MB of the whole: the sockets' buffers, and little besides.
    expect(held).toBeLessThan(900);
    let bytes = 0;
    for await (const data of socket as AsyncIterable<Buffer>) bytes += data.length;
    expect(bytes).toBeGreaterThan(1_000 * 16 * 1024);
    expect(emitted()).toBe(1_000);
  });

  test('fetch: at most 64 KiB and one piece wait in the ReadableStream', async () => {
    const { open, emitted, paused } = hose(1_000);
    const relay = createRelay({ authorize: () => ({ open }) });
    const { body } = await relay.fetch(new Request(`http://a.example${lambdaPath}`, { method: 'POST' }));
    await paused;
    expect(emitted()).toBeLessThanOrEqual(6);
    const reader = body!.getReader();
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      expect(emitted() * 16 * 1024 - bytes).toBeLessThan(128 * 1024);
    }
    expect(bytes).toBeGreaterThan(1_000 * 16 * 1024);
    await relay.close();
  });

  test.each(['listener', 'fetch'])(
    '%s: a client that takes nothing for stalledMs is dropped, and onError hears of it',
    async (door) => {
      const clock = stopClock();
      const told: unknown[] = [];
      const { open, paused } = hose(1_000_000);
      const { relay, port } = await startRelay({ authorize: () => ({ open }), onError: (error) => told.push(error) });
      if (door === 'listener') {
        const socket = await silentClient(port);
        await paused;
        // What the system still took of what waited is in its hands now.
        await settled(() => socket.bytesRead);
        await clock.advance(119_999);
        // Destroyed: reading comes to an end.
        socket.resume();
        await once(socket, 'close');
      } else {
        const { body } = await relay.fetch(new Request(`http://a.example${lambdaPath}`, { method: 'POST' }));
        await paused;
        await clock.advance(59_999);
        expect(told).toEqual([]);
        await clock.advance(1);
        await expect(
          (async () => {
            for (const reader = body!.getReader(); ;) if ((await reader.read()).done) return;
          })(),
        ).rejects.toMatchObject({ name: 'StalledClientError' });
      }
      expect(told).toMatchObject([{ name: 'StalledClientError' }]);
    },
  );

  test('a source that ignores pauseWhile is cut off at maxReplayBytes: every buffer has a limit', async () => {
    const { opened: cutOff, open: tell } = gate();
    const told: unknown[] = [];
    const block = chunkEvent(new Uint8Array(64 * 1024));
    const { port } = await startRelay({
      maxReplayBytes: 8 * 1024 * 1024,
      authorize: () => ({
        open: () => of(headEvent(), ...Array.from({ length: 1_000 }, () => block), completeEvent()),
      }),
      onError(error) {
        told.push(error);
        tell();
      },
    });
    const socket = await silentClient(port);
    await cutOff;
    expect(told).toMatchObject([{ name: 'ResponseTooLargeError' }]);
    socket.resume();
    await once(socket, 'close');
  });

  test('the slowest client never paces a key', async () => {
    const { open, emitted } = hose(400);
    const { url, port } = await startRelay({ authorize: () => ({ key: 'k', open }) });
    await silentClient(port);
    const { body } = await ask(url);
    expect(body.length).toBeGreaterThan(400 * 16 * 1024);
    expect(emitted()).toBe(400);
  });

  test('backpressure reaches the function through every hop', async () => {
    const { local, client } = await startLive({
      chat: async function* () {
        for (let i = 0; i < 400; i++) yield await Promise.resolve(new Uint8Array(64 * 1024));
      },
    });
    const { opened: paused, open: tellPause } = gate();
    const { port } = await startRelay({
      authorize: ({ input }) => ({
        open: (pauseWhile) =>
          invokeWithResponseStream(client, input, {
            pauseWhile: pauseWhile.pipe(tap((pause) => pause && tellPause())),
          }),
      }),
    });
    const socket = await silentClient(port);
    const record = await local.request(0);
    await paused;
    expect(await settled(() => record.bytesWritten)).toBeLessThan(20_000_000);
    socket.resume();
    await record.closed;
    expect(record.bytesWritten).toBeGreaterThan(400 * 64 * 1024);
  });
});

describe('limits of streams', () => {
  test('maxStreams and maxStreamsPerClient: 429 with Retry-After, until a client leaves', async () => {
    const { opened: left, open: leave } = gate();
    const { url } = await startRelay({
      maxStreams: 3,
      maxStreamsPerClient: 2,
      authorize: ({ functionName }) => ({
        open: () => concat(of(headEvent()), NEVER).pipe(finalize(leave)),
        ...(functionName !== undefined && { client: functionName }),
      }),
    });
    const path = (name: string): string => lambdaPath.replace('chat', name);
    const first = await send(url, { path: path('ann') });
    await send(url, { path: path('ann') });
    const refused = await ask(url, { path: path('ann') });
    expect([refused.status, refused.headers['retry-after'], refused.headers['x-amzn-errortype']]).toEqual([
      429,
      '5',
      'TooManyRequestsException',
    ]);
    await send(url, { path: path('bob') });
    expect((await ask(url, { path: path('cid') })).status).toBe(429);
    first.destroy();
    await left;
    expect((await send(url, { path: path('ann') })).statusCode).toBe(200);
  });

  test('a stream that ended counts no more', async () => {
    const { url } = await startRelay({
      maxStreams: 1,
      authorize: () => ({ client: 'a', open: () => of(headEvent(), completeEvent()) }),
    });
    for (let i = 0; i < 5; i++) expect((await ask(url)).status).toBe(200);
  });
});

describe('bodies of strangers', () => {
  /** Sends headers and a part of a body, and waits for the answer. */
  async function unfinished(
    port: number,
    part: string,
    length: number,
  ): Promise<{ socket: Socket; answer: Promise<string> }> {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    let text = '';
    const answer = new Promise<string>((resolve) => {
      socket.on('data', (data: Buffer) => {
        text += data.toString();
        if (text.includes('\r\n\r\n')) resolve(text);
      });
    });
    await once(socket, 'connect');
    socket.write(`POST ${lambdaPath} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n${part}`);
    return { socket, answer };
  }

  const grant = { open: () => of(headEvent(), completeEvent()) };

  /** Tells when the relay has been handed a piece of a body, and when a request is gone. */
  function watchRequests(): {
    listenerOf: (relay: Relay) => RequestListener;
    read: Promise<void>;
    gone: Promise<void>;
  } {
    const { opened: read, open: tellRead } = gate();
    const { opened: gone, open: tellGone } = gate();
    return {
      read,
      gone,
      listenerOf: (relay) => (incoming, response) => {
        // The relay listens first, so that it has counted what is told here.
        relay.listener(incoming, response);
        incoming.once('data', tellRead);
        incoming.once('close', tellGone);
      },
    };
  }

  test('past maxPendingBodyBytes of unfinished bodies: 503 with Retry-After, until they are done', async () => {
    const { listenerOf, read } = watchRequests();
    const { port, url } = await startRelay({ maxPendingBodyBytes: 1_000, authorize: () => grant }, listenerOf);
    const first = await unfinished(port, 'x'.repeat(900), 1_000);
    await read;
    const { answer } = await unfinished(port, 'x'.repeat(900), 1_000);
    expect(await answer).toMatch(/^HTTP\/1.1 503[^]*retry-after: 1/i);
    first.socket.write('x'.repeat(100));
    expect(await first.answer).toMatch(/^HTTP\/1.1 200/);
    expect((await ask(url, { body: 'x'.repeat(900) })).status).toBe(200);
  });

  test('a client that leaves in the middle of its body frees what it held', async () => {
    const { listenerOf, read, gone } = watchRequests();
    const { port, url } = await startRelay({ maxPendingBodyBytes: 1_000, authorize: () => grant }, listenerOf);
    const { socket } = await unfinished(port, 'x'.repeat(900), 1_000);
    await read;
    socket.destroy();
    await gone;
    expect((await ask(url, { body: 'x'.repeat(900) })).status).toBe(200);
  });

  test('a body that takes longer than bodyTimeoutMs is 400, and authorize is not asked', async () => {
    let asked = 0;
    const clock = stopClock();
    const { listenerOf, read } = watchRequests();
    const { port } = await startRelay({ authorize: () => (asked++, grant) }, listenerOf);
    const { answer } = await unfinished(port, 'x', 2);
    await read;
    await clock.advance(10_000);
    expect(await answer).toMatch(/^HTTP\/1.1 400[^]*RequestTimeoutException/);
    expect(asked).toBe(0);
  });

  test('headers over the server’s limit are 431, and neither admit nor authorize is asked', async () => {
    let asked = 0;
    const { url } = await startRelay({ admit: () => asked++, authorize: () => (asked++, grant) });
    expect((await ask(url, { headers: { cookie: 'x'.repeat(20_000) } })).status).toBe(431);
    expect((await ask(url, { path: `/${'x'.repeat(20_000)}` })).status).toBe(431);
    expect(asked).toBe(0);
  });

  test('admit runs on the headers, before the body', async () => {
    const seen: string[] = [];
    const { port } = await startRelay({
      admit(request) {
        seen.push(request.url);
        if (request.headers.get('cookie') === null) throw new RelayRefusal(401, 'Sign in first');
      },
      authorize: () => grant,
    });
    const { answer } = await unfinished(port, '', 1_000);
    expect(await answer).toMatch(/^HTTP\/1.1 401/);
    expect(seen).toEqual([`http://x${lambdaPath}`]);
  });

  test('admit that returns false is 403', async () => {
    const { url } = await startRelay({ admit: () => Promise.resolve(false), authorize: () => grant });
    expect((await ask(url)).status).toBe(403);
  });
});

test('the source of a key pauses when all its clients pause', async () => {
  const { open, paused, emitted } = hose(100_000);
  const { port } = await startRelay({ maxReplayBytes: 1_000_000, authorize: () => ({ key: 'k', open }) });
  await silentClient(port);
  await silentClient(port);
  await paused;
  expect(emitted()).toBeLessThan(100_000);
});

test('a ping is sent after a silence only', async () => {
  const clock = stopClock();
  const events = new Subject<LambdaStreamEvent>();
  const { url } = await startRelay({ authorize: () => ({ open: () => events }) });
  const response = await send(url, { headers: { accept: 'text/event-stream' } });
  for (let i = 0; i < 6; i++) {
    await clock.advance(14_999);
    events.next(chunkEvent(String(i)));
  }
  await clock.advance(15_000);
  const text = await readUntil(response, /: ping\n\n/);
  expect(text).toMatch(/data: "5"\n\n: ping\n\n$/);
  expect(text.match(/ping/g)).toHaveLength(1);
  response.destroy();
});
