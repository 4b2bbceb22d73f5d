import type { PayloadSink } from './payload-sink.js';

/** Keeps a function's writes for a buffered Invoke. */
export class BufferSink implements PayloadSink {
  ended = false;
  contentType: string | undefined;
  /** The function destroyed its stream. */
  wasDestroyed = false;
  readonly #maxBytes: number;
  readonly #parts: Buffer[] = [];
  #length = 0;
  #stopped = false;

  /** @param maxBytes - What comes after this many bytes is counted, but not kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that the function wrote. */
  get length(): number {
    return this.#length;
  }

  get payload(): Buffer {
    return Buffer.concat(this.#parts);
  }

  write(bytes: Uint8Array, done: () => void): void {
    if (!this.#stopped) this.#length += bytes.length;
    if (this.#stopped || this.#length > this.#maxBytes) {
      // Without a turn of the event loop, a function that writes for ever would stop all else, its own time-out too.
      setImmediate(done);
      return;
    }
    // A copy: the function may use its buffer again.
    this.#parts.push(Buffer.from(bytes));
    done();
  }

  end(): void {
    this.ended = true;
  }

  destroyed(): void {
    if (!this.#stopped) this.wasDestroyed = true;
  }

  setContentType(contentType: string): void {
    this.contentType = contentType;
  }

  stop(): void {
    this.#stopped = true;
  }
}
