import type { Observer } from 'rxjs';
import { pull } from './pull.js';

/** A response body that is being read into an observer. It begins paused. */
export interface BodySource {
  /** Stops reading, so that TCP slows the sender down, or goes on. Holds only the bytes that were received before. */
  setPaused(paused: boolean): void;
  /** Closes the connection. May be called at any time, also after the end. */
  destroy(): void;
}

/** The used part of Node's `stream.Readable`. The core has no Node types. */
interface NodeBody {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  on(event: string, listener: (argument: never) => void): unknown;
}

/**
 * Opens the body that an HTTP handler has left: a Node stream, a web stream, a Blob, or nothing.
 *
 * The kind is recognised by its methods, because a minifier changes class names, and `instanceof` fails across realms.
 *
 * @param isDone - Tells whether the observer is done: after its completion or error, or because nobody listens any
 * more.
 * @throws TypeError for any other body.
 */
export function openBody(body: unknown, observer: Observer<Uint8Array>, isDone: () => boolean): BodySource {
  const { on, getReader, stream } = Object(body) as { on?: unknown; getReader?: unknown; stream?: unknown };
  if (on) return readNodeBody(body as NodeBody, observer);
  if (getReader) return readWebBody(body as ReadableStream<Uint8Array>, observer, isDone);
  if (stream) return readWebBody((body as Blob).stream(), observer, isDone);
  if (body === undefined || body === null) return readWebBody(emptyWebStream(), observer, isDone);
  throw new TypeError('The HTTP handler left a body that is not a Node stream, a web stream or a Blob');
}

/** Makes a web stream that has ended. */
export function emptyWebStream(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.close();
    },
  });
}

/**
 * Reads a Node stream by its events, which cost no promise per read.
 *
 * The listeners stay, because the error of a stream that fails after it was destroyed would otherwise be an uncaught
 * exception.
 */
function readNodeBody(body: NodeBody, observer: Observer<Uint8Array>): BodySource {
  // Paused before the first listener for data, which would start the flow.
  body.pause();
  body.on('data', (bytes: Uint8Array) => observer.next(bytes));
  body.on('end', () => observer.complete());
  body.on('error', (cause: unknown) => observer.error(cause));
  // A destroyed stream may close with neither end nor error.
  body.on('close', () => observer.error(new Error('The connection was closed')));
  return {
    setPaused(paused) {
      if (paused) body.pause();
      else body.resume();
    },
    destroy: () => void body.destroy(),
  };
}

/** Reads a web stream. It costs one promise per read, and no promise per event. */
function readWebBody(
  body: ReadableStream<Uint8Array>,
  observer: Observer<Uint8Array>,
  isDone: () => boolean,
): BodySource {
  const reader = body.getReader();
  return {
    ...pull(() => reader.read() as Promise<IteratorResult<Uint8Array, unknown>>, observer, isDone),
    // Cancels the body itself. In Node an aborted fetch may go on once its signal was garbage-collected
    // (https://github.com/nodejs/undici/issues/3644). A stream that has failed before rejects here. It is closed, and
    // nothing more is wanted.
    destroy: () => void reader.cancel().catch(() => undefined),
  };
}
