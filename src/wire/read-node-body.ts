import type { Observer } from 'rxjs';
import { maxDrainBytes, maxDrainMs, type BodyReader } from './body-reader.js';

/** As much of Node's `stream.Readable` as is needed, so that the core needs no Node types. */
export interface NodeBody {
  on(event: string, listener: (argument: never) => void): unknown;
  off(event: string, listener: (argument: never) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** Reads a Node stream by its events: no promise per read. */
export function readNodeBody(body: NodeBody, observer: Observer<Uint8Array>): BodyReader {
  /** From here on nothing is reported. */
  let done = false;

  function onData(bytes: Uint8Array): void {
    observer.next(bytes);
  }
  function onEnd(): void {
    if (done) return;
    done = true;
    observer.complete();
  }
  function onError(cause: unknown): void {
    if (done) return;
    done = true;
    observer.error(cause);
  }
  /** A destroyed stream may close with neither end nor error. */
  function onClose(): void {
    onError(new Error('The connection was closed'));
  }

  // Before the first listener for data, which would start the flow.
  body.pause();
  body.on('data', onData);
  body.on('end', onEnd);
  // Stays for good: a stream that fails after it was cancelled must not become an uncaught exception.
  body.on('error', onError);
  body.on('close', onClose);

  function stopReporting(): void {
    done = true;
    body.off('data', onData);
    body.off('close', onClose);
  }

  return {
    resume() {
      if (!done) body.resume();
    },
    pause() {
      if (!done) body.pause();
    },
    drain() {
      if (done) return;
      stopReporting();
      let left = maxDrainBytes;
      const giveUp = setTimeout(() => body.destroy(), maxDrainMs);
      body.on('data', (bytes: Uint8Array) => {
        left -= bytes.length;
        if (left < 0) body.destroy();
      });
      body.on('close', () => clearTimeout(giveUp));
      body.resume();
    },
    cancel() {
      if (done) return;
      stopReporting();
      body.destroy();
    },
  };
}
