import { preludeContentType } from '../runtime/awslambda.js';
import { PreludeParser } from '../runtime/http-prelude.js';
import { encodeChunk } from './encode-frames.js';
import { streamHead } from './invocation.js';
import { SentSink } from './sent-sink.js';

/** Sends a function's writes as PayloadChunk frames. */
export class FrameSink extends SentSink {
  /** Looks for the status of the function's own HTTP response. Absent when the search is over. */
  #prelude: PreludeParser | undefined = new PreludeParser();

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#send(this.withinLimit(bytes)).then(() => done(), done);
  }

  /** Sets the response's head. It has no effect after the head was sent. */
  setHead(): void {
    const contentType = this.contentType ?? 'application/octet-stream';
    this.invocation.writer.setHead(200, streamHead(this.invocation, contentType));
  }

  protected breakOff(): void {
    this.invocation.writer.reset();
  }

  #send(bytes: Uint8Array): Promise<void> {
    this.#noteStatus(bytes);
    return this.sendInParts(
      bytes,
      () => !this.stopped,
      (part) => {
        this.setHead();
        this.record.payloadBytes += part.length;
        return this.invocation.writer.write(encodeChunk(part));
      },
    );
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
