import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Observable, type OperatorFunction } from 'rxjs';
import { limitFrom, text } from '../shared/check-options.js';
import { decodePayload, type PayloadSource } from '../shared/payload.js';
import { checkRecordOptions, type RecordOptions } from './record-options.js';
import { createSseDecoder } from './sse-decoder.js';

/** A server-sent event, as {@link parseSse} emits it. Fields that the event does not state are absent. */
export interface ServerSentEvent<T = string> {
  /** The event's own `id`. Absent on an event without one, and `''` where the server clears it. */
  readonly id?: string;
  /**
   * The id to go on from: the last id in the stream so far, of this event, an event before it, or a block without data.
   * Absent before the first id.
   */
  readonly lastEventId?: string;
  /** The event's type. Absent for the standard's default, `message`. */
  readonly event?: string;
  /** The `data` lines, joined with `\n`. With a schema it is the schema's output. */
  readonly data: T;
  /** The reconnection time, in milliseconds, that the server stated with this event or since the event before. */
  readonly retryMs?: number;
}

/** Options of {@link parseSse}. */
export interface ParseSseOptions {
  /**
   * The longest event that is accepted, in bytes. All its lines count, and the end of a line counts as one byte.
   * Comments that have ended do not count. A longer event is a `ResponseTooLargeError` as soon as it passes the limit.
   * `Infinity` sets no limit.
   *
   * @defaultValue `8_388_608` (8 MiB), which holds an image in base64
   */
  readonly maxEventBytes?: number;
  /**
   * The data that marks the end for the consumer, such as `[DONE]`. An event with exactly this data is left out, and is
   * not given to the schema. The stream still completes with its source, so that a failure after the mark is an error.
   *
   * @defaultValue none: every event is emitted
   */
  readonly endMarker?: string;
}

/** Options of {@link parseSse} with a schema: `data` is JSON. */
export interface ParseSseJsonOptions<T> extends ParseSseOptions, RecordOptions<T> {
  readonly schema: StandardSchemaV1<unknown, T>;
}

/**
 * Parses payload chunks as server-sent events, each as soon as its blank line is there.
 *
 *     source  --a----b--c--|      a: 'id: 1\nda', b: 'ta: one\n\n: ping\n\nda', c: 'ta: two\r\n\r\ndata: end'
 *     result  -------1--2--(3|)   1: { id: '1', lastEventId: '1', data: 'one' }, 2, 3: 'two' and 'end'
 *
 * - **Emits** events with at least one `data` line. Comments and unknown fields are ignored. A `retry` field becomes
 *   `retryMs` of the next event, and the last `id` is `lastEventId` of all later events. Events without payload are not
 *   passed on.
 * - **Completes** with the source, after a last event without its blank line. A payload of comments alone is a success.
 * - **Errors** with the source's error, unchanged, without the unfinished event; `ResponseTooLargeError` past
 *   `maxEventBytes`; `InvalidRecordError` at the end of a payload that is not an event stream, such as JSON or HTML;
 *   with a schema `InvalidRecordError` at the line and byte of the event's first line (see `onInvalid`);
 *   `DetachedPayloadError` for a chunk whose buffer was transferred.
 * - **Unsubscribing** unsubscribes from the source. The rest of the chunk is not parsed.
 * - **Memory** at most `maxEventBytes` of an unfinished event, and `maxPendingBytes` with an asynchronous schema.
 * - **Retries**: after `restart` everything starts over. After `continue` the events that were not emitted yet are
 *   dropped, and counting goes on from there.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat' })
 *   .pipe(parseSse({ endMarker: '[DONE]' }))
 *   .subscribe({ next: ({ data }) => console.log(JSON.parse(data)), error: console.error });
 *
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `8_388_608`
 * @param options.endMarker - The data that marks the end and is left out, such as `[DONE]`.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream the format
 */
export function parseSse(options?: ParseSseOptions): OperatorFunction<PayloadSource, ServerSentEvent>;
/**
 * Parses payload chunks as server-sent events whose `data` is JSON, checked and transformed by a schema. Everything
 * else is as without a schema.
 *
 * @typeParam T - The type of `data`: the schema's output.
 * @param options.schema - Any Standard Schema: `data` is parsed as JSON and validated.
 * @param options.onInvalid - What happens to an event whose data is not JSON, or is refused. @defaultValue `'error'`
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `8_388_608`
 * @param options.endMarker - Data that marks the end and is left out, such as `[DONE]`.
 * @param options.maxPendingBytes - How much may wait for an asynchronous schema. @defaultValue `16_777_216`
 */
export function parseSse<T>(options: ParseSseJsonOptions<T>): OperatorFunction<PayloadSource, ServerSentEvent<T>>;
export function parseSse<T>(
  options: ParseSseOptions | ParseSseJsonOptions<T> = {},
): OperatorFunction<PayloadSource, ServerSentEvent<T> | ServerSentEvent> {
  checkRecordOptions('parseSse', options, { maxEventBytes: limitFrom(1), endMarker: text });
  return (source) =>
    new Observable((subscriber) => {
      const decoder = createSseDecoder(options, subscriber);
      decodePayload(source, 'parseSse', decoder).pipe(decoder.holdEnd).subscribe(subscriber);
    });
}
