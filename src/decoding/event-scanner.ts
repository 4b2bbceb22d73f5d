import { ResponseTooLargeError } from '../errors.js';
import { assertAttached } from '../shared/bytes.js';
import type { PayloadDecoder } from '../shared/payload.js';
import type { LinePosition } from './line-positions.js';
import { createPieceDecoder } from '../shared/text-decoder.js';

/** Cuts payload bytes into pieces of text. A piece ends at the end of a server-sent event or of a chunk. */
export interface EventScanner extends PayloadDecoder {
  /** @param resumeAt - Where counting goes on after a `continue`: by default at the unfinished event. */
  reset(mode: 'restart' | 'continue', resumeAt?: LinePosition): void;
  /** Returns the place where the event begins that is being handed out. */
  readonly position: () => LinePosition;
}

const lineFeed = 10;
const carriageReturn = 13;
const colon = 58;

/**
 * Hands out pieces of text until the subscriber is closed. In a piece every line ends in `\n`, and at most one event
 * ends.
 *
 * The parser that reads the pieces could read the chunks as they are. But it counts its limit in characters and only at
 * the end of a chunk, waits for another line after a chunk that ends in `\r`, and reports no place. So the events, and
 * their time, would depend on where the bytes are cut.
 *
 * @param onText - Takes each piece, and whether it ends with the blank line of an event.
 */
export function createEventScanner(
  subscriber: { readonly closed: boolean },
  onText: (text: string, endsEvent: boolean) => void,
  maxEventBytes: number,
): EventScanner {
  let decodePiece = createPieceDecoder();
  /** Where the event begins. */
  let start: LinePosition = { line: 1, offset: 0 };
  let line = 1;
  let offset = 0;
  let eventBytes = 0;
  let lineBytes = 0;
  let isComment = false;
  let afterReturn = false;

  const handOut = (bytes: Uint8Array, endsEvent: boolean): void =>
    onText(decodePiece(bytes).replaceAll(/\r\n?/g, '\n'), endsEvent);

  /** Ends a line. Returns whether it ended an event. */
  const endLine = (): boolean => {
    const isBlank = lineBytes === 0;
    if (isBlank) eventBytes = 0;
    // Comments do not count, because they are not held, and may come for hours without a blank line.
    else if (isComment) eventBytes -= lineBytes;
    else eventBytes++;
    line++;
    lineBytes = 0;
    return isBlank;
  };

  /** Notes where the next line begins. An event begins at its first line that is neither blank nor a comment. */
  const beginAt = (nextByte: number): void => {
    if (eventBytes === 0) start = { line, offset: nextByte };
  };

  return {
    decode(bytes) {
      const { length } = bytes;
      let from = 0;
      for (let index = 0; index < length; index++) {
        const byte = bytes[index];
        if (byte === lineFeed && afterReturn) {
          // The second half of `\r\n`. The line has ended at the first half.
          afterReturn = false;
          if (from === index) from++;
          beginAt(offset + index + 1);
          continue;
        }
        afterReturn = byte === carriageReturn;
        if (byte === lineFeed || afterReturn) {
          if (endLine()) {
            handOut(bytes.subarray(from, index + 1), true);
            if (subscriber.closed) return;
            from = index + 1;
            // The event's consumer may have transferred the chunk's buffer.
            if (from < length) assertAttached(bytes);
          }
          beginAt(offset + index + 1);
          continue;
        }
        if (lineBytes === 0) isComment = byte === colon;
        lineBytes++;
        if (++eventBytes > maxEventBytes) {
          throw new ResponseTooLargeError(
            `The event at line ${start.line} (byte ${start.offset}) is longer than maxEventBytes`,
            { maxBytes: maxEventBytes },
          );
        }
      }
      offset += length;
      if (from < length) handOut(bytes.subarray(from), false);
    },

    reset(mode, resumeAt = start) {
      start = mode === 'restart' ? { line: 1, offset: 0 } : resumeAt;
      ({ line, offset } = start);
      decodePiece = createPieceDecoder();
      eventBytes = lineBytes = 0;
      afterReturn = false;
    },

    // The end of the payload replaces the missing line end and the missing blank line.
    flush: () => onText(`${decodePiece()}${lineBytes > 0 ? '\n' : ''}\n`, true),

    position: () => start,
  };
}
