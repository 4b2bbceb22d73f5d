import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import { ResponseTooLargeError } from '../errors.js';
import type { CompleteEvent, HeadEvent, HttpHeadEvent } from '../events.js';
import { createByteCollector } from '../shared/byte-collector.js';
import { checkOptions, limitFrom } from '../shared/check-options.js';
import { payloadOf, readItems, type ItemReader, type PayloadSource } from '../shared/payload.js';

/** Options of {@link collectResponse}. */
export interface CollectResponseOptions {
  /**
   * The largest payload that is collected, in bytes. A larger one is a {@link ResponseTooLargeError} as soon as it
   * passes the limit, and the connection is closed. AWS's own maximum is 200 MB. `Infinity` sets no limit.
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  readonly maxBytes?: number;
}

/** A whole response, from {@link collectResponse}. */
export interface CollectedResponse {
  /** The last connection's head. Absent for a source of plain bytes. */
  readonly head?: HeadEvent;
  /** The HTTP response's head, after `decodeHttpResponse` and where the function wrote a prelude. */
  readonly httpHead?: HttpHeadEvent;
  /** The payload, in a buffer of its own. */
  readonly bytes: Uint8Array;
  /** The last 4 KB of the invocation's log; with `LogType: 'Tail'` only. */
  readonly logTail?: string;
  /** Only with `functionErrors: 'emit'`: the function failed. */
  readonly errorCode?: string;
  /** Only with `functionErrors: 'emit'`: what AWS says of the failure. */
  readonly errorDetails?: string;
  /**
   * Decodes the payload as UTF-8 text at each call. Other bytes become U+FFFD. A byte order mark is left out.
   */
  text(): string;
  /**
   * Parses the payload as JSON at each call.
   *
   * @throws SyntaxError where the text is not JSON.
   */
  json(): unknown;
}

/**
 * Collects the whole response into one value.
 *
 *     source  -h--a--b--(e|)    h: head, a, b: chunks, e: complete
 *     result  ----------(r|)    r: { head, bytes: a and b, text(), json() }
 *
 * - **Emits** one value when the source completes. From an empty source it has no bytes.
 * - **Completes** with the source.
 * - **Errors** with the source's error, unchanged, without a value before it; `ResponseTooLargeError` over `maxBytes`.
 * - **Unsubscribing** unsubscribes from the source.
 * - **Memory** at most twice `maxBytes`, and the result once more while it is put together. Chunks are copied once.
 *
 * A `retry` with mode `restart` drops what was collected. After one with mode `continue` the next chunks are appended.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'report', Payload: { month: 7 } })
 *   .pipe(collectResponse({ maxBytes: 1_000_000 }))
 *   .subscribe({ next: (response) => console.log(response.json()), error: console.error });
 *
 * @param options.maxBytes - The largest payload, in bytes. @defaultValue 16,777,216 (16 MiB)
 */
export function collectResponse(
  options: CollectResponseOptions = {},
): OperatorFunction<PayloadSource, CollectedResponse> {
  checkOptions('collectResponse', options, { maxBytes: limitFrom(0) });
  const { maxBytes = 16 * 1024 * 1024 } = options;
  return (source) =>
    new Observable((subscriber) =>
      readItems(source, createResponseCollector(subscriber, maxBytes)).subscribe(subscriber),
    );
}

function createResponseCollector(subscriber: Subscriber<CollectedResponse>, maxBytes: number): ItemReader {
  let head: HeadEvent | undefined;
  let httpHead: HttpHeadEvent | undefined;
  let completeEvent: CompleteEvent | undefined;
  let collected = createByteCollector();

  function take(bytes: Uint8Array): void {
    if (collected.length + bytes.length > maxBytes) {
      throw new ResponseTooLargeError('The response is larger than the maxBytes of collectResponse', { maxBytes });
    }
    collected.append(bytes);
  }

  return {
    next(item) {
      const payload = payloadOf(item, 'collectResponse');
      if (payload) take(payload);
      if (!('type' in item)) return;
      switch (item.type) {
        case 'head':
          head = item;
          break;
        case 'http-head':
          httpHead = item;
          break;
        case 'complete':
          completeEvent = item;
          break;
        case 'retry':
          if (item.mode === 'restart') {
            httpHead = undefined;
            collected = createByteCollector();
          }
          break;
        case 'chunk':
        case 'unknown':
          break;
      }
    },
    complete() {
      const bytes = collected.toBytes();
      const { logTail, errorCode, errorDetails } = completeEvent ?? {};
      subscriber.next({
        ...(head && { head }),
        ...(httpHead && { httpHead }),
        bytes,
        ...(logTail !== undefined && { logTail }),
        ...(errorCode !== undefined && { errorCode }),
        ...(errorDetails !== undefined && { errorDetails }),
        text: () => new TextDecoder().decode(bytes),
        json: (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
      });
    },
  };
}
