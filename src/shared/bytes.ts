import { DetachedPayloadError } from '../errors.js';

/** AWS's limit for the `X-Amz-Client-Context` header, in bytes of base64. */
export const maxClientContextBytes = 3_583;

/**
 * Views the bytes of any array buffer view as a plain `Uint8Array`, without a copy. A Buffer is viewed too, because its
 * `slice` shares memory, and the `slice` of a `Uint8Array` copies.
 */
export function plainBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  // Converted in parts, because the number of a call's arguments is limited.
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
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
 * Refuses bytes whose buffer was transferred (`postMessage` or `structuredClone` with a transfer list). Such a view is
 * empty, and would count as no data.
 *
 * @throws {@link DetachedPayloadError}
 */
export function assertAttached(bytes: Uint8Array): void {
  // Only an empty view can be detached, and only a detached buffer refuses a new view. Some supported browsers do not
  // have `ArrayBuffer.detached` yet.
  if (bytes.length > 0) return;
  try {
    new Uint8Array(bytes.buffer);
  } catch (cause) {
    throw new DetachedPayloadError({ cause });
  }
}
