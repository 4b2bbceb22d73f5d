import type { StandardSchemaV1 } from '@standard-schema/spec';
import { createParser } from 'eventsource-parser';
import { Observable, type OperatorFunction } from 'rxjs';
import { InvalidRecordError } from '../errors.js';
import { limitFrom, text } from '../shared/check-options.js';
import { decodePayload, type PayloadSource } from '../shared/payload.js';
import { createEventScanner } from './event-scanner.js';
import type { LinePosition } from './line-positions.js';
import { checkRecordOptions, type RecordOptions } from './record-options.js';
import { createRecordParser } from './record-parser.js';

/** A server-sent event, as {@link parseSse} emits it. Fields that the event does not state are absent. */
export interface ServerSentEvent<T = string> {
  /** The event's own `id`. It is not carried over to events without one; `''` where the server clears it. */
  readonly id?: string;
  /**
   * The id to go on from: the last one that the stream has stated so far, by this event, by one before it, or by a
   * block without data. Absent where there was no id yet.
   */
  readonly lastEventId?: string;
  /** The event's type; absent where the standard's default, `message`, holds. */
  readonly event?: string;
  /** The `data` lines, joined with `\n`; with a schema, what the schema made of them. */
  readonly data: T;
  /** A reconnection time in milliseconds that the server stated with this event or since the one before. */
  readonly retryMs?: number;
}

/** Options of {@link parseSse}. */
export interface ParseSseOptions {
  /**
   * The longest event that is accepted, in bytes: all its lines, a line's end counted as one byte, comments that have
   * ended not counted. A longer one is a `ResponseTooLargeError`, as soon as the limit is passed. `Infinity` sets no
   * limit.
   *
   * @defaultValue `8_388_608` (8 MiB), which holds an image in base64
   */
  readonly maxEventBytes?: number;
  /**
   * The data that marks the end for the consumer, such as `[DONE]`. An event with exactly this data is left out, and is
   * not given to the schema. The stream completes with its source, so that a failure after the mark is told.
   *
   * @defaultValue none: every event is emitted
   */
  readonly endMarker?: string;
}

/** Options of {@link parseSse} with a schema: `data` is JSON. */
export interface ParseSseJsonOptions<T> extends ParseSseOptions, RecordOptions<T> {
  readonly schema: StandardSchemaV1<unknown, T>;
}

/** How much of a payload that is no event stream is kept for the error, in characters. */
const excerptLength = 250;

/**
 * Parses payload chunks as server-sent events, each as soon as its blank line is there.
 *
 *     source  --a----b--c--|      a: 'id: 1\nda', b: 'ta: one\n\n: ping\n\nda', c: 'ta: two\r\n\r\ndata: end'
 *     result  -------1--2--(3|)   1: { id: '1', lastEventId: '1', data: 'one' }, 2, 3: 'two' and 'end'
 *
 * - **Emits** events with at least one `data` line. Comments and unknown fields are ignored; a `retry` is told as
 *   `retryMs` of the next event, the last `id` as `lastEventId` of all that follow. Events without payload are not
 *   passed on.
 * - **Completes** with the source, after a last event without its blank line. Comments alone are a success.
 * - **Errors** with the source's error, unchanged, and without the unfinished event; `ResponseTooLargeError` past
 *   `maxEventBytes`; `InvalidRecordError` at the end of a payload that is no event stream at all, such as JSON or HTML;
 *   with a schema `InvalidRecordError`, line and byte offset those of the event's first line (see `onInvalid`);
 *   `DetachedPayloadError` for a chunk whose buffer was transferred.
 * - **Unsubscribing** unsubscribes from the source; nothing more is parsed, not even of the same chunk.
 * - **Memory** at most `maxEventBytes` of an unfinished event, and `maxPendingBytes` with an asynchronous schema.
 * - **Retries**: after `restart` all starts over; after `continue` what was not emitted yet is dropped and counting
 *   goes on from there.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat' })
 *   .pipe(parseSse({ endMarker: '[DONE]' }))
 *   .subscribe({ next: ({ data }) => console.log(JSON.parse(data)), error: console.error });
 *
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `8_388_608`
 * @param options.endMarker - Data that marks the end and is left out, such as `[DONE]`.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream the format
 */
export function parseSse(options?: ParseSseOptions): OperatorFunction<PayloadSource, ServerSentEvent>;
/**
 * Parses payload chunks as server-sent events whose `data` is JSON, checked and transformed by a schema. All else is as
 * without one.
 *
 * @typeParam T - The type of `data`: the schema's output.
 * @param options.schema - Any Standard Schema: `data` is parsed as JSON and validated.
 * @param options.onInvalid - What data that is no JSON, or refused, does. @defaultValue `'error'`
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `8_388_608`
 * @param options.endMarker - Data that marks the end and is left out, such as `[DONE]`.
 * @param options.maxPendingBytes - How much may wait for an asynchronous schema. @defaultValue `16_777_216`
 */
export function parseSse<T>(options: ParseSseJsonOptions<T>): OperatorFunction<PayloadSource, ServerSentEvent<T>>;
export function parseSse<T>(
  options: ParseSseOptions | ParseSseJsonOptions<T> = {},
): OperatorFunction<PayloadSource, ServerSentEvent<T> | ServerSentEvent> {
  checkRecordOptions('parseSse', options, { maxEventBytes: limitFrom(1), endMarker: text });
  const { maxEventBytes = 8 * 1024 * 1024, endMarker } = options;
  const recordOptions: RecordOptions<T> = 'schema' in options ? options : {};
  return (source) =>
    new Observable((subscriber) => {
      let retryMs: number | undefined;
      let lastEventId: string | undefined;
      /** That of the last event that was emitted. */
      let emittedId: string | undefined;
      /** Whether the payload has stated anything that belongs to server-sent events, apart from comments. */
      let isEventStream = false;
      /** The payload's beginning from its first line that is neither blank nor a comment, and that line's place. */
      let beginning = '';
      let place: LinePosition | undefined;

      const parser = createParser({
        onRetry(ms) {
          retryMs = ms;
          isEventStream = true;
        },
        onError({ type }) {
          isEventStream ||= type === 'invalid-retry';
        },
        onEvent({ id, event, data }) {
          // The line that `feed` has added.
          const hasData = data !== '';
          isEventStream ||= hasData || id !== undefined || event !== undefined;
          lastEventId = id ?? lastEventId;
          if (hasData) take(id, event, data.slice(0, -1));
        },
      });

      const take = (id: string | undefined, event: string | undefined, data: string): void => {
        if (data === endMarker) return;
        const eventId = lastEventId;
        const head = {
          ...(id !== undefined && { id }),
          ...(eventId !== undefined && { lastEventId: eventId }),
          ...(event !== undefined && { event }),
          ...(retryMs !== undefined && { retryMs }),
        };
        retryMs = undefined;
        const emit = (value: T | string): void => {
          emittedId = eventId;
          subscriber.next({ ...head, data: value } as ServerSentEvent<T> | ServerSentEvent);
        };
        if (recordOptions.schema) records.parse(data, emit);
        else emit(data);
      };

      /**
       * Feeds text to the parser. It tells of no event without data, and so of no `id` in one. With one more data line
       * before the blank line it tells of all.
       */
      const feed = (piece: string, endsEvent: boolean): void => {
        if (!isEventStream && beginning.length < excerptLength) {
          beginning = (beginning + piece).replace(/^(?:(?::[^\n]*)?\n)+/, '').slice(0, excerptLength);
          if (beginning !== '' && !beginning.startsWith(':')) place ??= scanner.position();
        }
        parser.feed(endsEvent ? `${piece.slice(0, -1)}data:\n\n` : piece);
      };

      const restartParser = (): void => {
        parser.reset();
        // In what it is fed first, the parser takes the characters ï»¿ for a byte order mark. The real mark is gone
        // by then. So a blank line is fed first, which means nothing; eventsource-parser 4 would ignore empty text.
        parser.feed('\n');
        retryMs = undefined;
      };
      restartParser();
      const scanner = createEventScanner(subscriber, feed, maxEventBytes);
      const records = createRecordParser(recordOptions, subscriber, scanner.position);
      decodePayload(source, 'parseSse', {
        ...scanner,
        reset(mode) {
          restartParser();
          scanner.reset(mode, records.clear());
          lastEventId = mode === 'restart' ? undefined : emittedId;
          if (mode === 'restart') isEventStream = false;
          beginning = '';
          place = undefined;
        },
        flush() {
          scanner.flush();
          if (isEventStream || !place) return;
          const [text = ''] = beginning.split('\n');
          throw new InvalidRecordError('not a stream of server-sent events', { ...place, text });
        },
      })
        .pipe(records.holdEnd)
        .subscribe(subscriber);
    });
}
