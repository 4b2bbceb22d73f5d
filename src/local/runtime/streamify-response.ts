import { callback, checkOptions, checkValue, limitFrom } from '../../shared/check-options.js';
import type { InvocationContext } from '../invocation/invocation-context.js';
import type { ResponseStream } from './response-stream.js';

/** A streaming handler as AWS defines it. It writes to `responseStream` and ends it. */
export type StreamHandler<Event> = (
  event: Event,
  responseStream: ResponseStream,
  context: InvocationContext,
) => Promise<unknown>;

/** The mark that the official runtime sets on a streaming handler and reads from it. */
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
const highWaterMark = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

/** The mark of a handler that went through {@link streamifyResponse}. */
export interface StreamingMark {
  readonly [streaming]: 'response';
}

/** A handler that went through {@link streamifyResponse}. */
export type StreamingHandler<Event = never> = StreamHandler<Event> & StreamingMark;

/**
 * Marks a handler as one that streams: `awslambda.streamifyResponse`, with the same effect as on AWS.
 *
 * @param options.highWaterMark - How many bytes the response stream holds before `write` returns false. `Infinity` sets
 * no limit.
 * @defaultValue 16,384
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export function streamifyResponse<Event>(
  handler: StreamHandler<Event>,
  options: { readonly highWaterMark?: number } = {},
): StreamingHandler<Event> {
  checkValue('streamifyResponse', 'handler', handler, callback);
  checkOptions('streamifyResponse', options, { highWaterMark: limitFrom(0) });
  return Object.assign(handler, {
    [streaming]: 'response' as const,
    ...(options.highWaterMark !== undefined && { [highWaterMark]: options.highWaterMark }),
  });
}

export function isStreamingHandler(value: unknown): value is StreamingHandler {
  return typeof value === 'function' && streaming in value;
}

/** Returns the `highWaterMark` that the handler was given, in bytes. */
export function highWaterMarkOf(handler: StreamingHandler): number | undefined {
  return (handler as { [highWaterMark]?: number })[highWaterMark];
}
