import { ProtocolError } from '../errors.js';

/**
 * The value of one frame header. By its type on the wire: both booleans → `boolean`; byte, short and integer →
 * `number`; long → `bigint`; byte array → `Uint8Array`; string and UUID → `string`; timestamp → `Date`.
 */
export type MessageHeaderValue = boolean | number | bigint | Uint8Array | string | Date;

/** The headers of one frame by name; names that start with a colon belong to the protocol. */
export type MessageHeaders = Readonly<Record<string, MessageHeaderValue>>;

/** Reads one value at an offset and says where the next header begins. */
type ValueReader = (view: DataView, at: number) => [value: MessageHeaderValue, next: number];

// `ignoreBOM` keeps a leading U+FEFF: a header's text is not a file.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** By the type byte of the event-stream encoding. */
const valueReaders: readonly ValueReader[] = [
  /* 0 true */ (_view, at) => [true, at],
  /* 1 false */ (_view, at) => [false, at],
  /* 2 byte */ (view, at) => [view.getInt8(at), at + 1],
  /* 3 short */ (view, at) => [view.getInt16(at), at + 2],
  /* 4 integer */ (view, at) => [view.getInt32(at), at + 4],
  /* 5 long */ (view, at) => [view.getBigInt64(at), at + 8],
  /* 6 byte array */ (view, at) => {
    const bytes = viewOf(view, at + 2, view.getUint16(at));
    return [bytes.slice(), at + 2 + bytes.length];
  },
  /* 7 string */ (view, at) => {
    const bytes = viewOf(view, at + 2, view.getUint16(at));
    return [utf8.decode(bytes), at + 2 + bytes.length];
  },
  /* 8 timestamp, ms */ (view, at) => [new Date(Number(view.getBigInt64(at))), at + 8],
  /* 9 UUID */ (view, at) => [uuidText(viewOf(view, at, 16)), at + 16],
];

/**
 * Parses the header block of a frame.
 *
 * @throws {@link ProtocolError} for an unknown value type, or a header that reaches past the block.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html the encoding
 */
export function parseMessageHeaders(block: Uint8Array): MessageHeaders {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const entries: [string, MessageHeaderValue][] = [];
  try {
    for (let at = 0; at < block.length;) {
      const name = viewOf(view, at + 1, view.getUint8(at));
      at += 1 + name.length;
      const readValue = valueReaders[view.getUint8(at)];
      if (readValue === undefined) throw new ProtocolError(`A frame header has the unknown type ${view.getUint8(at)}`);
      const [value, next] = readValue(view, at + 1);
      entries.push([utf8.decode(name), value]);
      at = next;
    }
  } catch (error) {
    if (error instanceof RangeError) throw new ProtocolError('A frame header reaches past its block', { cause: error });
    throw error;
  }
  // Unlike assignment, fromEntries is safe for a header named `__proto__`.
  return Object.fromEntries(entries);
}

/** A view inside the block; a RangeError, as a DataView's, where it would reach past its end. */
function viewOf(block: DataView, at: number, length: number): Uint8Array {
  if (at + length > block.byteLength) throw new RangeError('Offset is outside the block');
  return new Uint8Array(block.buffer, block.byteOffset + at, length);
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
