import { validateHeaderValue } from 'node:http';
import { Writable } from 'node:stream';

/** An operation that the stream's state does not allow, named as the official runtime names it. */
class InvalidStreamingOperation extends Error {
  override readonly name = 'Runtime.InvalidStreamingOperation';
}

/** Where a {@link ResponseStream} sends what the handler writes. */
export interface ResponseStreamSink {
  /** Takes bytes; answers when it can take more. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  /** The handler ended the stream. */
  end(): void;
  /** The handler destroyed the stream before its end. */
  destroyed(error: Error | null): void;
  /** The handler wrote to the stream after its end. */
  wroteAfterEnd(error: Error): void;
  /** A handler that is no streaming one answered with this value, which is written next, as JSON. */
  result(value: unknown): void;
  setContentType(contentType: string): void;
}

type WriteCallback = (error: Error | null | undefined) => void;

/**
 * The `responseStream` that a streaming handler writes to: a Node `Writable` that also takes objects (as JSON), and
 * whose first `write` may be preceded by a prelude. Its `write` answers false, and `pipeline` pauses, while the client
 * does not read.
 */
export class ResponseStream extends Writable {
  /** Called with the plain write function right before the first `write`; `end(chunk)` does not call it, as on AWS. */
  _onBeforeFirstWrite?: (write: (chunk: string | Uint8Array) => boolean) => void;

  readonly #sink: ResponseStreamSink;
  #written = false;
  #wroteLate = false;

  constructor(sink: ResponseStreamSink, highWaterMark = 16_384) {
    super({ highWaterMark });
    this.#sink = sink;
  }

  /** Sets the function's own content type; an error after the first write. */
  setContentType(contentType: string): void {
    if (this.#written) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    // Here, where the handler sees it, rather than when the head goes out.
    validateHeaderValue('content-type', contentType);
    this.#sink.setContentType(contentType);
  }

  /** Writes text, bytes, or any other value as JSON. Answers false where the client is behind. */
  override write(chunk: unknown, callback?: WriteCallback): boolean;
  /** The same, with the encoding of a text. */
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
