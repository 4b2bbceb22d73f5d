import { Observable, type OperatorFunction } from 'rxjs';
import { decodePayload, type PayloadSource } from '../shared/payload.js';
import { createLineDecoder, lineRules, type LineOptions } from './line-decoder.js';
import { checkRecordOptions, type RecordOptions } from './record-options.js';
import { createRecordParser } from './record-parser.js';

/** Options of {@link parseNdjson}. */
export interface ParseNdjsonOptions<T> extends LineOptions, RecordOptions<T> {}

/**
 * Parses payload chunks as newline-delimited JSON, each record as soon as its line ends.
 *
 *     source  --a----b--c--|      a: '{"n":1}\n{"n', b: '":2}\r', c: '\n\n{"n":3}'
 *     result  --1-------2--(3|)   1: { n: 1 }, 2: { n: 2 }, 3: { n: 3 }
 *
 * - **Emits** one value for each line. Lines with white space only, and a byte order mark at the start, are skipped.
 *   Events without payload are not passed on.
 * - **Completes** with the source, after a last line without terminator.
 * - **Errors** with the source's error, unchanged; `InvalidRecordError` with line, byte offset and an excerpt (see
 *   `onInvalid`); `LineTooLongError` past `maxLineBytes`, whatever `onInvalid` is; `DetachedPayloadError` for a chunk
 *   whose buffer was transferred. All records before the fault are emitted first, also with an asynchronous schema.
 * - **Unsubscribing** unsubscribes from the source. The rest of the chunk is not parsed.
 * - **Memory** at most `maxLineBytes` of an unfinished line, and `maxPendingBytes` with an asynchronous schema;
 *   lossless.
 * - **Retries**: after `restart` everything starts over. After `continue` records that were not emitted yet are
 *   dropped, and counting goes on from there.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'report' })
 *   .pipe(parseNdjson({ schema: z.object({ id: z.number(), name: z.string() }) }))
 *   .subscribe({ next: ({ id, name }) => console.log(id, name), error: console.error });
 *
 * @typeParam T - The records' type: inferred from the schema's output; without a schema, what the caller says it is.
 * @param options.schema - Any Standard Schema, to check and transform each record.
 * @param options.onInvalid - What happens to an invalid record. @defaultValue `'error'`
 * @param options.maxLineBytes - The longest line accepted, in bytes without its terminator. @defaultValue `1_048_576`
 * @param options.maxPendingBytes - How much may wait for an asynchronous schema. @defaultValue `16_777_216`
 * @see https://github.com/ndjson/ndjson-spec the format
 * @see https://standardschema.dev the schemas
 */
export function parseNdjson<T = unknown>(
  options: ParseNdjsonOptions<T> = {},
  // NoInfer, so that the next operator does not decide the type of the records.
): OperatorFunction<PayloadSource, NoInfer<T>> {
  checkRecordOptions('parseNdjson', options, lineRules);
  return (source) =>
    new Observable<T>((subscriber) => {
      const emit = (value: T): void => subscriber.next(value);
      const lines = createLineDecoder(options, subscriber, (text) => {
        if (!isBlank(text)) records.parse(text, emit);
      });
      const records = createRecordParser(options, subscriber, lines.position);
      decodePayload(source, 'parseNdjson', { ...lines, reset: (mode) => lines.reset(mode, records.clear()) })
        .pipe(records.holdEnd)
        .subscribe(subscriber);
    });
}

/** Tells a line without a record, which holds only JSON's white space. */
export function isBlank(text: string): boolean {
  return !(text.charCodeAt(0) > 32) && /^[ \t\r]*$/.test(text);
}
