import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { sendServiceError, serviceErrorBody, serviceFailure, type ServiceError } from './service-errors.js';

/** An HTTP server of the endpoint, and its connections. */
export interface Listener {
  /** `http://HOST:PORT`, by which a client on this machine reaches it. */
  readonly origin: string;
  readonly openConnections: number;
  /** Accepts no more connections and closes the idle ones. Connections with a request go on. */
  stopAccepting(): void;
  /** Breaks every connection. Resolves when the port is free again. */
  close(): Promise<void>;
}

export interface ListenerInit {
  readonly host: string;
  readonly port: number;
  readonly requestTimeoutMs: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Longer than the SDK keeps an idle connection, so that the SDK never sends on a connection that is being closed. */
const keepAliveTimeoutMs = 65_000;

/** Starts to listen. Rejects where the port cannot be opened. */
export async function listen({ host, port, requestTimeoutMs, handle }: ListenerInit): Promise<Listener> {
  // Node takes 0 for no limit, and whole numbers only.
  const requestTimeout = requestTimeoutMs === Infinity ? 0 : Math.ceil(requestTimeoutMs);
  const sockets = new Set<Socket>();
  const server = createServer({
    noDelay: true,
    keepAliveTimeout: keepAliveTimeoutMs,
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.max(50, Math.min(requestTimeoutMs / 4, 5_000)),
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', refuseMalformedRequest);
  server.on('request', (request, response) => {
    // The close of a response tells of a broken connection. Its error tells nothing more.
    response.on('error', () => undefined);
    handle(request, response).catch((error: unknown) => {
      process.emitWarning(`The local Lambda failed to answer a request: ${String(error)}`);
      if (response.headersSent) response.socket?.destroy();
      else sendServiceError(response, serviceFailure(String(error)).answer);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const closed = once(server, 'close');
  // Such as too many open files. The open connections go on.
  server.on('error', (error) => process.emitWarning(error));
  const address = server.address() as AddressInfo;
  return {
    origin: `http://${clientHost(address)}:${address.port}`,
    get openConnections() {
      return sockets.size;
    },
    stopAccepting() {
      if (server.listening) server.close();
      server.closeIdleConnections();
    },
    async close() {
      const ended = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      if (server.listening) server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...ended]);
    },
  };
}

/** The host by which a client on this machine reaches the address. */
function clientHost({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}

const malformedByCode: Readonly<Record<string, ServiceError>> = {
  HPE_HEADER_OVERFLOW: {
    statusCode: 431,
    name: 'RequestHeaderSectionTooLargeException',
    message: 'The request headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    statusCode: 408,
    name: 'RequestTimeoutException',
    message: 'The request took too long to arrive',
  },
};

const malformed: ServiceError = {
  statusCode: 400,
  name: 'InvalidRequestException',
  message: 'The request is not valid HTTP',
};

/** Answers a request that Node's parser refuses with an error in AWS's form, and closes the connection. */
function refuseMalformedRequest(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const answer = (error.code === undefined ? undefined : malformedByCode[error.code]) ?? malformed;
  const body = serviceErrorBody(answer);
  socket.end(
    [
      `HTTP/1.1 ${answer.statusCode} Refused`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-amzn-errortype: ${answer.name ?? ''}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}
