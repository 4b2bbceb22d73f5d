import { encodeChunk, encodeEvent, encodeFrame, type FrameHeaders } from '../../event-stream/encode-message.js';
import { crc32 } from 'node:zlib';

export {
  encodeChunk,
  encodeException,
  encodeFrame,
  toBytes,
  type FrameHeaders,
} from '../../event-stream/encode-message.js';

/** The fields of an InvokeComplete. */
export interface InvocationEnd {
  readonly errorCode?: string | undefined;
  readonly errorDetails?: string | undefined;
  /** The end of the log, as text. It is sent as base64. */
  readonly logTail?: string | undefined;
}

/** Encodes an `InvokeComplete`. Without fields its payload is `{}`. */
export function encodeComplete(end: InvocationEnd = {}): Uint8Array {
  const body = {
    ...(end.errorCode !== undefined && { ErrorCode: end.errorCode }),
    ...(end.errorDetails !== undefined && { ErrorDetails: end.errorDetails }),
    ...(end.logTail !== undefined && { LogResult: Buffer.from(end.logTail).toString('base64') }),
  };
  return encodeEvent('InvokeComplete', 'application/json', JSON.stringify(body));
}

/** Encodes an unmodelled error within the stream: `:message-type: error`, without a body. */
export function encodeError(code: string, message: string): Uint8Array {
  return encodeFrame({ ':error-code': code, ':error-message': message, ':message-type': 'error' });
}

/** Encodes an event of a type that clients do not know. */
export function encodeUnknownEvent(
  eventType: string,
  payload: string | Uint8Array = '',
  headers: FrameHeaders = {},
): Uint8Array {
  return encodeFrame(
    { ':event-type': eventType, ':content-type': 'application/octet-stream', ':message-type': 'event', ...headers },
    payload,
  );
}

/** Encodes a chunk whose frame has one wrong checksum. */
export function encodeBadCrc(which: 'prelude' | 'message'): Uint8Array {
  const frame = encodeChunk('checksum');
  const at = which === 'prelude' ? 8 : frame.length - 4;
  frame[at] = (frame[at] ?? 0) ^ 0xff;
  return frame;
}

/**
 * Encodes the first 12 bytes of a frame of this total length, with a right checksum. The rest of the frame is absent.
 */
export function encodeBogusLength(totalLength: number): Uint8Array {
  const prelude = new Uint8Array(12);
  const view = new DataView(prelude.buffer);
  view.setUint32(0, totalLength);
  view.setUint32(8, crc32(prelude.subarray(0, 8)));
  return prelude;
}
