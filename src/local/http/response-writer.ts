import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RequestRecord } from './local-request.js';
import { sendServiceError, type ServiceError } from './service-errors.js';

/** Header values by name. Undefined leaves a header out. */
export type ResponseHead = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Sends one response. The head is sent with the first byte, bytes are counted, and the caller can wait until the
 * connection takes more. After the client went away, the writer accepts all bytes and drops them.
 */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #record: RequestRecord;
  readonly #arrivedAt: number;
  #wasReset = false;

  /** @param arrivedAt - The time at which the request's headers arrived, on the clock of `performance`. */
  constructor(response: ServerResponse, record: RequestRecord, arrivedAt: number) {
    this.#response = response;
    this.#record = record;
    this.#arrivedAt = arrivedAt;
  }

  /** Whether nothing more can reach the client. The response was ended, or its connection is gone. */
  get isOver(): boolean {
    const { writableEnded, destroyed, req } = this.#response;
    return writableEnded || destroyed || req.socket.destroyed;
  }

  /** Whether this side has broken the connection. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Whether the head has been sent, or is on its way. */
  get hasStarted(): boolean {
    return this.#response.headersSent;
  }

  /** Whether HTTP allows this response a body. It does not for a HEAD request, nor with the status 204 or 304. */
  get hasBody(): boolean {
    const { req, statusCode } = this.#response;
    return req.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304;
  }

  /** Sets the status and headers. It has no effect after the head was sent. */
  setHead(statusCode: number, headers: ResponseHead): void {
    if (this.#response.headersSent) return;
    this.#response.statusCode = statusCode;
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) this.#response.removeHeader(name);
      else this.#response.setHeader(name, value);
    }
  }

  /** Sends the head now, before any byte of the body. */
  async flushHead(): Promise<void> {
    if (this.isOver) return;
    this.#start();
    this.#response.flushHeaders();
    await nextRead();
  }

  /** Gives bytes to the connection. Returns false where the connection takes no more until `drained` resolves. */
  write(bytes: Uint8Array): boolean {
    if (this.isOver || bytes.length === 0) return true;
    this.#start();
    if (!this.hasBody) return true;
    this.#record.bytesWritten += bytes.length;
    return this.#response.write(bytes);
  }

  /** Resolves when the connection takes more bytes, or is gone. */
  async drained(): Promise<void> {
    if (this.isOver || !this.#response.writableNeedDrain) return;
    await Promise.race([once(this.#response, 'drain'), this.#record.closed]);
  }

  /** Writes bytes in a packet of their own. Later bytes do not join them. */
  async writeApart(bytes: Uint8Array): Promise<void> {
    if (this.isOver || bytes.length === 0) return;
    const flushed = new Promise<void>((resolve) => {
      this.#start();
      this.#record.bytesWritten += bytes.length;
      this.#response.write(bytes, () => resolve());
    });
    await Promise.race([flushed, this.#record.closed]);
    await nextRead();
  }

  /** Ends the HTTP response cleanly. */
  async end(): Promise<void> {
    if (!this.isOver) {
      this.#start();
      this.#response.end();
    }
    await this.#record.closed;
  }

  /** Answers with a service error instead of the response. A response that has begun is broken off. */
  async refuse(error: ServiceError): Promise<void> {
    if (this.hasStarted) this.reset();
    else if (!this.isOver) {
      this.#record.statusCode = error.statusCode;
      this.#record.firstByteMs = performance.now() - this.#arrivedAt;
      this.#record.bytesWritten += sendServiceError(this.#response, error);
    }
    await this.#record.closed;
  }

  /** Breaks the connection with a TCP reset. */
  reset(): void {
    if (this.isOver) return;
    this.#wasReset = true;
    this.#response.req.socket.resetAndDestroy();
  }

  #start(): void {
    this.#record.statusCode ??= this.#response.statusCode;
    this.#record.firstByteMs ??= performance.now() - this.#arrivedAt;
  }
}

/**
 * Lets a reader in the same process take the bytes that were just written. It waits for two turns of the event loop,
 * because the first may be only the end of the present turn.
 */
async function nextRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
