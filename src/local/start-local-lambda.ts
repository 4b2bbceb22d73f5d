import { once, setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerRequest } from './http/answer-request.js';
import { ConcurrencyGate } from './invocation/concurrency-gate.js';
import { answerCors } from './http/cors.js';
import type { FunctionFailure } from './invocation/describe-failure.js';
import { captureOutput } from './invocation/invocation-log.js';
import type { LocalLambdaOptions } from './local-lambda-options.js';
import type { LocalRequest } from './http/local-request.js';
import { refuseMalformedRequest } from './http/refuse-malformed-request.js';
import { RequestLog } from './http/request-log.js';
import { ResponseWriter } from './http/response-writer.js';
import { matchRoute } from './http/routes.js';
import { sendServiceError, serviceFailure, unknownOperation } from './http/service-errors.js';

/** What `new LambdaClient` needs to talk to the local endpoint. */
export interface LocalClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A running local Lambda endpoint. Made by {@link startLocalLambda}. */
export interface LocalLambda {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** For `new LambdaClient(local.clientConfig)`: endpoint, region and credentials, nothing else changed. */
  readonly clientConfig: LocalClientConfig;
  /** Every invocation request so far, in order of arrival. */
  readonly requests: readonly LocalRequest[];
  /** TCP connections that are open right now. */
  readonly openConnections: number;
  /** Resolves with the n-th invocation request (0 is the first) as soon as it has arrived. */
  readonly request: (index: number) => Promise<LocalRequest>;
  /** Resolves when every response begun so far is over: sent to its end, or its connection closed. */
  readonly idle: () => Promise<void>;
  /** Ends every connection and timer. Handlers that still run are not stopped, but nobody hears them. */
  readonly close: () => Promise<void>;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);
/** Longer than the SDK keeps an idle connection, so that it never sends on one that is just being closed. */
const keepAliveTimeoutMs = 65_000;
const defaultRequestTimeoutMs = 60_000;

/**
 * Starts an HTTP endpoint that answers `InvokeWithResponseStream`, and the buffered `Invoke`, as AWS Lambda does.
 *
 * - **Functions** are handlers as they are written for AWS, async generators, or {@link scripted} failures.
 * - **Time** is real: time-outs, script waits and bandwidth use the process's clock.
 * - **A client that goes away** does not stop the handler, as on AWS; `requests[i].closedEarly` tells of it.
 * - **Memory** every request's record, unless `keepRequests` is false; a response holds no more than what the client
 *   has not read.
 *
 * @example
 * const local = await startLocalLambda({
 *   functions: {
 *     chat: async function* (event: { prompt: string }) {
 *       yield `You said: `;
 *       yield event.prompt;
 *     },
 *   },
 * });
 * const client = new LambdaClient(local.clientConfig);
 * // … invoke …
 * await local.close();
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html the operation that is spoken
 */
export async function startLocalLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
  const { host = '127.0.0.1', port = 0 } = options;
  if (!loopback.has(host)) {
    process.emitWarning(
      `The local Lambda listens on ${host} and checks no credentials: anyone who reaches it can run its functions`,
    );
  }
  const log = new RequestLog(options.keepRequests ?? true);
  const gate = new ConcurrencyGate();
  const closing = new AbortController();
  // Every invocation that waits listens for the end.
  setMaxListeners(0, closing.signal);
  const sockets = new Set<Socket>();
  const requestTimeout = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const server = createServer({
    noDelay: true,
    keepAliveTimeout: keepAliveTimeoutMs,
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.max(50, Math.min(requestTimeout / 4, 5_000)),
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', refuseMalformedRequest);
  server.on('request', (request, response) => {
    handle(request, response).catch((error: unknown) => {
      process.emitWarning(`The local Lambda failed to answer a request: ${String(error)}`);
      if (response.headersSent) response.socket?.destroy();
      else sendServiceError(response, serviceFailure(String(error)));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a broken connection means is told by the response's close; its error says nothing more.
    response.on('error', () => undefined);
    if (answerCors(options.cors ?? false, request, response)) return;
    const route = matchRoute(request.method, request.url);
    if (route === undefined) {
      request.resume();
      sendServiceError(response, unknownOperation());
      return;
    }
    const startedAt = performance.now();
    const record = log.add(route, request, response, () => closing.signal.aborted || writer.wasReset);
    const writer = new ResponseWriter(response, record);
    response.setHeader('x-amzn-requestid', record.requestId);
    const failure: FunctionFailure | undefined = await answerRequest({
      options,
      route,
      record,
      request,
      response,
      writer,
      gate,
      closing: closing.signal,
    });
    const closedEarly = await record.closedEarly;
    const durationMs = performance.now() - startedAt;
    options.onInvocation?.({ request: record, durationMs, closedEarly, ...(failure && { failure }) });
  }

  server.listen(port, host);
  await once(server, 'listening');
  // Such as too many open files: the connections there are go on.
  server.on('error', (error) => process.emitWarning(error));
  const stopCapture = captureOutput();
  const address = server.address() as AddressInfo;
  const endpoint = `http://${clientHost(address)}:${address.port}`;

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    closing.abort();
    stopCapture();
    const ended = [server, ...sockets].map((emitter) => new Promise((resolve) => emitter.once('close', resolve)));
    server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
  }

  return {
    endpoint,
    clientConfig: {
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    requests: log.requests,
    get openConnections() {
      return sockets.size;
    },
    request: (index) => log.request(index),
    idle: () => log.idle(),
    close: () => (closed ??= close()),
  };
}

/** The host by which a client on this machine reaches the address. */
function clientHost({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}
