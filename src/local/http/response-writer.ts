import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RequestRecord } from './local-request.js';
import { sendServiceError, type ServiceError } from './service-errors.js';

/** Header values by name; undefined leaves a header out. */
export type ResponseHead = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The sending side of one response: its head goes out with the first byte, bytes are counted, and a writer can wait
 * until the connection takes more. After the client went away everything is accepted and dropped.
 */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #record: RequestRecord;
  readonly #arrivedAt: number;
  #wasReset = false;

  /** @param arrivedAt - When the request's headers arrived, on the clock of `performance`. */
  constructor(response: ServerResponse, record: RequestRecord, arrivedAt: number) {
    this.#response = response;
    this.#record = record;
    this.#arrivedAt = arrivedAt;
  }

  /** Nothing more reaches the client: the response was ended, or its connection is gone. */
  get isOver(): boolean {
    const { writableEnded, destroyed, req } = this.#response;
    return writableEnded || destroyed || req.socket.destroyed;
  }

  /** The connection was broken from this side. */
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

  /** Sets what the head says; without effect once it is out. */
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

  /** Hands bytes to the connection; false when it wants no more until `drained`. */
  write(bytes: Uint8Array): boolean {
    if (this.isOver || bytes.length === 0) return true;
    this.#start();
    if (!this.hasBody) return true;
    this.#record.bytesWritten += bytes.length;
    return this.#response.write(bytes);
  }

  /** Resolves when the connection takes more, or is gone. */
  async drained(): Promise<void> {
    if (this.isOver || !this.#response.writableNeedDrain) return;
    await Promise.race([once(this.#response, 'drain'), this.#record.closed]);
  }

  /** Writes bytes on their own: what is written next does not join them in one packet. */
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

  /** Answers with a service error in place of the response; one that has begun is broken off. */
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
 * Lets a reader in this very process take what was just written: the next turn of the event loop may still be the
 * end of the present one, so it takes two.
 */
async function nextRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
