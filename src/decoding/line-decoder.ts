import { LineTooLongError } from '../errors.js';
import type { PayloadReader } from './decode-payload.js';

/** Where a line begins. */
export interface LinePosition {
  /** 1-based. */
  readonly line: number;
  /** Of the line's first byte in the payload, 0-based. */
  readonly offset: number;
}

/** Cuts payload bytes into lines of text. */
export interface LineDecoder extends PayloadReader {
  /** @param resumeAt - Where a `continue` goes on counting; unless given, after the last line that was handed out. */
  reset(mode: 'restart' | 'continue', resumeAt?: LinePosition): void;
  /** The place of the line that is being handed out; only while it is. */
  readonly position: () => LinePosition;
}

/** Options of the operators that read lines. */
export interface LineOptions {
  /**
   * The longest line that is accepted, in bytes without its terminator; a longer one is a `LineTooLongError`, as soon
   * as
   * the limit is passed and not only at the line's end. `Infinity` sets no limit.
   *
   * @defaultValue `1_048_576` (1 MiB)
   */
  readonly maxLineBytes?: number;
}

const lineFeed = 10;
const carriageReturn = 13;
/** In chunks of so few bytes a loop finds line feeds faster than the calls that are made for long ones. */
const shortChunkBytes = 64;

/**
 * Hands out each line without its terminator, `\n` or `\r\n`, synchronously, until the subscriber is closed.
 *
 * All complete lines of a chunk are decoded in one go: one call of TextDecoder a line costs more than the line
 * (bench/ndjson). That is sound because a line feed ends every UTF-8 sequence, valid or not. Where the lines
 * begin in the payload is found out only when asked, by looking for the line feeds again.
 */
export function createLineDecoder(
  { maxLineBytes = 1_048_576 }: LineOptions,
  subscriber: { readonly closed: boolean },
  onLine: (text: string) => void,
): LineDecoder {
  // Only the mark at the payload's very start is one; the decoder would drop one at the start of each call.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let atStart = true;
  // The unfinished line. The buffer doubles, so that a long line in many chunks costs linear time.
  let held = new Uint8Array(256);
  let heldBytes = 0;
  // Line and offset are those of the line that begins at `located` in `burst`; `passed` lines were handed out from
  // there.
  let line = 1;
  let offset = 0;
  let burst: Uint8Array | undefined;
  let located = 0;
  let passed = 0;

  const tooLong = (): LineTooLongError => new LineTooLongError({ line, offset, maxLineBytes });

  const decode = (bytes: Uint8Array): string => {
    const text = decoder.decode(bytes);
    const marked = atStart && text.charCodeAt(0) === 0xfeff;
    atStart = false;
    return marked ? text.slice(1) : text;
  };

  /** Hands out the lines of bytes that end in a line feed. */
  const handOut = (bytes: Uint8Array): void => {
    const end = offset + bytes.length;
    burst = bytes;
    located = 0;
    const text = decode(bytes);
    for (let from = 0, to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) {
      onLine(text.slice(from, text.charCodeAt(to - 1) === carriageReturn ? to - 1 : to));
      if (subscriber.closed) return;
      passed++;
    }
    burst = undefined;
    offset = end;
    line += passed;
    passed = 0;
  };

  const reserve = (length: number): void => {
    if (length <= held.length) return;
    const larger = new Uint8Array(Math.max(length, Math.min(2 * held.length, maxLineBytes + 2)));
    larger.set(held.subarray(0, heldBytes));
    held = larger;
  };

  /** Appends to the unfinished line, its terminator at most included. */
  const hold = (bytes: Uint8Array): void => {
    const length = heldBytes + bytes.length;
    if (length > maxLineBytes) {
      const byteAt = (index: number) => (index < heldBytes ? held[index] : bytes[index - heldBytes]);
      let content = length;
      if (byteAt(content - 1) === lineFeed) content--;
      // At the end of a chunk it may be the first half of a terminator.
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
    onLine(decode(held.subarray(0, content)));
    if (subscriber.closed) return;
    offset += length;
    line++;
  };

  return {
    decode(bytes) {
      if (bytes.length > maxLineBytes) {
        // In parts that can hold no line beyond the limit, save the one that is held already.
        for (let from = 0; from < bytes.length && !subscriber.closed; from += maxLineBytes) {
          this.decode(bytes.subarray(from, from + maxLineBytes));
        }
        return;
      }
      if (bytes.length <= shortChunkBytes && heldBytes + bytes.length <= maxLineBytes) {
        reserve(heldBytes + bytes.length);
        const buffer = held;
        let length = heldBytes;
        for (let index = 0; index < bytes.length; index++) {
          const byte = bytes[index] as number;
          buffer[length++] = byte;
          if (byte !== lineFeed) continue;
          heldBytes = length;
          handOutHeld();
          if (subscriber.closed) return;
          length = 0;
        }
        heldBytes = length;
        return;
      }
      const end = bytes.lastIndexOf(lineFeed) + 1;
      let from = 0;
      if (end > 0 && heldBytes > 0) {
        from = bytes.indexOf(lineFeed) + 1;
        hold(bytes.subarray(0, from));
        handOutHeld();
      }
      if (end > from && !subscriber.closed) handOut(bytes.subarray(from, end));
      if (end < bytes.length && !subscriber.closed) hold(bytes.subarray(end));
    },

    reset(mode, resumeAt) {
      heldBytes = 0;
      atStart = true;
      if (mode === 'restart') resumeAt = { line: 1, offset: 0 };
      if (resumeAt) ({ line, offset } = resumeAt);
    },

    flush() {
      if (heldBytes > maxLineBytes) throw tooLong();
      const text = decode(held.subarray(0, heldBytes));
      if (text !== '') onLine(text);
    },

    position() {
      for (; burst && passed > 0; passed--) {
        const next = burst.indexOf(lineFeed, located) + 1;
        offset += next - located;
        located = next;
        line++;
      }
      return { line, offset };
    },
  };
}
