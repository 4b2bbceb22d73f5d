import { ProtocolError } from '../errors.js';
import type { MessageHeaders, MessageHeaderValue } from '../events.js';

// `ignoreBOM` keeps a leading U+FEFF, because a header's text has no byte order mark.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Parses the header block of a frame.
 *
 * @param block - The header block. It has a buffer of its own, so that reading past its end is an error.
 * @throws {@link ProtocolError} for an unknown value type, and for a header that reaches past the block.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html the encoding
 */
export function parseMessageHeaders(block: Uint8Array<ArrayBuffer>): MessageHeaders {
  const view = new DataView(block.buffer);
  const entries: [string, MessageHeaderValue][] = [];
  let at = 0;

  /** Moves past the next bytes and returns where they begin. A read past the block's end is a RangeError. */
  function skip(length: number): number {
    at += length;
    return at - length;
  }
  function take(length: number): Uint8Array {
    return new Uint8Array(block.buffer, skip(length), length);
  }
  /** Reads a value by its type byte of the event-stream encoding. */
  function readValue(type: number): MessageHeaderValue {
    switch (type) {
      case 0:
      case 1:
        return type === 0;
      case 2:
        return view.getInt8(skip(1));
      case 3:
        return view.getInt16(skip(2));
      case 4:
        return view.getInt32(skip(4));
      case 5:
        return view.getBigInt64(skip(8));
      case 6: // A copy, because the caller may keep the bytes.
        return take(view.getUint16(skip(2))).slice();
      case 7:
        return utf8.decode(take(view.getUint16(skip(2))));
      case 8: // Milliseconds.
        return new Date(Number(view.getBigInt64(skip(8))));
      case 9:
        return uuidText(take(16));
    }
    throw new ProtocolError(`A frame header has the unknown type ${type}`);
  }

  try {
    while (at < block.length)
      entries.push([utf8.decode(take(view.getUint8(skip(1)))), readValue(view.getUint8(skip(1)))]);
  } catch (error) {
    if (error instanceof RangeError) throw new ProtocolError('A frame header reaches past its block', { cause: error });
    throw error;
  }
  // Unlike assignment, fromEntries is safe for a header named `__proto__`.
  return Object.fromEntries(entries);
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
