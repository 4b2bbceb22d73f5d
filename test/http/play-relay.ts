import type { Observable } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';
import { onTestFinished, vi } from 'vitest';
import { encodeEvent } from '../../src/event-stream/encode-message.js';
import type { RelayedInvokeOptions } from '../../src/http/relayed-invoke.js';
import { chunkFrame, completeFrame } from '../support/frames.js';

/** Makes the answer to one request, as its diagram says, from the frame of the request on. */
export type Connection = () => Promise<Response>;

const headers = { 'content-type': 'application/vnd.amazon.eventstream', 'x-rx-invocation': '1' };

/** How an event is written in a diagram. */
function letterOf(event: LambdaStreamEvent): string {
  return event.type === 'chunk' ? new TextDecoder().decode(event.payload) : event.type.charAt(0);
}

/** Virtual time for the test: one frame is one millisecond. Promises are settled within their frame. */
export function startFrames(): {
  /** A connection to a relay: `h` headers, `p` a ping, `c` the last event, `#` its loss, any other letter a chunk. */
  readonly connection: (marbles: string) => Connection;
  /** Answers each request with the next connection. */
  readonly fetchFrom: (connections: readonly Connection[]) => NonNullable<RelayedInvokeOptions['fetch']>;
  /** Subscribes, and draws what arrives. */
  readonly record: (stream: Observable<LambdaStreamEvent>, frames: number) => Promise<string>;
} {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return {
    connection: (marbles) => () =>
      new Promise((resolve, reject) => {
        let controller!: ReadableStreamDefaultController<Uint8Array>;
        const body = new ReadableStream<Uint8Array>({ start: (started) => void (controller = started) });
        const act = (letter: string): void => {
          if (letter === 'h') resolve(new Response(body, { headers }));
          else if (letter === '#') {
            const error = new TypeError('terminated');
            controller.error(error);
            // Before the headers, it is the request that fails.
            reject(error);
          } else if (letter === '|') controller.close();
          else if (letter === 'p') controller.enqueue(encodeEvent('RxPing', 'application/json', '{}'));
          else controller.enqueue(letter === 'c' ? completeFrame() : chunkFrame(letter));
        };
        for (const [frame, column] of columnsOf(marbles.trim()).entries()) {
          for (const letter of column) {
            if (frame === 0) act(letter);
            else setTimeout(() => act(letter), frame);
          }
        }
      }),
    fetchFrom(connections) {
      const next = connections.values();
      return () => next.next().value?.() ?? Promise.reject(new Error('There is no connection left'));
    },
    async record(stream, frames) {
      let arrived = '';
      let drawn = '';
      stream.subscribe({
        next: (event) => (arrived += letterOf(event)),
        error: () => (arrived += '#'),
        complete: () => (arrived += '|'),
      });
      for (let frame = 0; frame < frames; frame++) {
        await vi.advanceTimersByTimeAsync(frame === 0 ? 0 : 1);
        drawn += arrived.length > 1 ? `(${arrived})` : arrived || '-';
        arrived = '';
      }
      return drawn;
    },
  };
}

/** The letters of each frame of a diagram. */
function columnsOf(marbles: string): string[] {
  return [...marbles.matchAll(/\((.+?)\)|./g)].map(([mark, group]) => group ?? mark.replace('-', ''));
}
