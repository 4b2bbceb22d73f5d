import type { OperatorFunction } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { createHttpResponseDecoder } from './http-response-decoder.js';
import type { PayloadSource } from '../shared/payload.js';
import { transformItems } from './transform-items.js';

/** Options of {@link decodeHttpResponse}. */
export interface DecodeHttpResponseOptions {
  /**
   * Which of the function's own statuses are failures: `true` for 400 and above, or a predicate. Such a response is an
   * `HttpStatusError` that carries the body, and emits neither its `http-head` nor its chunks.
   *
   * @defaultValue `false`
   */
  readonly failOnStatus?: boolean | ((statusCode: number) => boolean);
  /**
   * How much of a failed response's body the error carries, in bytes. Once as much is there the error comes at once,
   * with the body cut there, and the connection is closed.
   *
   * @defaultValue 65,536 (64 KiB)
   */
  readonly maxErrorBodyBytes?: number;
}

/**
 * Decodes the HTTP response that a function writes with `awslambda.HttpResponseStream`: its status, headers and
 * cookies as one `http-head` event, then chunks that hold the body only.
 *
 *     source  -h-a--b--c----(e|)  h: head, a: '{"statusCode":201', b: '}\0\0\0\0', c: '\0\0\0\0hi', e: complete
 *     result  -h-------(tx)-(e|)  t: { type: 'http-head', statusCode: 201 }, x: 'hi'
 *
 * - **Emits** what it gets, the prelude replaced by an `http-head`; cut anywhere. Body chunks are views, not copies,
 *   and
 *   NULs in them stay. A payload without a prelude passes through unchanged, without an `http-head`; only a first
 *   JSON object is held back until the byte after it. Plain bytes become chunk events.
 * - **Completes** with the source.
 * - **Errors** with the source's error, unchanged; `ResponseTooLargeError` for a prelude over 64 KiB; `ProtocolError`
 *   for
 *   a prelude that is no JSON; `HttpStatusError` under `failOnStatus`.
 * - **Unsubscribing** unsubscribes from the source.
 * - **Memory** at most 64 KiB of payload until the prelude is read; under `failOnStatus` the error's body; then
 *   nothing.
 *
 * A `retry` that starts over or continues with a new invocation expects a new prelude, and a second `http-head`
 * follows.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'site' })
 *   .pipe(decodeHttpResponse({ failOnStatus: true }), decodeText())
 *   .subscribe({ next: (html) => process.stdout.write(html), error: console.error });
 *
 * @param options.failOnStatus - Which statuses are failures. @defaultValue `false`
 * @param options.maxErrorBodyBytes - How much of a failed response's body the error carries, in bytes.
 * @defaultValue 65,536 (64 KiB)
 * @see https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html the format followed
 */
export function decodeHttpResponse(
  options: DecodeHttpResponseOptions = {},
): OperatorFunction<PayloadSource, LambdaStreamEvent> {
  const { failOnStatus = false, maxErrorBodyBytes = 64 * 1024 } = options;
  if (!Number.isInteger(maxErrorBodyBytes) || maxErrorBodyBytes < 0) {
    throw new RangeError(`maxErrorBodyBytes must be a whole number of bytes, not ${maxErrorBodyBytes}`);
  }
  const isFailure =
    typeof failOnStatus === 'function' ? failOnStatus : (status: number) => failOnStatus && status >= 400;
  return (source) =>
    transformItems(source, (subscriber) => createHttpResponseDecoder(subscriber, isFailure, maxErrorBodyBytes));
}
