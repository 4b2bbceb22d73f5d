import { Observable, type OperatorFunction } from 'rxjs';
import { checkOptions } from '../shared/check-options.js';
import { decodePayload, type PayloadSource } from '../shared/payload.js';
import { createLineDecoder, lineRules, type LineOptions } from './line-decoder.js';

/** Options of {@link splitLines}. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- not an alias: declarations would show that name
export interface SplitLinesOptions extends LineOptions {}

/**
 * Splits payload chunks into lines of UTF-8 text, each as soon as its end has come.
 *
 *     source  --a----b--c--|      a: 'one\ntw', b: 'o\r', c: '\nthree'
 *     result  --1-------2--(3|)   1: 'one', 2: 'two', 3: 'three'
 *
 * - **Emits** lines without their terminator, `\n` or `\r\n`. Empty lines are emitted too. A byte order mark at the
 *   start is dropped. Bytes that are not UTF-8 become U+FFFD. Events without payload are not passed on.
 * - **Completes** with the source, after a last line without terminator. After a terminator at the end there is no
 *   empty line.
 * - **Errors** with the source's error, unchanged; `LineTooLongError` past `maxLineBytes`, after the lines before it;
 *   `DetachedPayloadError` for a chunk whose buffer was transferred.
 * - **Unsubscribing** unsubscribes from the source. The other lines of the chunk are not emitted.
 * - **Memory** at most `maxLineBytes` of an unfinished line; lossless. A string may share memory with the other lines
 *   of its chunk, as JavaScript engines do with parts of strings.
 * - **Retries**: after `restart` everything starts over. After `continue` the unfinished line is dropped, and counting
 *   goes on.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'export-csv' })
 *   .pipe(splitLines())
 *   .subscribe({ next: (line) => console.log(line), error: console.error });
 *
 * @param options.maxLineBytes - The longest line accepted, in bytes without its terminator. @defaultValue `1_048_576`
 * @see https://encoding.spec.whatwg.org/#interface-textdecoder the rule followed for the text
 */
export function splitLines(options: SplitLinesOptions = {}): OperatorFunction<PayloadSource, string> {
  checkOptions('splitLines', options, lineRules);
  return (source) =>
    new Observable((subscriber) => {
      const lines = createLineDecoder(options, subscriber, (line) => subscriber.next(line));
      decodePayload(source, 'splitLines', lines).subscribe(subscriber);
    });
}
