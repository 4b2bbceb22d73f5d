import { Observable } from 'rxjs';
import type { RequestHead } from './doors.js';
import type { Exchange, Outlet } from './exchange.js';
import { createNodeOutlet } from './node-outlet.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Node's own types have it
type Listener = (...args: any[]) => void;

/** As much of Node's IncomingMessage, or Http2ServerRequest, as is needed. */
export interface RelayRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly readableDidRead?: boolean;
  readonly readableEnded: boolean;
  readonly complete: boolean;
  pause(): unknown;
  resume(): unknown;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** As much of Node's ServerResponse, or Http2ServerResponse, as is needed. */
export interface RelayResponse {
  readonly writableLength: number;
  readonly writableFinished: boolean;
  readonly headersSent: boolean;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  flushHeaders?(): void;
  write(bytes: Uint8Array): boolean;
  end(body: string): unknown;
  destroy(error?: Error): unknown;
  on(event: string, listener: Listener): unknown;
}

/** Sockets show how much the system has not taken yet, in a member that Node does not document. */
interface NodeSocket {
  readonly encrypted?: boolean;
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

const none = (): void => undefined;

/** Makes an exchange of what Node's HTTP servers hand on. */
export function createNodeExchange(request: RelayRequest, response: RelayResponse): Exchange {
  const { socket, originalUrl } = request as RelayRequest & { socket?: NodeSocket; originalUrl?: string };
  const leaving = new AbortController();
  let started = false;
  // What a broken connection means is told by the response's close.
  response.on('error', none);
  request.on('error', none);
  const leave = (): void => leaving.abort(new Error('The client has left'));
  response.on('close', () => {
    if (!response.writableFinished) leave();
  });

  function begin(status: number, headers: Readonly<Record<string, string>>): void {
    started = true;
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) {
      // HTTP/2 has no such header.
      if (name !== 'connection' || request.httpVersionMajor < 2) response.setHeader(name, value);
    }
  }

  // Express cuts the path at which a handler is mounted off `url`.
  const path = originalUrl ?? request.url ?? '/';

  function head(): RequestHead {
    const host = textOf(request.headers['host'] ?? request.headers[':authority']) || 'localhost';
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (!name.startsWith(':') && value !== undefined) headers.set(name, textOf(value) ?? '');
    }
    if (!headers.get('host')) headers.set('host', host);
    const url = `${socket?.encrypted ? 'https' : 'http'}://${host}${path}`;
    return { method: request.method ?? 'GET', url, headers };
  }

  return {
    head,
    context: request,
    isBodyTaken: () => hasBody(request) && (request.readableDidRead === true || request.readableEnded),
    body: new Observable((subscriber) => {
      // A request without a body may be over already.
      if (request.readableEnded) {
        subscriber.complete();
        return undefined;
      }
      const next = (bytes: Uint8Array): void => subscriber.next(bytes);
      const complete = (): void => subscriber.complete();
      const closed = (): void => {
        if (request.complete) return;
        // It may be told before the response is.
        leave();
        subscriber.error(leaving.signal.reason);
      };
      request.on('data', next);
      request.on('end', complete);
      request.on('close', closed);
      request.resume();
      return () => {
        request.pause();
        request.off('data', next);
        request.off('end', complete);
        request.off('close', closed);
      };
    }),
    signal: leaving.signal,
    answer(status, answerHeaders, body) {
      if (leaving.signal.aborted) return;
      if (started) {
        response.destroy();
        return;
      }
      begin(status, answerHeaders);
      if (body !== undefined) response.setHeader('content-length', String(new TextEncoder().encode(body).length));
      response.end(body ?? '');
      // A body that is not read would keep the connection from serving the next request.
      if (answerHeaders['connection'] !== 'close') request.resume();
    },
    open(status, openHeaders, drained): Outlet {
      begin(status, openHeaders);
      response.on('drain', drained);
      response.flushHeaders?.();
      return createNodeOutlet(response, () => socket?._handle?.writeQueueSize ?? 0);
    },
  };
}

/** Several values of a header, as Node joins them itself for most. */
function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}

function hasBody({ headers, httpVersionMajor, method }: RelayRequest): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = textOf(headers['content-length']);
  return length === undefined ? httpVersionMajor >= 2 && method === 'POST' : length !== '0';
}
