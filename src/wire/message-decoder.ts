import { ProtocolError } from '../errors.js';
import { crc32, crc32ByTables } from './crc32.js';
import { parseMessageHeaders, type MessageHeaders } from './message-headers.js';

/** `u32 total length | u32 headers length | u32 CRC-32 of those 8 bytes`. */
const preludeBytes = 12;

/** Prelude and message CRC around nothing. */
const minMessageBytes = 16;

/** The largest frame that is believed. Lambda's own chunks stay far below it. */
export const defaultMaxMessageBytes = 24 * 1024 * 1024;

/**
 * Takes one message. `headers` is the same object for frames with equal header blocks; `payload` is a view that
 * nothing writes to again. Returning false ends the decoding, also of what was already received.
 */
export type MessageListener = (headers: MessageHeaders, payload: Uint8Array) => boolean;

export interface MessageDecoder {
  /**
   * Takes the next bytes of the stream, cut anywhere, and reports the messages that they complete, synchronously.
   *
   * @throws {@link ProtocolError} for a wrong checksum or length. The decoder is of no use afterwards.
   */
  decode(bytes: Uint8Array): void;
}

/**
 * Decodes the AWS event-stream encoding.
 *
 * A message within one read is a view into it; one that spans reads is copied once, into a buffer of its own length.
 * Memory: one unfinished message, at most `maxMessageBytes`.
 *
 * Written for speed, measured by test/bench/run.ts: frames of a stream differ in little but their payload, so that
 * the prelude and the header block are compared with the last ones before they are checked and parsed.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html the encoding
 */
export function createMessageDecoder(
  onMessage: MessageListener,
  maxMessageBytes: number = defaultMaxMessageBytes,
): MessageDecoder {
  /** The beginning of a frame whose length is not known yet. */
  const prelude = new Uint8Array(preludeBytes);
  let preludeFilled = 0;
  /** The frame that spans reads, as long as it will be. */
  let partial: Uint8Array | undefined;
  let partialFilled = 0;

  // What the last frame's first bytes said, all of it proven by its checksums.
  let lastTotal = 0;
  let lastHeadersLength = -1;
  let lastPreludeCrc = 0;
  let lastBlock = viewOf(new Uint8Array(0));
  let lastHeaders: MessageHeaders = {};
  /** The CRC of prelude and headers, from which the payload's goes on. */
  let lastHeadCrc = 0;

  /** Checks the prelude at `start` and returns the length of its frame. */
  function readPrelude(bytes: Uint8Array, view: DataView, start: number): number {
    const total = view.getUint32(start);
    const headersLength = view.getUint32(start + 4);
    const preludeCrc = view.getUint32(start + 8);
    if (total === lastTotal && headersLength === lastHeadersLength && preludeCrc === lastPreludeCrc) return total;
    // The checksum first: a length is not to be believed, nor reported, before it is proven.
    if (crc32ByTables(bytes, start, start + 8, 0) !== preludeCrc) {
      throw new ProtocolError('A frame has a wrong prelude checksum: the bytes are damaged or no AWS event stream');
    }
    if (total < minMessageBytes || headersLength > total - minMessageBytes) {
      throw new ProtocolError(`A frame has impossible lengths: ${total} bytes in all, ${headersLength} of headers`);
    }
    if (total > maxMessageBytes) {
      throw new ProtocolError(`A frame of ${total} bytes is over the limit of ${maxMessageBytes} bytes`);
    }
    return total;
  }

  /** Checks and reports the whole frame at `start`. Its prelude has been read. */
  function readMessage(bytes: Uint8Array, view: DataView, start: number, total: number): boolean {
    const headersLength = view.getUint32(start + 4);
    const headersStart = start + preludeBytes;
    const payloadStart = headersStart + headersLength;
    const end = start + total - 4;
    const sameHeaders = headersLength === lastHeadersLength && startsWith(view, headersStart, lastBlock);

    const headCrc = sameHeaders && total === lastTotal ? lastHeadCrc : crc32ByTables(bytes, start, payloadStart, 0);
    // The constructor, not subarray: of a Buffer that would be a Buffer again.
    const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, end - payloadStart);
    if (crc32(payload, headCrc) !== view.getUint32(end)) {
      throw new ProtocolError('A frame has a wrong message checksum: its bytes are damaged');
    }

    if (!sameHeaders) {
      // A copy, so that the block does not hold the whole read; not slice(), which on a Buffer copies nothing.
      const block = new Uint8Array(bytes.subarray(headersStart, payloadStart));
      lastHeaders = parseMessageHeaders(block);
      lastBlock = viewOf(block);
      lastHeadersLength = headersLength;
    }
    lastTotal = total;
    lastPreludeCrc = view.getUint32(start + 8);
    lastHeadCrc = headCrc;
    return onMessage(lastHeaders, payload);
  }

  /** Goes on with the frame that spans reads; returns how many bytes it took, or -1 once the listener is done. */
  function continuePartial(bytes: Uint8Array): number {
    let at = 0;
    if (partial === undefined) {
      at = Math.min(preludeBytes - preludeFilled, bytes.length);
      prelude.set(bytes.subarray(0, at), preludeFilled);
      preludeFilled += at;
      if (preludeFilled < preludeBytes) return at;
      startPartial(readPrelude(prelude, viewOf(prelude), 0), prelude);
      preludeFilled = 0;
    }
    const frame = partial!;
    const taken = Math.min(frame.length - partialFilled, bytes.length - at);
    frame.set(at === 0 && taken === bytes.length ? bytes : bytes.subarray(at, at + taken), partialFilled);
    partialFilled += taken;
    if (partialFilled < frame.length) return at + taken;
    partial = undefined;
    return readMessage(frame, viewOf(frame), 0, frame.length) ? at + taken : -1;
  }

  function startPartial(total: number, beginning: Uint8Array): void {
    partial = new Uint8Array(total);
    partial.set(beginning);
    partialFilled = beginning.length;
  }

  return {
    decode(bytes) {
      let at = partial !== undefined || preludeFilled > 0 ? continuePartial(bytes) : 0;
      if (at < 0) return;
      // One view a read: it reads and compares four bytes at once, at any alignment.
      const view = viewOf(bytes);
      while (bytes.length - at >= preludeBytes) {
        const total = readPrelude(bytes, view, at);
        if (bytes.length - at < total) {
          startPartial(total, bytes.subarray(at));
          return;
        }
        if (!readMessage(bytes, view, at, total)) return;
        at += total;
      }
      if (at < bytes.length) {
        prelude.set(bytes.subarray(at));
        preludeFilled = bytes.length - at;
      }
    },
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsWith(view: DataView, at: number, expected: DataView): boolean {
  const length = expected.byteLength;
  let i = 0;
  for (; i <= length - 8; i += 8) {
    if (view.getInt32(at + i) !== expected.getInt32(i)) return false;
    if (view.getInt32(at + i + 4) !== expected.getInt32(i + 4)) return false;
  }
  for (; i < length; i++) if (view.getUint8(at + i) !== expected.getUint8(i)) return false;
  return true;
}
