import { validateHeaderValue } from 'node:http';
import { Writable } from 'node:stream';

/** An operation that the state of the stream does not allow. It has the name of the official runtime's error. */
class InvalidStreamingOperation extends Error {
  override readonly name = 'Runtime.InvalidStreamingOperation';
}

/** Where a {@link ResponseStream} sends what the handler writes. */
export interface ResponseStreamSink {
  /** Takes bytes. Calls back when it can take more. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  /** The handler ended the stream. */
  end(): void;
  /** The handler destroyed the stream before its end. */
  destroyed(error: Error | null): void;
  /** The handler wrote to the stream after its end. */
  wroteAfterEnd(error: Error): void;
  /** A handler that does not stream answered with this value. It is written next, as JSON. */
  result(value: unknown): void;
  setContentType(contentType: string): void;
}

type WriteCallback = (error: Error | null | undefined) => void;

/**
 * The `responseStream` that a streaming handler writes to. It is a Node `Writable` that also takes objects, as JSON. A
 * prelude may come before the first `write`. While the client does not read, `write` returns false and `pipeline`
 * pauses.
 */
export class ResponseStream extends Writable {
  /** Called with the plain write function right before the first `write`. As on AWS, `end(chunk)` does not call it. */
  _onBeforeFirstWrite?: (write: (chunk: string | Uint8Array) => boolean) => void;

  readonly #sink: ResponseStreamSink;
  #written = false;
  #wroteLate = false;

  constructor(sink: ResponseStreamSink, highWaterMark = 16_384) {
    // Node's streams take no Infinity.
    super({ highWaterMark: Math.min(highWaterMark, Number.MAX_SAFE_INTEGER) });
    this.#sink = sink;
  }

  /** Sets the function's own content type. Throws after the first write. */
  setContentType(contentType: string): void {
    if (this.#written) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    // Checked here, so that the handler sees the error.
    validateHeaderValue('content-type', contentType);
    this.#sink.setContentType(contentType);
  }

  /** Writes text, bytes, or any other value as JSON. Returns false while the client does not keep up. */
  override write(chunk: unknown, callback?: WriteCallback): boolean;
  /** Writes text in this encoding. */
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const data = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    if (!this.#written) this._onBeforeFirstWrite?.((prelude) => super.write(prelude));
    this.#written = true;
    if (this.writableEnded) this.#reportLateWrite();
    return typeof encoding === 'string' ? super.write(data, encoding, callback) : super.write(data, encoding);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (chunk.length === 0) done();
    else this.#sink.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#sink.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished && !this.#wroteLate) this.#sink.destroyed(error);
    done(error);
  }

  #reportLateWrite(): void {
    if (!this.#wroteLate)
      this.#sink.wroteAfterEnd(new InvalidStreamingOperation('Cannot write, the stream has ended.'));
    this.#wroteLate = true;
  }
}
