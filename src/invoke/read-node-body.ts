import type { Observer } from 'rxjs';
import type { BodySource } from './body-reader.js';

/** As much of Node's `stream.Readable` as is needed, so that the core needs no Node types. */
export interface NodeBody {
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  on(event: string, listener: (argument: never) => void): unknown;
}

/**
 * Reads a Node stream by its events: no promise per read.
 *
 * Its listeners stay for good: a stream that fails after it was destroyed must not become an uncaught exception.
 */
export function readNodeBody(body: NodeBody, observer: Observer<Uint8Array>): BodySource {
  // Before the first listener for data, which would start the flow.
  body.pause();
  body.on('data', (bytes: Uint8Array) => observer.next(bytes));
  body.on('end', () => observer.complete());
  body.on('error', (cause: unknown) => observer.error(cause));
  // A destroyed stream may close with neither end nor error.
  body.on('close', () => observer.error(new Error('The connection was closed')));
  return {
    pace(paused) {
      if (paused) body.pause();
      else body.resume();
    },
    destroy: () => void body.destroy(),
  };
}
