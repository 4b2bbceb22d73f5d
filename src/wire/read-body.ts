import type { Observer } from 'rxjs';
import type { BodyReader } from './body-reader.js';
import { readNodeBody, type NodeBody } from './read-node-body.js';
import { readWebBody } from './read-web-body.js';

/**
 * Reads whatever the SDK's HTTP handler left as a body: a Node stream, a web stream, a Blob, or nothing.
 *
 * The observer's bytes are written to by nobody else. It hears nothing after its completion or error.
 */
export function readBody(body: unknown, observer: Observer<Uint8Array>): BodyReader {
  if (isNodeBody(body)) return readNodeBody(body, observer);
  return readWebBody(toWebStream(body), observer);
}

/** A web stream that has ended. */
export function emptyWebStream(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.close();
    },
  });
}

function isNodeBody(body: unknown): body is NodeBody {
  return typeof (body as NodeBody | undefined)?.on === 'function';
}

/** By its methods: class names do not survive a minifier, and `instanceof` does not hold across realms. */
function toWebStream(body: unknown): ReadableStream<Uint8Array> {
  if (typeof (body as ReadableStream | undefined)?.getReader === 'function') return body as ReadableStream<Uint8Array>;
  if (typeof (body as Blob | undefined)?.stream === 'function') return (body as Blob).stream();
  if (body === undefined || body === null) return emptyWebStream();
  throw new TypeError('The HTTP handler left a response body that is neither a Node stream, a web stream nor a Blob');
}
