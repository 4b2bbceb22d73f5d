import { Observable, type OperatorFunction } from 'rxjs';
import { InvalidTextError } from '../errors.js';
import { checkOptions, flag } from '../shared/check-options.js';
import { decodePayload, type PayloadSource } from '../shared/payload.js';
import { createPieceDecoder, type DecodePiece } from '../shared/text-decoder.js';

/** Options of {@link decodeText}. */
export interface DecodeTextOptions {
  /**
   * Whether bytes that are not UTF-8 end the stream with an `InvalidTextError`, instead of becoming U+FFFD. The text
   * before the faulty chunk is emitted.
   *
   * @defaultValue `false`
   */
  readonly fatal?: boolean;
}

/**
 * Decodes payload chunks as UTF-8 text, holding split characters back.
 *
 *     source  --a--b--c--|      a, b, c: chunks, together the three bytes of '€'
 *     result  --------t--|      t: '€'
 *
 * - **Emits** non-empty strings. Where one ends and the next begins carries no meaning. A byte order mark at the start
 *   is dropped. Events without payload are not passed on.
 * - **Completes** with the source, after a flush. An unfinished character becomes U+FFFD.
 * - **Errors** with the source's error, unchanged; `InvalidTextError` under `fatal`; `DetachedPayloadError` for a chunk
 *   whose buffer was transferred.
 * - **Unsubscribing** unsubscribes from the source.
 * - **Memory** at most 3 bytes a subscription; lossless.
 * - **Retries**: after `restart` and `continue` the unfinished character is dropped and the text starts anew.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat' })
 *   .pipe(decodeText())
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @param options.fatal - Whether invalid bytes are an error instead of U+FFFD. @defaultValue `false`
 * @see https://encoding.spec.whatwg.org/#interface-textdecoder the rule followed
 */
export function decodeText(options: DecodeTextOptions = {}): OperatorFunction<PayloadSource, string> {
  checkOptions('decodeText', options, { fatal: flag });
  const { fatal = false } = options;
  return (source) =>
    new Observable((subscriber) => {
      let decodePiece: DecodePiece;
      let offset: number;

      const reset = (): void => {
        decodePiece = createPieceDecoder(fatal);
        offset = 0;
      };
      reset();

      /** Decodes bytes. Without bytes it ends the text. */
      const decode = (bytes?: Uint8Array): void => {
        let text: string;
        try {
          text = decodePiece(bytes);
        } catch (cause) {
          throw new InvalidTextError(`The payload is not valid UTF-8, found after ${offset} bytes`, { cause });
        }
        offset += bytes?.length ?? 0;
        if (text) subscriber.next(text);
      };

      decodePayload(source, 'decodeText', { decode, reset, flush: decode }).subscribe(subscriber);
    });
}
