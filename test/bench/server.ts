/**
 * The benchmark's server, a process of its own: writes prepared bytes to plain sockets, so that what is measured is the
 * client. Reports by IPC its port, and for the latency paths the moments it saw (ns of the machine's monotonic clock).
 */
import { createServer, type Socket } from 'node:net';
import { chunkFrame } from '../support/frames.js';
import { encodeShape, shapes } from './shapes.js';

const head = [
  'HTTP/1.1 200 OK',
  'content-type: application/vnd.amazon.eventstream',
  'x-amzn-remapped-content-type: application/octet-stream',
  'x-amzn-requestid: 00000000-0000-0000-0000-000000000000',
  'x-amz-executed-version: $LATEST',
  'transfer-encoding: chunked',
  '\r\n',
].join('\r\n');

const bodies = new Map(shapes.map((shape, i) => [`shape-${i}`, encodeShape(shape)]));
const firstFrame = chunkFrame('first');

function report(moment: string): void {
  process.send?.({ moment, at: process.hrtime.bigint().toString() });
}

async function write(socket: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    if (!socket.write(piece)) {
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve);
        socket.once('close', resolve);
      });
      socket.removeAllListeners('drain');
    }
  }
}

function answer(socket: Socket, functionName: string): void {
  socket.write(head);
  const body = bodies.get(functionName);
  if (body !== undefined) {
    void write(socket, body);
    return;
  }
  // `latency`: the headers now, the first frame later, no end; the client closes.
  report('headers');
  const timer = setTimeout(() => {
    socket.write(`${firstFrame.length.toString(16)}\r\n`);
    socket.write(firstFrame);
    socket.write('\r\n');
  }, 100);
  socket.once('close', () => {
    clearTimeout(timer);
    report('closed');
  });
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
    const name = /\/functions\/([^/]+)\//.exec(received)?.[1] ?? '';
    received = received.slice(end + 4 + length);
    answer(socket, name);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
