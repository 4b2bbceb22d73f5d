import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { createGunzip, createGzip } from 'node:zlib';
import { of } from 'rxjs';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { expect, test } from 'vitest';
import type { RelayOptions } from '../../src/relay/index.js';
import { readAll, send, startRelay } from './relay-server.js';

/** A relay of one short stream, behind a middleware. */
function start(
  middleware: (request: IncomingMessage, response: ServerResponse) => void = () => undefined,
): ReturnType<typeof startRelay> {
  const authorize: RelayOptions['authorize'] = () => ({
    open: () => of(headEvent(), chunkEvent('hé'), chunkEvent('€'), completeEvent()),
  });
  return startRelay({ authorize }, (relay) => (request, response) => {
    middleware(request, response);
    relay.listener(request, response);
  });
}

/** What the server sends on a connection, until it closes it. */
async function readWire(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  const parts: Buffer[] = [];
  for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}

const blocks = [
  'id: 0-0\n\n',
  'id: 0-3\ndata: "hé"\n\n',
  'id: 0-6\ndata: "€"\n\n',
  'event: end\nid: 0-6/end\ndata: {}\n\n',
];
const sse = 'accept: text/event-stream\r\nhost: x\r\n';

test('HTTP/1.1: each message is one chunk, and after the last one the connection serves the next request', async () => {
  const { port } = await start();
  const wire = await readWire(port, `GET /a HTTP/1.1\r\n${sse}\r\nGET /b HTTP/1.1\r\n${sse}connection: close\r\n\r\n`);
  const chunks = blocks.map((block) => `${Buffer.byteLength(block).toString(16)}\r\n${block}\r\n`).join('');
  const bodies = wire.split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1);
  expect(bodies).toEqual([`${chunks}0\r\n\r\n`, `${chunks}0\r\n\r\n`]);
});

test('HTTP/1.0: the messages alone, until the connection ends', async () => {
  const { port } = await start();
  const wire = await readWire(port, `GET /a HTTP/1.0\r\n${sse}\r\n`);
  expect(wire.slice(wire.indexOf('\r\n\r\n') + 4)).toBe(blocks.join(''));
});

test('a `write` that a middleware has replaced gets the messages without frames', async () => {
  const { url } = await start((_request, response) => {
    // As compressing middleware does it.
    const gzip = createGzip();
    const write = response.write.bind(response);
    const end = response.end.bind(response);
    response.setHeader('content-encoding', 'gzip');
    gzip.on('data', (bytes: Buffer) => void write(bytes));
    gzip.on('end', () => void end());
    Object.assign(response, {
      write: (bytes: Uint8Array) => gzip.write(bytes),
      end: () => {
        gzip.end();
        return response;
      },
    });
  });
  const { body } = await readAll(await send(url, { method: 'GET', headers: { accept: 'text/event-stream' } }));
  const gunzip = createGunzip();
  gunzip.end(body);
  const parts: Buffer[] = [];
  for await (const part of gunzip as AsyncIterable<Buffer>) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe(blocks.join(''));
});
