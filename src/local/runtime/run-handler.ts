import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { InvocationContext } from '../invocation/invocation-context.js';
import type { HandlerCallback, PlainHandler, RunnableHandler } from './local-function.js';
import { ResponseStream, type ResponseStreamSink } from './response-stream.js';
import { highWaterMarkOf, isStreamingHandler, type StreamingHandler } from './streamify-response.js';

/** An invocation of a handler. */
export interface HandlerCall {
  readonly event: unknown;
  readonly context: InvocationContext;
  readonly sink: ResponseStreamSink;
  /** The time is up, or the endpoint has closed: an async generator is left at its next value. */
  readonly isOver: () => boolean;
}

/**
 * Runs a handler to the end of its response. Rejects with what the handler threw; resolves when its stream has ended,
 * or was destroyed by the handler.
 */
export function runHandler(handler: RunnableHandler, call: HandlerCall): Promise<void> {
  return isStreamingHandler(handler) ? runStreaming(handler, call) : runPlain(handler as PlainHandler, call);
}

async function runStreaming(handler: StreamingHandler, { event, context, sink }: HandlerCall): Promise<void> {
  const stream = new ResponseStream(sink, highWaterMarkOf(handler));
  // A destroyed stream is reported through the sink; without a listener its error would end the process.
  stream.on('error', () => undefined);
  const result: unknown = handler(event as never, stream, context);
  if (!isPromiseLike(result)) throw new Error('Streaming does not support non-async handlers.');
  if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.');
  // As on AWS, a handler that returns without `end` leaves the response open until the time-out.
  if (!stream.writableFinished && !stream.destroyed) await finished(stream).catch(() => undefined);
}

async function runPlain(handler: PlainHandler, { event, context, sink, isOver }: HandlerCall): Promise<void> {
  const stream = new ResponseStream(sink);
  const result =
    handler.length >= 3 ? await callBack(handler, event, context) : handler(event as never, context, refuse);
  if (isAsyncIterable(result)) {
    for await (const item of result) {
      if (isOver()) return;
      if (!stream.write(item)) await once(stream, 'drain');
    }
  } else {
    const value: unknown = await result;
    sink.setContentType('application/json');
    stream.write(value === undefined ? 'null' : JSON.stringify(value));
  }
  stream.end();
  await finished(stream);
}

function callBack(handler: PlainHandler, event: unknown, context: InvocationContext): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: HandlerCallback = (error, result) => {
      if (error === undefined || error === null) resolve(result);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the handler gave, as it is
      else reject(error);
    };
    const result = handler(event as never, context, callback);
    if (isPromiseLike(result)) result.then(resolve, reject);
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
