/** The byte at an offset of every response of the tests: each place is known by its bytes. */
export const byteAt = (offset: number): number => (offset * 31 + (offset >> 8) * 7) & 255;

export function numberedBytes(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => byteAt(from + index));
}
