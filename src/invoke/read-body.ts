import type { Observer } from 'rxjs';
import { openBody } from './body-source.js';

/** How many bytes may follow the response's last event before its connection is given up. */
const maxDrainBytes = 64 * 1024;

/** How long the end of the HTTP response may take after the response's last event, in milliseconds. */
const maxDrainMs = 1_000;

/** Reads an HTTP response body into an observer. It begins paused. Nothing is reported after `cancel` or `drain`. */
export interface BodyReader {
  /** Stops reading, so that TCP slows the sender down, or goes on. At most what was already received is still held. */
  setPaused(paused: boolean): void;
  /** Reads to the end without reporting, so that the connection can be used again; closes it where no end comes. */
  drain(): void;
  /** Closes the connection. */
  cancel(): void;
}

/**
 * Reads the body that an HTTP handler left: a Node stream, a web stream, a Blob, or nothing.
 *
 * Nobody else writes to the observer's bytes. The observer hears nothing after its completion or error.
 *
 * @throws TypeError for any other body.
 */
export function readBody(body: unknown, observer: Observer<Uint8Array>): BodyReader {
  /** Who hears of the body: the observer, then the listener that drains it, then nobody. */
  let listener: Observer<Uint8Array> | undefined = observer;
  function last(): typeof listener {
    const heard = listener;
    listener = undefined;
    return heard;
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
      // Node's timers keep the process alive. A response that is complete must not: the program may end now.
      if (typeof giveUp === 'object') giveUp.unref?.();
      // That the connection of a complete response breaks afterwards changes nothing for the caller.
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
