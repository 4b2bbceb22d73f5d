import type { UnknownEvent } from '../events.js';

/** The memory of an event without its payload and headers, in bytes: its objects and the object of its buffer. */
export const eventOverheadBytes = 512;

/** Estimates what a copy of an unknown event occupies, in bytes. */
export function sizeOfUnknown({ payload, headers }: UnknownEvent): number {
  let bytes = eventOverheadBytes + payload.length;
  for (const [name, value] of Object.entries(headers)) {
    bytes += 2 * name.length + (typeof value === 'string' ? 2 * value.length : 64);
    if (ArrayBuffer.isView(value)) bytes += value.byteLength;
  }
  return bytes;
}

/** Copies an unknown event. The bytes of the original are views into a whole network read. */
export function copyUnknown(event: UnknownEvent): UnknownEvent {
  const headers = Object.entries(event.headers).map(([name, value]) => [
    name,
    ArrayBuffer.isView(value) ? value.slice() : value,
  ]);
  return { ...event, headers: Object.fromEntries(headers) as UnknownEvent['headers'], payload: event.payload.slice() };
}
