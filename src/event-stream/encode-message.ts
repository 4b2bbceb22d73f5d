import { EventStreamCodec, type MessageHeaders, type MessageHeaderValue } from '@smithy/eventstream-codec';

/** Header values of a frame. A string is a header of type string. */
export type FrameHeaders = Readonly<Record<string, string | MessageHeaderValue>>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : decoder.decode(bytes as Uint8Array)),
  (text) => encoder.encode(text),
);

/** Encodes text as UTF-8. Returns bytes unchanged. */
export function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? encoder.encode(data) : data;
}

/** Encodes one message of the AWS event-stream encoding with AWS's own codec. The headers keep their order. */
export function encodeFrame(headers: FrameHeaders, payload: string | Uint8Array = ''): Uint8Array {
  const typed: MessageHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    typed[name] = typeof value === 'string' ? { type: 'string', value } : value;
  }
  return codec.encode({ headers: typed, body: toBytes(payload) });
}

/** Encodes an event. Its headers have the order in which Lambda sends them. */
export function encodeEvent(
  eventType: string,
  contentType: 'application/octet-stream' | 'application/json',
  payload: string | Uint8Array,
): Uint8Array {
  return encodeFrame({ ':event-type': eventType, ':content-type': contentType, ':message-type': 'event' }, payload);
}

/** Encodes a `PayloadChunk`, which holds bytes that the function wrote. */
export function encodeChunk(payload: string | Uint8Array): Uint8Array {
  return encodeEvent('PayloadChunk', 'application/octet-stream', payload);
}

/** Encodes an exception within the stream: `:message-type: exception`, with its members as JSON. */
export function encodeException(name: string, body: object): Uint8Array {
  return encodeFrame(
    { ':exception-type': name, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify(body),
  );
}
