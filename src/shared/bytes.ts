import { DetachedPayloadError } from '../errors.js';

/**
 * Views the bytes of any array buffer view as a plain `Uint8Array`, without a copy. A Buffer does not pass through: its
 * `slice` shares memory where that of a `Uint8Array` copies.
 */
export function plainBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Decodes base64 to UTF-8 text. Returns text that is not base64 unchanged, so that a log is never lost. */
export function textFromBase64(base64: string): string {
  let binary: string;
  try {
    binary = atob(base64);
  } catch {
    return base64;
  }
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/**
 * Refuses bytes whose buffer was given away (`postMessage` or `structuredClone` with a transfer list): such a view is
 * empty, and would be taken for no data at all.
 *
 * @throws {@link DetachedPayloadError}
 */
export function assertAttached(bytes: Uint8Array): void {
  // Only an empty view can be detached, and only a detached buffer refuses a new view. `ArrayBuffer.detached` is
  // younger
  // than some supported browsers.
  if (bytes.length > 0) return;
  try {
    new Uint8Array(bytes.buffer);
  } catch (cause) {
    throw new DetachedPayloadError({ cause });
  }
}
