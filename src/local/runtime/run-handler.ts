import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { finished } from 'node:stream/promises';
import type { InvocationContext } from '../invocation/invocation-context.js';
import type { HandlerCallback, PlainHandler, RunnableHandler } from './local-function.js';
import { ResponseStream, type ResponseStreamSink } from './response-stream.js';
import { highWaterMarkOf, isStreamingHandler, type StreamingHandler } from './streamify-response.js';

/** An invocation of a handler. */
export interface HandlerCall {
  readonly event: unknown;
  readonly sink: ResponseStreamSink;
  /** Makes the handler's context. Its old ways to end call the callback. */
  readonly contextFor: (callback: HandlerCallback) => InvocationContext;
  /** Whether the invocation has failed or its time is up. An async generator is then left at its next value. */
  readonly isOver: () => boolean;
}

/** How long an async generator may keep the event loop, in milliseconds. */
const maxTurnMs = 10;

/**
 * Runs a handler to the end of its response. Resolves when its stream has ended, or the handler has destroyed it.
 * Rejects with what the handler threw.
 */
export function runHandler(handler: RunnableHandler, call: HandlerCall): Promise<void> {
  return isStreamingHandler(handler) ? runStreaming(handler, call) : runPlain(handler as PlainHandler, call);
}

async function runStreaming(handler: StreamingHandler, { event, contextFor, sink }: HandlerCall): Promise<void> {
  const stream = new ResponseStream(sink, highWaterMarkOf(handler));
  // The sink reports a destroyed stream. Without a listener its error would count as uncaught.
  stream.on('error', () => undefined);
  const context = contextFor(() => {
    throw new Error('A streaming handler ends its response with responseStream.end()');
  });
  const result: unknown = handler(event as never, stream, context);
  if (!isPromiseLike(result)) throw new Error('Streaming does not support non-async handlers.');
  if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
  // As on AWS, a handler that returns without `end` leaves the response open until the time-out.
  if (!stream.writableFinished && !stream.destroyed) await finished(stream).catch(() => undefined);
}

async function runPlain(handler: PlainHandler, call: HandlerCall): Promise<void> {
  const { sink, isOver } = call;
  const stream = new ResponseStream(sink);
  const result = await callPlain(handler, call);
  if (isAsyncIterable(result)) {
    let turnBegan = performance.now();
    for await (const item of result) {
      if (isOver()) return;
      if (!stream.write(item)) await once(stream, 'drain');
      // A generator that never waits would block everything, its own time-out too.
      if (performance.now() - turnBegan > maxTurnMs) {
        await nextTurn();
        turnBegan = performance.now();
      }
    }
  } else {
    sink.result(result);
    stream.write(result === undefined ? 'null' : JSON.stringify(result));
  }
  stream.end();
  await finished(stream);
}

/** Calls a plain handler. It may end with a promise, a result, the callback, or the context's methods. */
function callPlain(handler: PlainHandler, { event, contextFor }: HandlerCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: HandlerCallback = (error, result) => {
      if (error === undefined || error === null) resolve(result);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the handler gave, as it is
      else reject(error);
    };
    const takesCallback = handler.length >= 3;
    const result = handler(event as never, contextFor(callback), takesCallback ? callback : refuse);
    if (isPromiseLike(result)) result.then(resolve, reject);
    else if (!takesCallback) resolve(result);
  });
}

function refuse(): never {
  throw new Error('A handler that wants the callback must declare it as its third parameter');
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}
