import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { MessageHeaders as CodecHeaders } from '@smithy/types';

/** AWS's own encoder, so that our decoder is never tested against itself. */
export const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  (text) => new TextEncoder().encode(text),
);

const text = (value: string): { type: 'string'; value: string } => ({ type: 'string', value });

export function encodeFrame(headers: Record<string, string>, payload: Uint8Array | string = ''): Uint8Array {
  const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const codecHeaders: CodecHeaders = Object.fromEntries(Object.entries(headers).map(([n, v]) => [n, text(v)]));
  return codec.encode({ headers: codecHeaders, body });
}

export const chunkFrame = (payload: Uint8Array | string): Uint8Array =>
  encodeFrame(
    { ':event-type': 'PayloadChunk', ':content-type': 'application/octet-stream', ':message-type': 'event' },
    payload,
  );

export const completeFrame = (fields: object = {}): Uint8Array =>
  encodeFrame(
    { ':event-type': 'InvokeComplete', ':content-type': 'application/json', ':message-type': 'event' },
    JSON.stringify(fields),
  );

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The pieces of `bytes` between the given cuts, which may repeat, be unordered, or lie past its end. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((end, i) => bytes.slice(borders[i], end));
}
