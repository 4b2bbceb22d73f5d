import type { StandardSchemaV1 } from '@standard-schema/spec';
import { createParser } from 'eventsource-parser';
import { Observable, type OperatorFunction } from 'rxjs';
import { checkLimits } from '../shared/check-options.js';
import { decodePayload } from './decode-payload.js';
import { createEventScanner } from './event-scanner.js';
import type { PayloadSource } from '../shared/payload.js';
import { createRecordParser, type RecordOptions } from './record-parser.js';

/** A server-sent event, as {@link parseSse} emits it. Fields that the event does not state are absent. */
export interface ServerSentEvent<T = string> {
  /** The event's own `id`. It is not carried over to events without one; `''` where the server clears it. */
  readonly id?: string;
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
   * @defaultValue `1_048_576` (1 MiB)
   */
  readonly maxEventBytes?: number;
}

/** Options of {@link parseSse} with a schema: `data` is JSON. */
export interface ParseSseJsonOptions<T> extends ParseSseOptions, RecordOptions<T> {
  readonly schema: StandardSchemaV1<unknown, T>;
}

/**
 * Parses payload chunks as server-sent events, each as soon as its blank line is there.
 *
 *     source  --a----b--c--|      a: 'id: 1\nda', b: 'ta: one\n\n: ping\n\nda', c: 'ta: two\r\n\r\ndata: cut'
 *     result  -------1--2--|      1: { id: '1', data: 'one' }, 2: { data: 'two' }
 *
 * - **Emits** events with at least one `data` line. Comments and unknown fields are ignored; a `retry` is told as
 *   `retryMs` of the next event. Ends such as `[DONE]` are data like any other: the caller's to know. Events without
 *   payload are not passed on.
 * - **Completes** with the source; an event without its blank line is dropped, as the standard has it.
 * - **Errors** with the source's error, unchanged; `ResponseTooLargeError` past `maxEventBytes`; with a schema
 *   `InvalidRecordError`, line and byte offset those of the event's first line (see `onInvalid`).
 * - **Unsubscribing** unsubscribes from the source; nothing more is parsed, not even of the same chunk.
 * - **Memory** at most `maxEventBytes` of an unfinished event, and `maxPendingBytes` with an asynchronous schema.
 * - **Retries**: after `restart` all starts over; after `continue` what was not emitted yet is dropped and counting
 *   goes
 *   on from there.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat' })
 *   .pipe(parseSse(), takeWhile(({ data }) => data !== '[DONE]'))
 *   .subscribe({ next: ({ data }) => console.log(JSON.parse(data)), error: console.error });
 *
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `1_048_576`
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
 * @param options.maxEventBytes - The longest event accepted, in bytes. @defaultValue `1_048_576`
 * @param options.maxPendingBytes - How much may wait for an asynchronous schema. @defaultValue `16_777_216`
 */
export function parseSse<T>(options: ParseSseJsonOptions<T>): OperatorFunction<PayloadSource, ServerSentEvent<T>>;
export function parseSse<T>(
  options: ParseSseOptions | ParseSseJsonOptions<T> = {},
): OperatorFunction<PayloadSource, ServerSentEvent<T> | ServerSentEvent> {
  const { maxEventBytes = 1_048_576 } = options;
  const recordOptions: RecordOptions<T> = 'schema' in options ? options : {};
  checkLimits({ maxEventBytes, maxPendingBytes: recordOptions.maxPendingBytes });
  return (source) =>
    new Observable((subscriber) => {
      let retryMs: number | undefined;
      const parser = createParser({
        onRetry: (ms) => (retryMs = ms),
        onEvent({ id, event, data }) {
          const head = {
            ...(id !== undefined && { id }),
            ...(event !== undefined && { event }),
            ...(retryMs !== undefined && { retryMs }),
          };
          retryMs = undefined;
          if (recordOptions.schema) records.parse(data, (value) => subscriber.next({ ...head, data: value }));
          else subscriber.next({ ...head, data });
        },
      });
      const restartParser = (): void => {
        parser.reset();
        // In what it is fed first, the parser takes the characters ï»¿ for a mark; the real one is gone by then.
        parser.feed('');
        retryMs = undefined;
      };
      restartParser();
      const scanner = createEventScanner(subscriber, (text) => parser.feed(text), maxEventBytes);
      const records = createRecordParser(recordOptions, subscriber, scanner.position);
      decodePayload(source, {
        ...scanner,
        reset(mode) {
          restartParser();
          scanner.reset(mode, records.clear());
        },
        // The standard drops an event without its blank line.
        flush: () => undefined,
      })
        .pipe(records.holdEnd)
        .subscribe(subscriber);
    });
}
