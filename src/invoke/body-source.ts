import type { Observer } from 'rxjs';
import { pull } from './pull.js';

/** A response body that is being read into an observer. It begins paused. */
export interface BodySource {
  /** Stops reading, so that TCP slows the sender down, or goes on. At most what was already received is still held. */
  setPaused(paused: boolean): void;
  /** Closes the connection. May be called at any time, also after the end. */
  destroy(): void;
}

/** The part of Node's `stream.Readable` that is used, so that the core needs no Node types. */
interface NodeBody {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  on(event: string, listener: (argument: never) => void): unknown;
}

/**
 * Opens whatever an HTTP handler left as a body: a Node stream, a web stream, a Blob, or nothing.
 *
 * The kind is known by its methods. Class names do not survive a minifier, and `instanceof` fails across realms.
 *
 * @param isDone - Nobody listens any more. True after the observer's completion or error.
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

/** A web stream that has ended. */
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
 * The listeners stay for good: a stream that fails after it was destroyed must not become an uncaught exception.
 */
function readNodeBody(body: NodeBody, observer: Observer<Uint8Array>): BodySource {
  // Before the first listener for data, which would start the flow.
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

/** Reads a web stream: one promise per read, none per event. */
function readWebBody(
  body: ReadableStream<Uint8Array>,
  observer: Observer<Uint8Array>,
  isDone: () => boolean,
): BodySource {
  const reader = body.getReader();
  return {
    ...pull(() => reader.read() as Promise<IteratorResult<Uint8Array, unknown>>, observer, isDone),
    // Cancels the body itself: on Node an aborted fetch goes on delivering once its signal was garbage-collected
    // (https://github.com/nodejs/undici/issues/3644). A stream that had already failed rejects here. It is closed,
    // which is all that was asked.
    destroy: () => void reader.cancel().catch(() => undefined),
  };
}
