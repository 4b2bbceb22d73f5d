import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { RequestRecord } from './local-request.js';

/** Header values by name; undefined leaves a header out. */
export type ResponseHead = Readonly<Record<string, string | undefined>>;

/**
 * The sending side of one response: its head goes out with the first byte, bytes are counted, and a writer can wait
 * until the connection takes more. After the client went away everything is accepted and dropped.
 */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #record: RequestRecord;
  #wasReset = false;

  constructor(response: ServerResponse, record: RequestRecord) {
    this.#response = response;
    this.#record = record;
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

  /** Breaks the connection with a TCP reset. */
  reset(): void {
    if (this.isOver) return;
    this.#wasReset = true;
    this.#response.req.socket.resetAndDestroy();
  }

  #start(): void {
    this.#record.statusCode ??= this.#response.statusCode;
  }
}

/**
 * Lets a reader in this very process take what was just written: the next turn of the event loop may still be the
 * end of the present one, so it takes two.
 */
async function nextRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
