import { filter, tap, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { assertAttached } from './bytes.js';
import { show } from './check-options.js';

/** The items that every operator for payloads reads: this package's events, or plain bytes of any origin. */
export type PayloadSource = LambdaStreamEvent | Uint8Array;

/** Reads the source's items for one subscription of an operator. What it throws becomes the stream's error. */
export interface ItemReader {
  /** Takes the next item. */
  next(item: PayloadSource): void;
  /** Called when the source is complete. Emits what is left. The stream completes right after. */
  complete(): void;
}

/** A decoder's state for one subscription. What it throws becomes the stream's error. */
export interface PayloadDecoder {
  /** Takes the next payload bytes, in order. */
  decode(bytes: Uint8Array): void;
  /**
   * Called at a retry. Drops what is unfinished. After `restart` the payload comes again from its first byte. After
   * `continue` the payload of a new invocation comes.
   */
  reset(mode: 'restart' | 'continue'): void;
  /** Called when the payload is complete. Emits what its end makes final. */
  flush(): void;
}

const noEvent = {};
const typesWithoutPayload = new Set(['head', 'complete', 'unknown', 'retry', 'http-head']);

/**
 * Returns an item's payload, or undefined for an event without one.
 *
 * Bytes are recognised without `instanceof`, because another realm, such as a test's jsdom, has a `Uint8Array` of its
 * own.
 *
 * @param caller - The operator's name, for the message.
 * @throws TypeError for an item that is neither bytes nor an event of this package, because it would be lost silently.
 * {@link DetachedPayloadError} for bytes whose buffer was transferred.
 */
export function payloadOf(item: PayloadSource, caller: string): Uint8Array | undefined {
  // The types do not guarantee what arrives.
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
 * Gives all items to the reader. Passes on only the end: the source's end, or an error that the reader throws.
 *
 * Subscribe it with the same subscriber to which the reader emits. A synchronous source then stops within its burst
 * when the consumer leaves, before `subscribe` has returned a subscription.
 */
export function readItems(source: Observable<PayloadSource>, reader: ItemReader): Observable<never> {
  return source.pipe(
    // This one operator takes each item, passes none on, and turns what the reader throws into an error notification.
    // Chunks may be tiny, and then each further operator costs time (bench/ndjson).
    filter((item): item is never => {
      reader.next(item);
      return false;
    }),
    tap({ complete: () => reader.complete() }),
  );
}

/** Gives payload and retries to a decoder, as {@link readItems} does with all items. */
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
