import { ResponseTooLargeError } from '../errors.js';
import { assertAttached } from '../shared/bytes.js';
import type { PayloadDecoder } from '../shared/payload.js';
import type { LinePosition } from './line-positions.js';
import { createPieceDecoder } from '../shared/text-decoder.js';

/** Cuts payload bytes into text that ends where a server-sent event ends, or where a chunk does. */
export interface EventScanner extends PayloadDecoder {
  /** @param resumeAt - Where a `continue` goes on counting; unless given, at the unfinished event. */
  reset(mode: 'restart' | 'continue', resumeAt?: LinePosition): void;
  /** Where the event that is being handed out begins. */
  readonly position: () => LinePosition;
}

const lineFeed = 10;
const carriageReturn = 13;
const colon = 58;

/**
 * Hands out text with `\n` as its only line end, at most one event's end in each piece, until the subscriber is closed.
 *
 * The parser behind it could read the chunks as they are. But it counts its limit in characters and only where a chunk
 * ends, it waits for another line where a chunk ends in `\r`, and it tells no place. So what is emitted, and when,
 * would depend on how the bytes were cut.
 *
 * @param onText - Takes each piece, and whether it ends with an event's blank line.
 */
export function createEventScanner(
  subscriber: { readonly closed: boolean },
  onText: (text: string, endsEvent: boolean) => void,
  maxEventBytes: number,
): EventScanner {
  let decodePiece = createPieceDecoder();
  // Where the event begins, its lines and bytes so far.
  let start: LinePosition = { line: 1, offset: 0 };
  let line = 1;
  let offset = 0;
  let eventBytes = 0;
  let lineBytes = 0;
  let isComment = false;
  let afterReturn = false;

  const handOut = (bytes: Uint8Array, endsEvent: boolean): void =>
    onText(decodePiece(bytes).replaceAll(/\r\n?/g, '\n'), endsEvent);

  /** Ends a line, and tells whether it ended an event. */
  const endLine = (): boolean => {
    const isBlank = lineBytes === 0;
    if (isBlank) eventBytes = 0;
    // Comments are not held, and may come for hours without a blank line.
    else if (isComment) eventBytes -= lineBytes;
    else eventBytes++;
    line++;
    lineBytes = 0;
    return isBlank;
  };

  /** The event begins at its first line that is neither blank nor a comment. */
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
          // The second half of a terminator, whose first half has done its work.
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

    // The end of the payload stands for the line's end and the blank line that are missing.
    flush: () => onText(`${decodePiece()}${lineBytes > 0 ? '\n' : ''}\n`, true),

    position: () => start,
  };
}
