import type { Observer } from 'rxjs';
import type { BodyReader, BodySource } from './body-reader.js';
import { readNodeBody, type NodeBody } from './read-node-body.js';
import { readWebBody } from './read-web-body.js';

/** How much may follow the end of the response before its connection is given up, in bytes. */
const maxDrainBytes = 64 * 1024;

/** How long the end of the HTTP response may take after the response's last event, in milliseconds. */
const maxDrainMs = 1_000;

/**
 * Reads whatever the SDK's HTTP handler left as a body: a Node stream, a web stream, a Blob, or nothing.
 *
 * The observer's bytes are written to by nobody else. It hears nothing after its completion or error.
 */
export function readBody(body: unknown, observer: Observer<Uint8Array>): BodyReader {
  /** Who hears of the body: the observer, then whoever drains it, then nobody. */
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
    pace(paused) {
      if (listener === observer) source.pace(paused);
    },
    drain() {
      let left = maxDrainBytes;
      const giveUp = setTimeout(cancel, maxDrainMs);
      // That the connection of a complete response breaks afterwards changes nothing for the caller.
      const done = (): void => clearTimeout(giveUp);
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
      source.pace(false);
    },
    cancel,
  };
}

/** A web stream that has ended. */
export function emptyWebStream(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.close();
    },
  });
}

/** By its methods: class names do not survive a minifier, and `instanceof` does not hold across realms. */
function openBody(body: unknown, observer: Observer<Uint8Array>, isDone: () => boolean): BodySource {
  const { on, getReader, stream } = Object(body) as { on?: unknown; getReader?: unknown; stream?: unknown };
  if (on) return readNodeBody(body as NodeBody, observer);
  if (getReader) return readWebBody(body as ReadableStream<Uint8Array>, observer, isDone);
  if (stream) return readWebBody((body as Blob).stream(), observer, isDone);
  if (body === undefined || body === null) return readWebBody(emptyWebStream(), observer, isDone);
  throw new TypeError('The HTTP handler left a body that is no Node stream, web stream or Blob');
}
