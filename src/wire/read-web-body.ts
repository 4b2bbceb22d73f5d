import type { Observer } from 'rxjs';
import { maxDrainBytes, maxDrainMs, type BodyReader } from './body-reader.js';
import { pull } from './pull.js';

/** Reads a web stream: one promise per read, none per event. */
export function readWebBody(body: ReadableStream<Uint8Array>, observer: Observer<Uint8Array>): BodyReader {
  const reader = body.getReader();
  const reads = pull(() => reader.read() as Promise<IteratorResult<Uint8Array, unknown>>, observer);

  /**
   * Cancels the body itself: on Node an aborted fetch goes on delivering once its signal was garbage-collected
   * (https://github.com/nodejs/undici/issues/3644).
   */
  function close(): void {
    // A stream that had already failed rejects here; it is closed, which is all that was asked.
    reader.cancel().catch(() => undefined);
  }

  async function readToEnd(): Promise<void> {
    const giveUp = setTimeout(close, maxDrainMs);
    try {
      for (let left = maxDrainBytes; left >= 0;) {
        const result = await reader.read();
        if (result.done) return;
        left -= result.value.length;
      }
      close();
    } catch {
      // The response was complete before; that its connection broke afterwards changes nothing for the caller.
    } finally {
      clearTimeout(giveUp);
    }
  }

  return {
    resume: () => reads.resume(),
    pause: () => reads.pause(),
    drain() {
      if (reads.stop()) void readToEnd();
    },
    cancel() {
      if (reads.stop()) close();
    },
  };
}
