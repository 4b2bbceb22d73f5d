import { DetachedPayloadError, ProtocolError } from '../errors.js';
import { crc32, crc32ByTables } from './crc32.js';
import type { MessageHeaders } from '../events.js';
import { parseMessageHeaders } from './message-headers.js';

/** `u32 total length | u32 headers length | u32 CRC-32 of those 8 bytes`. */
const preludeBytes = 12;

/** The length of a message without headers and payload: its prelude and its message CRC. */
const minMessageBytes = 16;

/** The largest frame that is accepted, in bytes. Lambda's own chunks are far smaller. */
export const defaultMaxMessageBytes = 24 * 1024 * 1024;

/** The longest header block that is accepted, in bytes: the limit of AWS's own C implementation. */
const maxHeadersBytes = 128 * 1024;

/**
 * Takes one message. `headers` is the same object for frames with equal header blocks. `payload` is a view of bytes
 * that nothing writes to again. Returning false ends the decoding, also of bytes that were already received.
 */
export type MessageListener = (headers: MessageHeaders, payload: Uint8Array) => boolean;

export interface MessageDecoder {
  /**
   * Takes the next bytes of the stream and reports the messages that they complete, synchronously. The bytes may be cut
   * anywhere.
   *
   * @throws {@link ProtocolError} for a wrong checksum or length, and {@link DetachedPayloadError} where the listener
   * transferred the payload's buffer. The decoder cannot be used afterwards.
   */
  decode(bytes: Uint8Array): void;
}

/**
 * Decodes the AWS event-stream encoding.
 *
 * A message within one read is a view into that read. A message that spans reads is copied once, into a buffer of its
 * own length. The decoder holds one unfinished message, which has at most `maxMessageBytes`.
 *
 * The code is written for speed, which bench/events measures. The frames of a stream differ mostly in their payload. So
 * the header block is compared with the last one before it is parsed, and the checksums of an equal head are computed
 * once.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html the encoding
 */
export function createMessageDecoder(
  onMessage: MessageListener,
  maxMessageBytes: number = defaultMaxMessageBytes,
): MessageDecoder {
  /** The frame that spans reads. It has the frame's length, or the prelude's while the frame's is not known. */
  let partial: Uint8Array | undefined;
  let filled = 0;

  // The last frame's header block, whose checksum was right, and the headers that it holds.
  let lastBlock = viewOf(new Uint8Array(0));
  let lastHeaders: MessageHeaders = {};
  // The last frame's length, the CRC of its prelude, and the CRC of prelude and headers, which the payload continues.
  let lastTotal = -1;
  let lastPreludeCrc = 0;
  let lastHeadCrc = 0;

  /** Checks the prelude at `start` and returns the length of its frame. */
  function readPrelude(bytes: Uint8Array, view: DataView, start: number): number {
    const total = view.getUint32(start);
    const headersLength = view.getUint32(start + 4);
    const preludeCrc = view.getUint32(start + 8);
    // All twelve bytes are equal to those of the last frame, whose checksum was right.
    if (total === lastTotal && headersLength === lastBlock.byteLength && preludeCrc === lastPreludeCrc) return total;
    // The checksum comes first, because a damaged length must be neither used nor reported.
    if (crc32ByTables(bytes, start, start + 8, 0) !== preludeCrc) {
      throw new ProtocolError('A frame has a wrong prelude checksum: the bytes are damaged or no AWS event stream');
    }
    if (total < minMessageBytes || headersLength > total - minMessageBytes) {
      throw new ProtocolError(`A frame has impossible lengths: ${total} bytes in all, ${headersLength} of headers`);
    }
    if (headersLength > maxHeadersBytes) {
      throw new ProtocolError(`A frame has ${headersLength} bytes of headers, over the limit of ${maxHeadersBytes}`);
    }
    if (total > maxMessageBytes) {
      throw new ProtocolError(`A frame of ${total} bytes is over the limit of ${maxMessageBytes} bytes`);
    }
    return total;
  }

  /** Checks and reports the whole frame at `start`, whose prelude was read before. */
  function readMessage(bytes: Uint8Array, view: DataView, start: number, total: number): boolean {
    const headersLength = view.getUint32(start + 4);
    const headersStart = start + preludeBytes;
    const payloadStart = headersStart + headersLength;
    const end = start + total - 4;
    const sameHeaders = headersLength === lastBlock.byteLength && startsWith(view, headersStart, lastBlock);

    const headCrc = sameHeaders && total === lastTotal ? lastHeadCrc : crc32ByTables(bytes, start, payloadStart, 0);
    // The constructor makes a plain Uint8Array. The `subarray` of a Buffer is a Buffer.
    const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, end - payloadStart);
    if (crc32(payload, headCrc) !== view.getUint32(end)) {
      throw new ProtocolError('A frame has a wrong message checksum: its bytes are damaged');
    }

    if (!sameHeaders) {
      // A copy, so that the block does not hold the whole read in memory. The `slice` of a Buffer copies nothing.
      const block = new Uint8Array(bytes.subarray(headersStart, payloadStart));
      lastHeaders = parseMessageHeaders(block);
      lastBlock = viewOf(block);
    }
    lastTotal = total;
    lastPreludeCrc = view.getUint32(start + 8);
    lastHeadCrc = headCrc;
    if (!onMessage(lastHeaders, payload)) return false;
    // A listener that transfers the payload's buffer takes all frames of the read with it. `bytes` is empty then.
    if (bytes.length === 0) throw new DetachedPayloadError();
    return true;
  }

  /** Begins a frame that spans reads. */
  function startPartial(length: number, beginning: Uint8Array): void {
    partial = new Uint8Array(length);
    partial.set(beginning);
    filled = beginning.length;
  }

  return {
    decode(bytes) {
      let at = 0;
      // One view serves the whole read: it reads and compares four bytes at once, at any alignment.
      const view = viewOf(bytes);
      while (partial !== undefined) {
        const frame = partial;
        const missing = bytes.subarray(at, at + frame.length - filled);
        frame.set(missing, filled);
        filled += missing.length;
        at += missing.length;
        if (filled < frame.length) return;
        if (filled === preludeBytes) {
          startPartial(readPrelude(frame, viewOf(frame), 0), frame);
        } else {
          partial = undefined;
          if (!readMessage(frame, viewOf(frame), 0, filled)) return;
        }
      }
      while (bytes.length - at >= preludeBytes) {
        const total = readPrelude(bytes, view, at);
        if (bytes.length - at < total) {
          startPartial(total, bytes.subarray(at));
          return;
        }
        if (!readMessage(bytes, view, at, total)) return;
        at += total;
      }
      if (at < bytes.length) startPartial(preludeBytes, bytes.subarray(at));
    },
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Compares four bytes a step, and the last four once more. Fewer than four bytes never count as equal. */
function startsWith(view: DataView, at: number, expected: DataView): boolean {
  const last = expected.byteLength - 4;
  for (let i = 0; i < last; i += 8) {
    if (view.getInt32(at + i) !== expected.getInt32(i)) return false;
    const next = Math.min(i + 4, last);
    if (view.getInt32(at + next) !== expected.getInt32(next)) return false;
  }
  return last >= 0 && view.getInt32(at + last) === expected.getInt32(last);
}
