/**
 * The benchmark's server, a process of its own: writes prepared bytes to plain sockets, so that what is measured is the
 * client. Reports by IPC its port, and for the latencies the moments it saw (ns of the machine's monotonic clock).
 */
import { createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { chunkFrame } from '../../test/support/frames.js';
import { shapeOf, type Shape } from '../events/shapes.js';
import { bodyAt } from '../http/body-path.js';
import { latencyFunction, firstFrameMs, type Moment } from '../latency/moments.js';
import { finishPath, paceOf } from '../concurrency/paced-function.js';
import { startPace, type Pace } from './pace.js';
import {
  bodyHead,
  eachPayload,
  httpChunk,
  makeEventStream,
  makePlainBody,
  responseHead,
  type ResponseBody,
} from './response-bytes.js';

/** Prepared bodies, by path. */
const bodies = new Map<string, ResponseBody>();
const firstChunk = httpChunk(chunkFrame('first'));
let pace: Pace | undefined;

function answer(socket: Socket, path: string): void {
  if (path === finishPath && pace !== undefined) {
    const report = JSON.stringify(pace.finish());
    pace = undefined;
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${report.length}\r\n\r\n${report}`);
    return;
  }
  const plain = bodyAt(path);
  if (plain !== undefined) {
    socket.write(bodyHead);
    if (plain.isSingly) void writeSingly(socket, plain);
    else
      void writeBody(
        socket,
        bodyOf(path, () => makePlainBody(plain)),
      );
    return;
  }
  const functionName = decodeURIComponent(/\/functions\/([^/]+)\//.exec(path)?.[1] ?? '');
  const shape = shapeOf(functionName);
  const tokensPerSecond = paceOf(functionName);
  if (shape !== undefined) {
    socket.write(responseHead);
    void writeBody(
      socket,
      bodyOf(path, () => makeEventStream(shape)),
    );
  } else if (tokensPerSecond !== undefined) {
    socket.write(responseHead);
    pace ??= startPace(tokensPerSecond);
    pace.join(socket);
  } else if (functionName === latencyFunction) {
    answerLate(socket);
  } else {
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  }
}

function bodyOf(path: string, make: () => ResponseBody): ResponseBody {
  const body = bodies.get(path) ?? make();
  bodies.set(path, body);
  return body;
}

async function writeBody(socket: Socket, { block, times, rest }: ResponseBody): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (const bytes of block) {
      if (!socket.write(bytes)) await drainOrClose(socket);
      if (socket.destroyed) return;
    }
  }
  socket.write(rest);
}

/** One payload in each turn of the event loop: a reader that keeps up gets each by itself. */
async function writeSingly(socket: Socket, shape: Shape): Promise<void> {
  for (const bytes of eachPayload(shape)) {
    if (!socket.write(bytes)) await drainOrClose(socket);
    if (socket.destroyed) return;
    await nextTurn();
  }
}

function drainOrClose(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** The headers now, the first frame later, no end: the client closes. */
function answerLate(socket: Socket): void {
  socket.write(responseHead);
  report('headers');
  const timer = setTimeout(() => socket.write(firstChunk), firstFrameMs);
  socket.once('close', () => {
    clearTimeout(timer);
    report('closed');
  });
}

function report(moment: Moment['moment']): void {
  process.send?.({ moment, at: process.hrtime.bigint() } satisfies Moment);
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    const path = received.split(' ', 2)[1] ?? '';
    received = received.slice(end + 4 + length);
    answer(socket, path);
  });
});

// The backlog is for a thousand connections at once.
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
