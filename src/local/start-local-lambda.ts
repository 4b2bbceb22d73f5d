import { setMaxListeners } from 'node:events';
import { checkOptions, delayMs } from '../shared/check-options.js';
import { apiDoor } from './http/answer-request.js';
import { isLoopbackHost } from './http/doors.js';
import { handleRequest, type Endpoint } from './http/handle-request.js';
import { listen } from './http/listener.js';
import type { LocalRequest } from './http/local-request.js';
import { RequestLog } from './http/request-log.js';
import { captureProcess } from './invocation/capture-process.js';
import { ConcurrencyGate } from './invocation/invocation.js';
import type { LocalLambdaOptions } from './local-lambda-options.js';
import { toSettings } from './settings.js';
import { FunctionUrls } from './url/function-urls.js';

/** What `new LambdaClient` needs to talk to the local endpoint. */
export interface LocalClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** How to close the endpoint. */
export interface CloseOptions {
  /**
   * How long `close()` waits for responses that have begun, in milliseconds. With 0 they break off.
   *
   * @defaultValue `0`
   */
  readonly graceMs?: number;
}

/** A running local Lambda endpoint. Made by {@link startLocalLambda}. */
export interface LocalLambda {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** For `new LambdaClient(local.clientConfig)`: endpoint, region and credentials. */
  readonly clientConfig: LocalClientConfig;
  /** The URL of each function, such as `http://127.0.0.1:PORT/`. Empty without the option `functionUrls`. */
  readonly functionUrls: Readonly<Record<string, string>>;
  /**
   * Opens URLs for functions that were added since the start. Open URLs stay. Without the option `functionUrls` it does
   * nothing. Rejects where a port cannot be opened.
   */
  readonly openFunctionUrls: () => Promise<void>;
  /** Every invocation request so far, in the order of arrival. */
  readonly requests: readonly LocalRequest[];
  /** TCP connections that are open right now. */
  readonly openConnections: number;
  /** Resolves with the n-th invocation request (0 is the first) as soon as it has arrived. */
  readonly request: (index: number) => Promise<LocalRequest>;
  /** Resolves when every response that has begun is sent to its end, or its connection is closed. */
  readonly idle: () => Promise<void>;
  /**
   * Ends every connection and timer. Handlers that still run go on, and what they write is dropped. With `graceMs`, new
   * connections are refused at once, and responses may end within that time.
   */
  readonly close: (options?: CloseOptions) => Promise<void>;
}

/**
 * Starts an HTTP endpoint that answers `InvokeWithResponseStream`, and the buffered `Invoke`, as AWS Lambda does. With
 * `functionUrls` it also opens a function URL for each function.
 *
 * - **Functions** are handlers as they are written for AWS, async generators, or {@link scripted} failures.
 * - **Time** is real. Time-outs, script waits and bandwidth use the process's clock.
 * - **A client that goes away** does not stop the handler, as on AWS. `requests[i].closedEarly` tells of it.
 * - **An error that nobody caught** fails the invocation whose code threw it, and the others go on. While the endpoint
 *   is open, `process.exit` in a handler does the same, and `process.env` holds Lambda's variables for each invocation.
 * - **A handler that never waits** (a busy loop) stops the whole process, its time-out too, because all handlers share
 *   one thread.
 * - **Pages** of other origins, and foreign host names on a loopback address, are refused before anything runs.
 * - **Memory** the record of every request, unless `keepRequests` is false. A response holds only what the client has
 *   not read.
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
 * @throws TypeError or RangeError, as a rejection, for an option or a function that cannot be used. The message names
 * it.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html the operation that is spoken
 */
export async function startLocalLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
  const settings = toSettings(options);
  const { host, port, requestTimeoutMs } = settings;
  if (!isLoopbackHost(host)) {
    process.emitWarning(
      `The local Lambda listens on ${host} and checks no credentials: anyone who reaches it can run its functions`,
    );
  }
  const closing = new AbortController();
  // Every waiting invocation listens to this signal.
  setMaxListeners(0, closing.signal);
  const isKnown = (name: string): boolean => Object.hasOwn(settings.functions, name);
  const log = new RequestLog({ keeps: settings.keepRequests, isKnown });
  const endpoint: Endpoint = { settings, log, gate: new ConcurrencyGate(), closing: closing.signal };
  const listener = await listen({
    host,
    port,
    requestTimeoutMs,
    handle: (request, response) => handleRequest(endpoint, apiDoor, request, response),
  });
  const functionUrls = new FunctionUrls(endpoint);
  try {
    await functionUrls.open();
  } catch (error) {
    await Promise.all([listener.close(), functionUrls.close()]);
    throw error;
  }
  const release = captureProcess();

  let closed: Promise<void> | undefined;
  async function close({ graceMs = 0 }: CloseOptions = {}): Promise<void> {
    if (graceMs > 0) {
      listener.stopAccepting();
      functionUrls.stopAccepting();
      await idleWithin(log, graceMs);
    }
    closing.abort();
    release();
    await Promise.all([listener.close(), functionUrls.close()]);
  }

  return {
    endpoint: listener.origin,
    clientConfig: {
      endpoint: listener.origin,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    functionUrls: functionUrls.urls,
    openFunctionUrls: () => functionUrls.open(),
    requests: log.requests,
    get openConnections() {
      return listener.openConnections + functionUrls.openConnections;
    },
    request: (index) => log.request(index),
    idle: () => log.idle(),
    close: (closeOptions) => {
      checkOptions('close', closeOptions, { graceMs: delayMs });
      return (closed ??= close(closeOptions));
    },
  };
}

/** Resolves when every response is over, or when the time has passed. */
async function idleWithin(log: RequestLog, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
  await Promise.race([log.idle(), timeUp]);
  clearTimeout(timer);
}
