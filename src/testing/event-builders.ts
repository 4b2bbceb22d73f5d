import type { ChunkEvent, CompleteEvent, HeadEvent, RetryEvent } from '../events.js';
import { serviceException } from './service-exception.js';

const utf8 = new TextEncoder();

/** Makes a `head` event. By default its status is 200, and it has no headers. */
export function headEvent(partial: Partial<Omit<HeadEvent, 'type'>> = {}): HeadEvent {
  return { type: 'head', statusCode: 200, headers: {}, ...partial };
}

/** Makes a `chunk` event with these bytes. A text is encoded as UTF-8. */
export function chunkEvent(textOrBytes: string | Uint8Array): ChunkEvent {
  // A Buffer becomes a plain Uint8Array, because the events of a real stream hold no Buffers.
  const payload =
    typeof textOrBytes === 'string'
      ? utf8.encode(textOrBytes)
      : new Uint8Array(textOrBytes.buffer, textOrBytes.byteOffset, textOrBytes.byteLength);
  return { type: 'chunk', payload };
}

/** Makes a `complete` event. Without an `errorCode` it is a success. */
export function completeEvent(partial: Partial<Omit<CompleteEvent, 'type'>> = {}): CompleteEvent {
  return { type: 'complete', ...partial };
}

/** Makes a `retry` event. By default it is the second attempt, at once, after a throttle, with nothing delivered. */
export function retryEvent(partial: Partial<Omit<RetryEvent, 'type'>> = {}): RetryEvent {
  const { error = serviceException('TooManyRequestsException'), ...rest } = partial;
  return { type: 'retry', attempt: 2, delayMs: 0, error, mode: 'fresh', delivered: { chunks: 0, bytes: 0 }, ...rest };
}
