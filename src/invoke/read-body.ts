import type { Observer } from 'rxjs';
import { openBody } from './body-source.js';

/** How many bytes may follow the response's last event. After more bytes the connection is closed. */
const maxDrainBytes = 64 * 1024;

/** How long the end of the HTTP response may take after its last event, in milliseconds. */
const maxDrainMs = 1_000;

/** Reads an HTTP response body into an observer. It begins paused. After `cancel` or `drain` it reports nothing. */
export interface BodyReader {
  /** Stops reading, so that TCP slows the sender down, or goes on. Holds only the bytes that were received before. */
  setPaused(paused: boolean): void;
  /** Reads to the end without reporting, so that the connection can be used again. Closes it where no end comes. */
  drain(): void;
  /** Closes the connection. */
  cancel(): void;
}

/**
 * Reads the body that an HTTP handler left: a Node stream, a web stream, a Blob, or nothing.
 *
 * Nothing else writes to the observer's bytes. The observer is not called after its completion or error.
 *
 * @throws TypeError for any other body.
 */
export function readBody(body: unknown, observer: Observer<Uint8Array>): BodyReader {
  /** Gets what the body emits: first the observer, and then the listener of the drain. Undefined after the end. */
  let listener: Observer<Uint8Array> | undefined = observer;
  /** Returns the listener for the last time, because the body has ended. */
  function last(): typeof listener {
    const present = listener;
    listener = undefined;
    return present;
  }
  const relay: Observer<Uint8Array> = {
    next: (bytes) => listener?.next(bytes),
    complete: () => last()?.complete(),
    error: (cause) => last()?.error(cause),
  };
  const source = openBody(body, relay, () => listener === undefined);

  function cancel(): void {
    listener = undefined;
    source.destroy();
  }

  return {
    setPaused(paused) {
      if (listener === observer) source.setPaused(paused);
    },
    drain() {
      let left = maxDrainBytes;
      const giveUp = setTimeout(cancel, maxDrainMs) as number | { unref?(): void };
      // A timer keeps a Node process alive. After a complete response the program may end.
      if (typeof giveUp === 'object') giveUp.unref?.();
      // An error of the connection after a complete response does not matter to the caller.
      const done = (): void => clearTimeout(giveUp as number);
      listener = {
        next(bytes) {
          left -= bytes.length;
          if (left >= 0) return;
          done();
          cancel();
        },
        complete: done,
        error: done,
      };
      source.setPaused(false);
    },
    cancel,
  };
}
