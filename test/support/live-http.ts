import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Whether the client left before the response was sent to its end, once the server knows. */
  readonly closedEarly: Promise<boolean>;
  /** Bytes of response body handed to the connection so far. */
  readonly bytesWritten: number;
}

/** A plain HTTP server. */
export interface LiveHttp {
  readonly url: string;
  /** All requests so far, in the order in which their bodies had arrived. */
  readonly requests: readonly SeenRequest[];
  /** The request of that number, from 0 on, once it has arrived. */
  readonly request: (index: number) => Promise<SeenRequest>;
  readonly openConnections: () => Promise<number>;
}

export type HttpAnswer = (response: ServerResponse, request: SeenRequest, attempt: number) => unknown;

/** Starts a server on 127.0.0.1 that is gone when the test is. An answer that fails cuts its connection. */
export async function startHttp(answer: HttpAnswer): Promise<LiveHttp> {
  const requests: SeenRequest[] = [];
  const waiters = new Set<() => void>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closedEarly = new Promise<boolean>((resolve) =>
      response.once('close', () => resolve(!response.writableFinished)),
    );
    let bytesWritten = 0;
    const write = response.write.bind(response) as (chunk: string | Uint8Array, ...others: unknown[]) => boolean;
    response.write = (chunk: string | Uint8Array, ...others: unknown[]) => {
      bytesWritten += chunk.length;
      return write(chunk, ...others);
    };
    const seen: SeenRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: await text(request),
      closedEarly,
      get bytesWritten() {
        return bytesWritten;
      },
    };
    requests.push(seen);
    for (const wake of waiters) wake();
    waiters.clear();
    await answer(response, seen, requests.length);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    async request(index) {
      for (;;) {
        const seen = requests[index];
        if (seen) return seen;
        await new Promise<void>((resolve) => waiters.add(resolve));
      }
    },
    openConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  };
}

/** A URL on 127.0.0.1 at which nobody listens. */
export async function refusingUrl(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/`;
}

/** Writes pieces in turn, each in a packet of its own as far as the event loop can say, and ends the response. */
export async function writeAll(response: ServerResponse, pieces: Iterable<string | Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

/** Waits until more can be written, or nobody is left to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Breaks the connection with a TCP reset, after what was written. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
