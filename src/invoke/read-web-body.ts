import type { Observer } from 'rxjs';
import type { BodySource } from './body-reader.js';
import { pull } from './pull.js';

/** Reads a web stream: one promise per read, none per event. */
export function readWebBody(
  body: ReadableStream<Uint8Array>,
  observer: Observer<Uint8Array>,
  isDone: () => boolean,
): BodySource {
  const reader = body.getReader();
  return {
    ...pull(() => reader.read() as Promise<IteratorResult<Uint8Array, unknown>>, observer, isDone),
    // The body itself: on Node an aborted fetch goes on delivering once its signal was garbage-collected
    // (https://github.com/nodejs/undici/issues/3644). A stream that had already failed rejects here; it is closed,
    // which is all that was asked.
    destroy: () => void reader.cancel().catch(() => undefined),
  };
}
