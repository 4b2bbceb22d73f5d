import type { RequestRecord } from '../http/local-request.js';
import type { ResponseStreamSink } from '../runtime/response-stream.js';

/** A misuse of the response stream that the stream's own API does not report. */
export type StreamMisuse = 'write-after-end' | 'destroyed';

/** Takes the payload of a running function: for a client in frames or as HTTP, or into memory for an Invoke. */
export abstract class PayloadSink implements ResponseStreamSink {
  /** Whether the function has ended its stream. */
  ended = false;
  /** The content type that the function has set. */
  contentType: string | undefined;
  /** Whether the function answers with one result instead of a stream. */
  isResult = false;
  /** The error with which the function destroyed its stream. Absent where it did not destroy it. */
  destruction: { readonly error: Error | null } | undefined;
  /** Called at a misuse. `runInvocation` sets it. */
  onMisuse: ((misuse: StreamMisuse, error: Error | null) => void) | undefined;
  /** Whether the sink drops everything that it is given. */
  protected stopped = false;
  protected readonly record: RequestRecord;

  constructor(record: RequestRecord) {
    this.record = record;
  }

  abstract write(bytes: Uint8Array, done: (error?: Error) => void): void;

  /** Breaks the response off, because the function has destroyed its stream. */
  protected abstract breakOff(): void;

  end(): void {
    this.ended = true;
  }

  setContentType(contentType: string): void {
    this.contentType = contentType;
  }

  /** Takes the result of a handler that does not stream. The result is written next, as JSON. */
  result(value: unknown): void {
    this.isResult = true;
    this.contentType = 'application/json';
    const { statusCode } = (typeof value === 'object' && value !== null ? value : {}) as { statusCode?: unknown };
    if (typeof statusCode === 'number') this.record.responseStatus = statusCode;
  }

  destroyed(error: Error | null): void {
    if (this.stopped) return;
    this.destruction = { error };
    this.onMisuse?.('destroyed', error);
    this.breakOff();
  }

  wroteAfterEnd(error: Error): void {
    this.onMisuse?.('write-after-end', error);
  }

  stop(): void {
    this.stopped = true;
  }
}
