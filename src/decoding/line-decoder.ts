import { LineTooLongError } from '../errors.js';
import { assertAttached } from '../shared/bytes.js';
import { limitFrom } from '../shared/check-options.js';
import type { PayloadDecoder } from '../shared/payload.js';

/** Where a line begins. */
export interface LinePosition {
  /** 1-based. */
  readonly line: number;
  /** Of the line's first byte in the payload, 0-based. */
  readonly offset: number;
}

/** Cuts payload bytes into lines of text. */
export interface LineDecoder extends PayloadDecoder {
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

/** The rules of {@link LineOptions}. */
export const lineRules = { maxLineBytes: limitFrom(1) };

const lineFeed = 10;
const carriageReturn = 13;
/** In chunks of so few bytes a loop finds line feeds faster than the calls that are made for long ones. */
const shortChunkBytes = 64;

/** Tells where lines begin in the payload. */
interface LinePositions {
  /** The line that is being handed out, or is not finished. */
  readonly current: () => LinePosition;
  readonly moveTo: (position: LinePosition) => void;
  /** One line was handed out, of so many bytes. */
  readonly pass: (bytes: number) => void;
  /** These bytes are handed out now, line by line. */
  readonly beginBurst: (bytes: Uint8Array) => void;
  readonly passInBurst: () => void;
  readonly endBurst: () => void;
}

/**
 * Counts lines and bytes. Within a burst only the lines are counted: where one begins is found out when somebody asks,
 * by looking for the line feeds again.
 */
function createLinePositions(): LinePositions {
  // Line and offset are those of the line that begins at `located` in `burst`. `passed` lines were handed out since.
  let line = 1;
  let offset = 0;
  let burst: Uint8Array | undefined;
  let burstEnd = 0;
  let located = 0;
  let passed = 0;

  return {
    current() {
      // Empty once a consumer has transferred the buffer: then the place of an earlier line is the best that is known.
      for (; burst?.length && passed > 0; passed--) {
        const next = burst.indexOf(lineFeed, located) + 1;
        offset += next - located;
        located = next;
        line++;
      }
      return { line, offset };
    },
    moveTo: (position) => ({ line, offset } = position),
    pass(bytes) {
      offset += bytes;
      line++;
    },
    beginBurst(bytes) {
      burst = bytes;
      burstEnd = offset + bytes.length;
      located = 0;
    },
    passInBurst: () => passed++,
    endBurst() {
      burst = undefined;
      offset = burstEnd;
      line += passed;
      passed = 0;
    },
  };
}

/**
 * Hands out each line without its terminator, `\n` or `\r\n`, synchronously, until the subscriber is closed.
 *
 * All complete lines of a long chunk are decoded in one go: one call of TextDecoder a line costs more than the line
 * (bench/ndjson). That is sound because a line feed ends every UTF-8 sequence, valid or not.
 */
export function createLineDecoder(
  { maxLineBytes = 1_048_576 }: LineOptions,
  subscriber: { readonly closed: boolean },
  onLine: (text: string) => void,
): LineDecoder {
  // Only the mark at the payload's very start is one; the decoder would drop one at the start of each call.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const positions = createLinePositions();
  let atStart = true;
  // The unfinished line. The buffer doubles, so that a long line in many chunks costs linear time.
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

  /** A chunk of a few bytes, in a loop without calls. */
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

  /** A chunk of any length: the held line's rest, the burst of complete lines, and the next line's beginning. */
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

  /** A chunk longer than the limit, in parts that can hold no line beyond it, save the one that is held already. */
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
