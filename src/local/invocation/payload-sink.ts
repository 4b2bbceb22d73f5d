import type { ResponseStreamSink } from '../runtime/response-stream.js';

/** Where a running function's payload goes: to the client in frames, or into memory for a buffered Invoke. */
export interface PayloadSink extends ResponseStreamSink {
  /** The function ended its stream. */
  readonly ended: boolean;
  /** The function's own content type, where it set one. */
  readonly contentType: string | undefined;
  /** From now on, everything is accepted and dropped. */
  stop(): void;
}
