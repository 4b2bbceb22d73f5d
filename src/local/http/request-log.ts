import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseFunctionReference } from '../invocation/function-name.js';
import type { LocalRequest, RequestRecord } from './local-request.js';
import type { Route } from './routes.js';

/** The endpoint's memory: every invocation request in the order of arrival, and how many are not over yet. */
export class RequestLog {
  readonly requests: LocalRequest[] = [];
  readonly #keeps: boolean;
  readonly #attempts = new Map<string, number>();
  readonly #waiters = new Map<number, ((record: LocalRequest) => void)[]>();
  #arrived = 0;
  #idleWaiters: (() => void)[] = [];
  #unfinished = 0;

  /** @param keeps - Whether records stay in `requests`. */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** Records a request at its arrival. `endedByUs` tells at the response's close who ended it. */
  add(route: Route, request: IncomingMessage, response: ServerResponse, endedByUs: () => boolean): RequestRecord {
    const reference = parseFunctionReference(route.reference);
    const functionName = reference?.functionName ?? route.reference;
    const attempt = (this.#attempts.get(functionName) ?? 0) + 1;
    this.#attempts.set(functionName, attempt);
    const closedEarly = new Promise<boolean>((resolve) => {
      const { socket } = request;
      const settle = (): void => {
        socket.off('close', settle);
        resolve(!response.writableFinished && !endedByUs());
      };
      response.once('close', settle);
      // A pipelined request whose turn never came has a response that does not hear of the connection's end.
      socket.once('close', settle);
    });
    const record: RequestRecord = {
      functionName,
      operation: route.operation,
      invocationType: headerOf(request, 'x-amz-invocation-type') ?? 'RequestResponse',
      logType: headerOf(request, 'x-amz-log-type') ?? 'None',
      headers: request.headers,
      payload: new Uint8Array(),
      requestId: randomUUID(),
      attempt,
      bytesWritten: 0,
      closedEarly,
      closed: closedEarly.then(() => undefined),
    };
    const qualifier = route.qualifier ?? reference?.qualifier;
    if (qualifier !== undefined) record.qualifier = qualifier;
    const tenantId = headerOf(request, 'x-amz-tenant-id');
    if (tenantId !== undefined) record.tenantId = tenantId;
    if (this.#keeps) this.requests.push(record);
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

  /** Resolves when every response begun so far is over; at once when there is none. */
  async idle(): Promise<void> {
    if (this.#unfinished > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
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

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
