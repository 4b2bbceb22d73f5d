import type { RequestRecord } from '../http/local-request.js';
import type { ResponseStreamSink } from '../runtime/response-stream.js';

/** A misuse of the response stream that the stream's own API does not report. */
export type StreamMisuse = 'write-after-end' | 'destroyed';

/** Where a running function's payload goes: to the client, in frames or as HTTP, or into memory for an Invoke. */
export abstract class PayloadSink implements ResponseStreamSink {
  /** The function ended its stream. */
  ended = false;
  /** The function's own content type, where it set one. */
  contentType: string | undefined;
  /** Whether the function answers with one result instead of a stream. */
  isResult = false;
  /** Why the function destroyed its stream. Absent where it did not. */
  destruction: { readonly error: Error | null } | undefined;
  /** Hears of a misuse. The runner of the function sets it. */
  onMisuse: ((misuse: StreamMisuse, error: Error | null) => void) | undefined;
  /** Accepts and drops everything from now on. */
  protected stopped = false;
  protected readonly record: RequestRecord;

  constructor(record: RequestRecord) {
    this.record = record;
  }

  abstract write(bytes: Uint8Array, done: (error?: Error) => void): void;

  /** Breaks the response off, because its stream was destroyed. */
  protected abstract breakOff(): void;

  end(): void {
    this.ended = true;
  }

  setContentType(contentType: string): void {
    this.contentType = contentType;
  }

  /** Takes the result of a handler that does not stream, before it is written as JSON. */
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
