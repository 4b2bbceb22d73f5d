import { Observable, type OperatorFunction } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { callback, checkOptions, flag, limitFrom, type OptionRule } from '../shared/check-options.js';
import { readItems, type PayloadSource } from '../shared/payload.js';
import { createHttpResponseDecoder } from './http-response-decoder.js';

/** Options of {@link decodeHttpResponse}. */
export interface DecodeHttpResponseOptions {
  /**
   * Which of the function's own statuses are failures: `true` for 400 and above, or a predicate. A failed response is
   * an `HttpStatusError` with the body, and emits neither its `http-head` nor its chunks. A response whose head
   * announced a prelude and that has none is a `ProtocolError`, because its status is unknown.
   *
   * @defaultValue `false`
   */
  readonly failOnStatus?: boolean | ((statusCode: number) => boolean);
  /**
   * How much of a failed response's body the error holds, in bytes. When the body reaches this limit, the error comes
   * at once with the body so far, and the connection is closed. `Infinity` sets no limit.
   *
   * @defaultValue 65,536 (64 KiB)
   */
  readonly maxErrorBodyBytes?: number;
}

const booleanOrCallback: OptionRule = {
  expected: `${flag.expected}, or ${callback.expected}`,
  isValid: (value) => flag.isValid(value) || callback.isValid(value),
};

/**
 * Decodes the HTTP response that a function writes with `awslambda.HttpResponseStream`: its status, headers and
 * cookies as one `http-head` event, then chunks that hold the body only.
 *
 *     source  -h-a--b--c----(e|)  h: head, a: '{"statusCode":201', b: '}\0\0\0\0', c: '\0\0\0\0hi', e: complete
 *     result  -h-------(tx)-(e|)  t: { type: 'http-head', statusCode: 201 }, x: 'hi'
 *
 * - **Emits** the source's events, with an `http-head` instead of the prelude, wherever the bytes are cut. Body chunks
 *   are views and not copies, and keep their NUL bytes. A payload without a prelude passes through unchanged, without
 *   an `http-head`. If it begins with a JSON object, that is held back until the byte after it, and then comes as one
 *   chunk. Plain bytes become chunk events. Events of unknown types keep their place among the chunks.
 * - **Completes** with the source.
 * - **Errors** with the source's error, unchanged; `ResponseTooLargeError` for a prelude over 64 KiB; `ProtocolError`
 *   for a prelude that is not JSON; under `failOnStatus` `HttpStatusError`, and `ProtocolError` for an announced
 *   prelude that never came; `DetachedPayloadError` for a chunk whose buffer was transferred.
 * - **Unsubscribing** unsubscribes from the source.
 * - **Memory** at most 64 KiB of payload and unknown events until the prelude is read. Under `failOnStatus` it holds
 *   the body of a failed response.
 *
 * After a `retry` with mode `restart` or `continue` a new prelude comes, and so another `http-head`.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'site' })
 *   .pipe(decodeHttpResponse({ failOnStatus: true }), decodeText())
 *   .subscribe({ next: (html) => process.stdout.write(html), error: console.error });
 *
 * @param options.failOnStatus - Which statuses are failures. @defaultValue `false`
 * @param options.maxErrorBodyBytes - How much of a failed response's body the error holds, in bytes.
 * @defaultValue 65,536 (64 KiB)
 * @see https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html the format followed
 */
export function decodeHttpResponse(
  options: DecodeHttpResponseOptions = {},
): OperatorFunction<PayloadSource, LambdaStreamEvent> {
  checkOptions('decodeHttpResponse', options, {
    failOnStatus: booleanOrCallback,
    maxErrorBodyBytes: limitFrom(0),
  });
  const { failOnStatus = false, maxErrorBodyBytes = 64 * 1024 } = options;
  const isFailure = failOnStatus === true ? (status: number) => status >= 400 : failOnStatus || undefined;
  return (source) =>
    new Observable((subscriber) =>
      readItems(source, createHttpResponseDecoder(subscriber, isFailure, maxErrorBodyBytes)).subscribe(subscriber),
    );
}
