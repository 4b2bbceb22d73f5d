import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LocalRequest, RequestRecord } from './local-request.js';
import type { Route } from './routes.js';

interface RequestLogInit {
  /** Whether records stay in `requests`. */
  readonly keeps: boolean;
  /** Tells whether a function has this name. Requests for other names are not counted, because clients invent them. */
  readonly isKnown: (functionName: string) => boolean;
}

/** Holds every invocation request in the order of arrival, and counts those whose response is not over. */
export class RequestLog {
  readonly requests: LocalRequest[] = [];
  readonly #init: RequestLogInit;
  readonly #attempts = new Map<string, number>();
  readonly #waiters = new Map<number, ((record: LocalRequest) => void)[]>();
  #arrived = 0;
  #idleWaiters: (() => void)[] = [];
  #unfinished = 0;

  constructor(init: RequestLogInit) {
    this.#init = init;
  }

  /**
   * Records a request at its arrival.
   *
   * @param endedByUs - Asked when the response closes: whether this side has ended it.
   */
  add(route: Route, request: IncomingMessage, response: ServerResponse, endedByUs: () => boolean): RequestRecord {
    const { operation, path, functionName, qualifier } = route;
    const closedEarly = new Promise<boolean>((resolve) => {
      whenOver(request.socket, response, () => resolve(!response.writableFinished && !endedByUs()));
    });
    const record: RequestRecord = {
      functionName,
      operation,
      method: request.method ?? '',
      path,
      invocationType: headerOf(request, 'x-amz-invocation-type') ?? 'RequestResponse',
      logType: headerOf(request, 'x-amz-log-type') ?? 'None',
      headers: request.headers,
      payload: new Uint8Array(),
      requestId: randomUUID(),
      attempt: this.#countAttempt(functionName),
      bytesWritten: 0,
      payloadBytes: 0,
      closedEarly,
      closed: closedEarly.then(() => undefined),
    };
    if (qualifier !== undefined) record.qualifier = qualifier;
    const tenantId = headerOf(request, 'x-amz-tenant-id');
    if (tenantId !== undefined) record.tenantId = tenantId;
    if (this.#init.keeps) this.requests.push(record);
    this.#count(record);
    this.#waiters.get(this.#arrived)?.forEach((resolve) => resolve(record));
    this.#waiters.delete(this.#arrived);
    this.#arrived += 1;
    return record;
  }

  /** Resolves with the n-th request (0 is the first) as soon as it has arrived. */
  request(index: number): Promise<LocalRequest> {
    const record = this.requests[index];
    if (record !== undefined) return Promise.resolve(record);
    return new Promise((resolve) => {
      const others = this.#waiters.get(index) ?? [];
      this.#waiters.set(index, [...others, resolve]);
    });
  }

  /** Resolves when every response begun so far is over. */
  async idle(): Promise<void> {
    if (this.#unfinished > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #countAttempt(functionName: string): number {
    if (!this.#init.isKnown(functionName)) {
      this.#attempts.delete(functionName);
      return 1;
    }
    const attempt = (this.#attempts.get(functionName) ?? 0) + 1;
    this.#attempts.set(functionName, attempt);
    return attempt;
  }

  #count(record: LocalRequest): void {
    this.#unfinished += 1;
    void record.closed.then(() => {
      this.#unfinished -= 1;
      if (this.#unfinished > 0) return;
      const waiters = this.#idleWaiters;
      this.#idleWaiters = [];
      waiters.forEach((resolve) => resolve());
    });
  }
}

const waitingOn = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once, when the response or its connection has closed. A client may pipeline requests, and a response whose
 * turn has not come emits no `close` at the end of the connection. One listener serves all requests of a connection,
 * because an emitter warns of more than ten listeners.
 */
function whenOver(socket: Socket, response: ServerResponse, callback: () => void): void {
  let waiting = waitingOn.get(socket);
  if (waiting === undefined) {
    const all = new Set<() => void>();
    socket.once('close', () => all.forEach((one) => one()));
    waitingOn.set(socket, all);
    waiting = all;
  }
  const settle = (): void => {
    waiting.delete(settle);
    callback();
  };
  waiting.add(settle);
  response.once('close', settle);
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
