import { Observable } from 'rxjs';
import type { Exchange, Outlet } from './exchange.js';

/** How many bytes of an answer may wait in a ReadableStream before its source is paused. */
const highWaterMark = 64 * 1024;

/** The exchange of a web Request, with its Response. */
export interface WebExchange extends Exchange {
  /** Rejects with the signal's reason if the client leaves before its answer has begun. */
  readonly response: Promise<Response>;
}

/** Makes an exchange of a web Request. */
export function createWebExchange(request: Request, context: unknown): WebExchange {
  const leaving = new AbortController();
  let resolve!: (response: Response) => void;
  let reject!: (reason: unknown) => void;
  const response = new Promise<Response>((...settle) => ([resolve, reject] = settle));
  /** Cuts the answer when the client's own signal aborts. Set once the answer is a stream. */
  let abortStream: ((reason: unknown) => void) | undefined;

  function leave(reason: unknown): void {
    leaving.abort(reason);
    abortStream?.(reason);
    reject(reason);
  }
  const { signal } = request;
  if (signal.aborted) leave(signal.reason);
  else signal.addEventListener('abort', () => leave(signal.reason), { once: true });

  return {
    head: () => request,
    context,
    isBodyTaken: () => request.bodyUsed,
    body: new Observable((subscriber) => {
      const reader = request.body?.getReader();
      if (reader === undefined) {
        subscriber.complete();
        return undefined;
      }
      async function read(body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
        for (;;) {
          const { done, value } = await body.read();
          if (subscriber.closed) return;
          if (done) {
            subscriber.complete();
            return;
          }
          subscriber.next(value);
        }
      }
      let isOver = false;
      read(reader).then(
        () => (isOver = true),
        (error: unknown) => {
          isOver = true;
          subscriber.error(error);
        },
      );
      return () => {
        // Drops the rest of an unwanted body. A stream that has failed rejects here, and has nothing to drop.
        if (!isOver) void reader.cancel().catch(() => undefined);
      };
    }),
    signal: leaving.signal,
    response,
    answer(status, headers, body) {
      resolve(new Response(body ?? null, { status, headers }));
    },
    open(status, headers, drained): Outlet {
      let controller!: ReadableStreamDefaultController<Uint8Array>;
      let isClosed = false;
      const stream = new ReadableStream<Uint8Array>(
        {
          start(streamController) {
            controller = streamController;
          },
          pull: () => {
            if (!isClosed) drained();
          },
          cancel(reason) {
            isClosed = true;
            leaving.abort(reason);
          },
        },
        new ByteLengthQueuingStrategy({ highWaterMark }),
      );
      function cut(reason: unknown): void {
        if (isClosed) return;
        isClosed = true;
        controller.error(reason);
      }
      abortStream = cut;
      resolve(new Response(stream, { status, headers }));
      return {
        write(bytes) {
          if (isClosed) return true;
          // A copy, because other clients get the same bytes, and a platform may transfer the buffer.
          controller.enqueue(bytes.slice());
          return (controller.desiredSize ?? 0) > 0;
        },
        waiting: () => Math.max(0, highWaterMark - (controller.desiredSize ?? highWaterMark)),
        end() {
          if (isClosed) return;
          isClosed = true;
          controller.close();
        },
        cut,
      };
    },
  };
}
