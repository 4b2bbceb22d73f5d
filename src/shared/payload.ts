import type { LambdaStreamEvent } from '../events.js';

/** What every decoding operator reads: this package's events, or plain bytes from anywhere. */
export type PayloadSource = LambdaStreamEvent | Uint8Array;

/** A decoder's state for one subscription. */
export interface PayloadDecoder {
  /** Takes the next payload bytes, in order. Errors are thrown. */
  decode(bytes: Uint8Array): void;
  /**
   * A retry voids what is unfinished: `restart` starts the payload over from its first byte, `continue` goes on
   * with a new invocation's payload after what was finished.
   */
  reset(mode: 'restart' | 'continue'): void;
}

/**
 * Tells bytes from events by what they are: another realm, as a test's jsdom, has a `Uint8Array` of its own.
 *
 * @throws TypeError for what is neither, which would be lost without a word.
 */
export function isBytes(item: PayloadSource): item is Uint8Array {
  const isView = ArrayBuffer.isView(item);
  if (!isView && !(item.type as unknown)) throw new TypeError('Neither bytes nor an event');
  return isView;
}

/** Gives an item's payload, or the retry that voids the unfinished, to the decoder; all other events pass unread. */
export function readPayload(item: PayloadSource, decoder: PayloadDecoder): void {
  if (isBytes(item)) decoder.decode(item);
  else if (item.type === 'chunk') decoder.decode(item.payload);
  else if (item.type === 'retry' && (item.mode === 'restart' || item.mode === 'continue')) decoder.reset(item.mode);
}
