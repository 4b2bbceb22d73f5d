import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { Bandwidth } from './bandwidth.js';
import { encodeChunk } from './encode-frames.js';
import type { PayloadSink } from './payload-sink.js';
import type { ResponseWriter } from '../http/response-writer.js';

/** A long write of a function reaches the client as several chunks. */
const maxChunkBytes = 65_536;

interface FrameSinkInit {
  readonly writer: ResponseWriter;
  readonly bandwidth: Bandwidth | undefined;
  /** What comes after this many payload bytes is dropped, as on AWS. */
  readonly maxResponseBytes: number;
  /** Called before the first byte, with what the head must say. */
  readonly onStart: (contentType: string | undefined) => void;
  readonly signal: AbortSignal;
}

/** Sends a function's writes as PayloadChunk frames, as fast as the client reads and the bandwidth allows. */
export class FrameSink implements PayloadSink {
  ended = false;
  contentType: string | undefined;
  readonly #init: FrameSinkInit;
  #bytes = 0;
  #stopped = false;
  #paidUntil = 0;

  constructor(init: FrameSinkInit) {
    this.#init = init;
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#send(bytes).then(() => done(), done);
  }

  end(): void {
    this.ended = true;
  }

  destroyed(): void {
    if (!this.#stopped) this.#init.writer.reset();
  }

  setContentType(contentType: string): void {
    this.contentType = contentType;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { writer, maxResponseBytes } = this.#init;
    const allowed = bytes.subarray(0, Math.max(0, maxResponseBytes - this.#bytes));
    for (let at = 0; at < allowed.length; at += maxChunkBytes) {
      const part = allowed.subarray(at, at + maxChunkBytes);
      await this.#pace(part.length);
      // Asked again for every part: a time-out or the client's leaving can come between two.
      if (this.#stopped || writer.isOver) break;
      this.#init.onStart(this.contentType);
      this.#bytes += part.length;
      if (!writer.write(encodeChunk(part))) await writer.drained();
    }
    // Without a turn of the event loop, a function that writes for ever would stop all else, its own time-out too.
    if (this.#stopped || writer.isOver || allowed.length === 0) await nextTurn();
  }

  /** Waits until the bandwidth has room for the bytes. */
  async #pace(byteLength: number): Promise<void> {
    const { bandwidth, signal } = this.#init;
    if (bandwidth === undefined || this.#bytes + byteLength <= bandwidth.freeBytes || signal.aborted) return;
    const now = performance.now();
    const charged = Math.min(byteLength, this.#bytes + byteLength - bandwidth.freeBytes);
    this.#paidUntil = Math.max(this.#paidUntil, now) + (charged / bandwidth.bytesPerSecond) * 1_000;
    await delay(this.#paidUntil - now, undefined, { signal }).catch((error: unknown) => {
      // The abort ends the wait: what follows is dropped.
      if (!signal.aborted) throw error;
    });
  }
}
