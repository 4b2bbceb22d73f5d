import { setImmediate as nextTurn } from 'node:timers/promises';
import { preludeContentType } from '../runtime/awslambda.js';
import { PreludeParser } from '../runtime/http-prelude.js';
import { Pacer } from './bandwidth.js';
import { encodeChunk } from './encode-frames.js';
import { streamHead, type Invocation } from './invocation.js';
import { PayloadSink } from './payload-sink.js';

/** A long write of a function reaches the client as several chunks. */
export const maxChunkBytes = 65_536;

/** Sends a function's writes as PayloadChunk frames, as fast as the client reads and the bandwidth allows. */
export class FrameSink extends PayloadSink {
  readonly #invocation: Invocation;
  readonly #pacer: Pacer;
  #bytes = 0;
  /** Looks for the status of the function's own HTTP response. Absent when the search is over. */
  #prelude: PreludeParser | undefined = new PreludeParser();

  constructor(invocation: Invocation) {
    super(invocation.record);
    this.#invocation = invocation;
    this.#pacer = new Pacer(invocation.settings.bandwidth, invocation.closing);
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#send(bytes).then(() => done(), done);
  }

  /** Sets the response's head. It has no effect after the head was sent. */
  setHead(): void {
    const contentType = this.contentType ?? 'application/octet-stream';
    this.#invocation.writer.setHead(200, streamHead(this.#invocation, contentType));
  }

  protected breakOff(): void {
    this.#invocation.writer.reset();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { writer, settings } = this.#invocation;
    const allowed = bytes.subarray(0, Math.max(0, settings.maxResponseBytes - this.#bytes));
    this.#noteStatus(allowed);
    for (let at = 0; at < allowed.length; at += maxChunkBytes) {
      const part = allowed.subarray(at, at + maxChunkBytes);
      await this.#pacer.pace(part.length);
      // Each part asks again, because a time-out or the client's leaving may come between two parts.
      if (this.stopped || writer.isOver) break;
      this.setHead();
      this.#bytes += part.length;
      this.record.payloadBytes += part.length;
      if (!writer.write(encodeChunk(part))) await writer.drained();
    }
    // Without a turn of the event loop, a function that writes for ever would block everything, its own time-out too.
    if (this.stopped || writer.isOver || allowed.length === 0) await nextTurn();
  }

  #noteStatus(bytes: Uint8Array): void {
    if (this.#prelude === undefined) return;
    if (this.contentType !== preludeContentType) {
      this.#prelude = undefined;
      return;
    }
    const found = this.#prelude.push(bytes);
    if (found === undefined) return;
    if (found.statusCode !== undefined) this.record.responseStatus = found.statusCode;
    this.#prelude = undefined;
  }
}
