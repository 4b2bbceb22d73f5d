import { filter, tap, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { assertAttached } from './bytes.js';
import { show } from './check-options.js';

/** What every operator for payloads reads: this package's events, or plain bytes from anywhere. */
export type PayloadSource = LambdaStreamEvent | Uint8Array;

/** What an operator does with its source's items, for one subscription. What it throws becomes the stream's error. */
export interface ItemReader {
  /** Takes the next item. */
  next(item: PayloadSource): void;
  /** The source is complete. Emits what is left; the stream completes right after. */
  complete(): void;
}

/** A decoder's state for one subscription. What it throws becomes the stream's error. */
export interface PayloadDecoder {
  /** Takes the next payload bytes, in order. */
  decode(bytes: Uint8Array): void;
  /**
   * A retry voids what is unfinished. `restart` starts the payload over from its first byte. `continue` goes on with a
   * new invocation's payload after what was finished.
   */
  reset(mode: 'restart' | 'continue'): void;
  /** The payload is complete. Emits what its end makes final. */
  flush(): void;
}

const noEvent = {};
const typesWithoutPayload = new Set(['head', 'complete', 'unknown', 'retry', 'http-head']);

/**
 * Returns an item's payload, or undefined for an event without one.
 *
 * Bytes are known by what they are and not by their class: another realm, as a test's jsdom, has a `Uint8Array` of its
 * own.
 *
 * @param caller - The operator's name, for the message.
 * @throws TypeError for an item that is neither bytes nor an event of this package: it would be lost without a word.
 * {@link DetachedPayloadError} for bytes whose buffer was transferred.
 */
export function payloadOf(item: PayloadSource, caller: string): Uint8Array | undefined {
  // What arrives is not always what the types say.
  const { type, payload } = (ArrayBuffer.isView(item) ? noEvent : Object(item)) as {
    type?: unknown;
    payload?: unknown;
  };
  const bytes = type === 'chunk' ? payload : item;
  if (isBytes(bytes)) {
    assertAttached(bytes);
    return bytes;
  }
  if (typesWithoutPayload.has(type as string)) return undefined;
  // A string or a number is payload itself, and stays out of the message.
  const what = typeof item === 'object' ? show(item) : `a ${typeof item}`;
  throw new TypeError(
    `${caller}: a value must be a Uint8Array or an event of this package, not ${what}. Place ${caller} directly ` +
      'behind the source, and wrap other bytes in a Uint8Array',
  );
}

function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array).BYTES_PER_ELEMENT === 1;
}

/**
 * Has all items read, and passes on nothing but the end: the source's, or an error that the reader throws.
 *
 * It must be subscribed with the very subscriber that the reader emits to. So a synchronous source stops in the middle
 * of its burst, when a subscription to unsubscribe is not even returned yet.
 */
export function readItems(source: Observable<PayloadSource>, reader: ItemReader): Observable<never> {
  return source.pipe(
    // This one operator takes each item, passes none on, and makes an error notification of what is thrown. Chunks may
    // be tiny, and then every further operator is felt (bench/ndjson).
    filter((item): item is never => {
      reader.next(item);
      return false;
    }),
    tap({ complete: () => reader.complete() }),
  );
}

/** As {@link readItems}, for operators that need only the payload and the retries that void the unfinished. */
export function decodePayload(
  source: Observable<PayloadSource>,
  caller: string,
  decoder: PayloadDecoder,
): Observable<never> {
  return readItems(source, {
    next(item) {
      const bytes = payloadOf(item, caller);
      if (bytes) decoder.decode(bytes);
      else if ('mode' in item && (item.mode === 'restart' || item.mode === 'continue')) decoder.reset(item.mode);
    },
    complete: () => decoder.flush(),
  });
}
