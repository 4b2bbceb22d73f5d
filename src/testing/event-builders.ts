import type { ChunkEvent, CompleteEvent, HeadEvent, RetryEvent } from '../events.js';
import { serviceException } from './service-exception.js';

const utf8 = new TextEncoder();

/** A `head` event: status 200 without headers, unless stated. */
export function headEvent(partial: Partial<Omit<HeadEvent, 'type'>> = {}): HeadEvent {
  return { type: 'head', statusCode: 200, headers: {}, ...partial };
}

/** A `chunk` event with these bytes; a text's are UTF-8. */
export function chunkEvent(textOrBytes: string | Uint8Array): ChunkEvent {
  // A plain view where it is a Buffer: the events of a real stream hold none.
  const payload =
    typeof textOrBytes === 'string'
      ? utf8.encode(textOrBytes)
      : new Uint8Array(textOrBytes.buffer, textOrBytes.byteOffset, textOrBytes.byteLength);
  return { type: 'chunk', payload };
}

/** A `complete` event, of a success unless `errorCode` is given. */
export function completeEvent(partial: Partial<Omit<CompleteEvent, 'type'>> = {}): CompleteEvent {
  return { type: 'complete', ...partial };
}

/** A `retry` event: the second attempt, at once, after a throttle, nothing delivered yet, unless stated. */
export function retryEvent(partial: Partial<Omit<RetryEvent, 'type'>> = {}): RetryEvent {
  const { error = serviceException('TooManyRequestsException'), ...rest } = partial;
  return { type: 'retry', attempt: 2, delayMs: 0, error, mode: 'fresh', delivered: { chunks: 0, bytes: 0 }, ...rest };
}
