/** Decodes the next bytes as text. Without bytes it ends the text. Holds an unfinished character back. */
export type DecodePiece = (bytes?: Uint8Array) => string;

/**
 * Makes a decoder of UTF-8 that arrives in pieces. Drops a byte order mark at the very start and no other.
 *
 * `TextDecoder` drops the mark too, but in Node 24 it also drops a second mark where the first is cut between two
 * pieces. That mark is a character of the text. So the decoder keeps all marks here, and the first one is dropped
 * afterwards.
 *
 * @param fatal - Whether bytes that are not UTF-8 throw a TypeError instead of becoming U+FFFD.
 */
export function createPieceDecoder(fatal = false): DecodePiece {
  const decoder = new TextDecoder('utf-8', { fatal, ignoreBOM: true });
  let atStart = true;
  return (bytes) => {
    const text = decoder.decode(bytes, { stream: bytes !== undefined });
    if (!atStart || text === '') return text;
    atStart = false;
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  };
}
