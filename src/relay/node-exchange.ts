import { Observable } from 'rxjs';
import { originForm } from '../shared/origin-form.js';
import type { RequestHead } from './doors.js';
import type { Exchange, Outlet } from './exchange.js';
import { createNodeOutlet } from './node-outlet.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Node's own types have it
type Listener = (...args: any[]) => void;

/** The used part of Node's IncomingMessage and Http2ServerRequest. */
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

/** The used part of Node's ServerResponse and Http2ServerResponse. */
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

/** A socket's handle tells how many bytes the system has not taken yet. Node does not document this member. */
interface NodeSocket {
  readonly encrypted?: boolean;
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

const none = (): void => undefined;

/** Makes an exchange from a request and a response of Node's HTTP servers. */
export function createNodeExchange(request: RelayRequest, response: RelayResponse): Exchange {
  const { socket, originalUrl } = request as RelayRequest & { socket?: NodeSocket; originalUrl?: string };
  const leaving = new AbortController();
  let started = false;
  // The response's `close` reports a broken connection. Without a listener the error would be uncaught.
  response.on('error', none);
  request.on('error', none);
  const leave = (): void => leaving.abort(new Error('The client has left'));
  let ended = false;
  response.on('close', () => {
    // HTTP/2 calls every response that is closed finished.
    if (!ended || !response.writableFinished) leave();
  });
  // HTTP/2 ends the body of a client that leaves as if it were whole.
  request.on('aborted', leave);

  function begin(status: number, headers: Readonly<Record<string, string>>): void {
    started = true;
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) {
      // HTTP/2 does not have this header.
      if (name !== 'connection' || request.httpVersionMajor < 2) response.setHeader(name, value);
    }
  }

  // Express removes the mount path from `url`.
  const path = originForm(originalUrl ?? request.url);

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
      // A request without a body may have ended already.
      if (request.readableEnded) {
        subscriber.complete();
        return undefined;
      }
      const next = (bytes: Uint8Array): void => subscriber.next(bytes);
      const complete = (): void => {
        if (leaving.signal.aborted) subscriber.error(leaving.signal.reason);
        else subscriber.complete();
      };
      const closed = (): void => {
        if (request.complete) return;
        // The request may report the end of the connection before the response does.
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
      ended = true;
      response.end(body ?? '');
      // An unread body would keep the connection from serving the next request.
      if (answerHeaders['connection'] !== 'close') request.resume();
    },
    open(status, openHeaders, drained): Outlet {
      begin(status, openHeaders);
      response.on('drain', drained);
      response.flushHeaders?.();
      const outlet = createNodeOutlet(response, () => socket?._handle?.writeQueueSize ?? 0);
      return {
        ...outlet,
        end() {
          ended = true;
          outlet.end();
        },
      };
    },
  };
}

/** Joins several values of a header, as Node itself does for most headers. */
function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}

function hasBody({ headers, httpVersionMajor, method }: RelayRequest): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = textOf(headers['content-length']);
  return length === undefined ? httpVersionMajor >= 2 && method === 'POST' : length !== '0';
}
