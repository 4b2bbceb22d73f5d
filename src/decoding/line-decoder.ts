import { LineTooLongError } from '../errors.js';
import { assertAttached } from '../shared/bytes.js';
import { limitFrom } from '../shared/check-options.js';
import type { PayloadDecoder } from '../shared/payload.js';
import { createLinePositions, type LinePosition } from './line-positions.js';

/** Cuts payload bytes into lines of text. */
export interface LineDecoder extends PayloadDecoder {
  /** @param resumeAt - Where counting goes on after a `continue`: by default after the last line handed out. */
  reset(mode: 'restart' | 'continue', resumeAt?: LinePosition): void;
  /** Returns the place of the line that is being handed out. Valid only during the call that hands it out. */
  readonly position: () => LinePosition;
}

/** Options of the operators that read lines. */
export interface LineOptions {
  /**
   * The longest line that is accepted, in bytes without its terminator. A longer line is a `LineTooLongError` as soon
   * as it passes the limit. `Infinity` sets no limit.
   *
   * @defaultValue `1_048_576` (1 MiB)
   */
  readonly maxLineBytes?: number;
}

/** The rules of {@link LineOptions}. */
export const lineRules = { maxLineBytes: limitFrom(1) };

const lineFeed = 10;
const carriageReturn = 13;
/** Up to this length of a chunk a loop over its bytes is faster than the calls of the path for long chunks. */
const shortChunkBytes = 64;

/**
 * Hands out each line without its terminator, `\n` or `\r\n`, synchronously, until the subscriber is closed.
 *
 * A chunk takes one of three paths:
 *
 * - `decodeShort`: a chunk of a few bytes is read in a loop.
 * - `decodeLong`: the complete lines of a longer chunk are decoded in one call, because a call of TextDecoder costs
 *   more than a line (bench/ndjson). This is sound because a line feed ends every UTF-8 sequence, valid or not.
 * - `decodeInParts`: a chunk longer than the limit is cut, so that no part can hide a line beyond the limit.
 */
export function createLineDecoder(
  { maxLineBytes = 1_048_576 }: LineOptions,
  subscriber: { readonly closed: boolean },
  onLine: (text: string) => void,
): LineDecoder {
  // A byte order mark counts only at the payload's start. Without `ignoreBOM` each call would drop one.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const positions = createLinePositions();
  let atStart = true;
  // The unfinished line. Its buffer grows by doubling, so that a long line in many chunks costs linear time.
  let held = new Uint8Array(256);
  let heldBytes = 0;

  const tooLong = (): LineTooLongError => new LineTooLongError({ ...positions.current(), maxLineBytes });

  const toText = (bytes: Uint8Array): string => {
    const text = decoder.decode(bytes);
    const marked = atStart && text.charCodeAt(0) === 0xfeff;
    atStart = false;
    return marked ? text.slice(1) : text;
  };

  const reserve = (length: number): void => {
    if (length <= held.length) return;
    const larger = new Uint8Array(Math.max(length, Math.min(2 * held.length, maxLineBytes + 2)));
    larger.set(held.subarray(0, heldBytes));
    held = larger;
  };

  /** Appends to the unfinished line. The bytes may end with the line's terminator. */
  const hold = (bytes: Uint8Array): void => {
    const length = heldBytes + bytes.length;
    if (length > maxLineBytes) {
      const byteAt = (index: number) => (index < heldBytes ? held[index] : bytes[index - heldBytes]);
      let content = length;
      if (byteAt(content - 1) === lineFeed) content--;
      // A carriage return at the end of a chunk may be the first half of a terminator.
      if (byteAt(content - 1) === carriageReturn) content--;
      if (content > maxLineBytes) throw tooLong();
    }
    reserve(length);
    held.set(bytes, heldBytes);
    heldBytes = length;
  };

  /** Hands out the line that is held, which ends in a line feed. */
  const handOutHeld = (): void => {
    const length = heldBytes;
    heldBytes = 0;
    const content = length - (held[length - 2] === carriageReturn ? 2 : 1);
    onLine(toText(held.subarray(0, content)));
    if (!subscriber.closed) positions.pass(length);
  };

  /** Hands out the lines of bytes that end in a line feed. */
  const handOutBurst = (bytes: Uint8Array): void => {
    positions.beginBurst(bytes);
    const text = toText(bytes);
    for (let from = 0, to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) {
      onLine(text.slice(from, text.charCodeAt(to - 1) === carriageReturn ? to - 1 : to));
      if (subscriber.closed) return;
      positions.passInBurst();
    }
    positions.endBurst();
  };

  /** Decodes a chunk of a few bytes in a loop without calls. */
  const decodeShort = (bytes: Uint8Array): void => {
    const { length } = bytes;
    reserve(heldBytes + length);
    const buffer = held;
    let end = heldBytes;
    for (let index = 0; index < length; index++) {
      const byte = bytes[index] as number;
      buffer[end++] = byte;
      if (byte !== lineFeed) continue;
      heldBytes = end;
      handOutHeld();
      if (subscriber.closed) return;
      end = 0;
      // The line's consumer may have transferred the chunk's buffer.
      if (index + 1 < length) assertAttached(bytes);
    }
    heldBytes = end;
  };

  /** Decodes the rest of the held line, the burst of complete lines, and the beginning of the next line. */
  const decodeLong = (bytes: Uint8Array): void => {
    const { length } = bytes;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    let from = 0;
    if (end > 0 && heldBytes > 0) {
      from = bytes.indexOf(lineFeed) + 1;
      hold(bytes.subarray(0, from));
      handOutHeld();
    }
    if (end > from && !subscriber.closed) {
      assertAttached(bytes);
      handOutBurst(bytes.subarray(from, end));
    }
    if (end < length && !subscriber.closed) {
      assertAttached(bytes);
      hold(bytes.subarray(end));
    }
  };

  /** Decodes a chunk longer than the limit in parts that are no longer than the limit. */
  const decodeInParts = (bytes: Uint8Array): void => {
    const { length } = bytes;
    for (let from = 0; from < length && !subscriber.closed; from += maxLineBytes) {
      assertAttached(bytes);
      decode(bytes.subarray(from, from + maxLineBytes));
    }
  };

  const decode = (bytes: Uint8Array): void => {
    if (bytes.length > maxLineBytes) decodeInParts(bytes);
    else if (bytes.length <= shortChunkBytes && heldBytes + bytes.length <= maxLineBytes) decodeShort(bytes);
    else decodeLong(bytes);
  };

  return {
    decode,

    reset(mode, resumeAt) {
      heldBytes = 0;
      atStart = true;
      if (mode === 'restart') resumeAt = { line: 1, offset: 0 };
      if (resumeAt) positions.moveTo(resumeAt);
    },

    flush() {
      if (heldBytes > maxLineBytes) throw tooLong();
      const text = toText(held.subarray(0, heldBytes));
      if (text !== '') onLine(text);
    },

    position: positions.current,
  };
}
