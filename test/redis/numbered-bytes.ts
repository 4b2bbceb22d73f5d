/** The byte at an offset of every response of the tests: each place is known by its bytes. */
const byteAt = (offset: number): number => (offset * 31 + (offset >> 8) * 7) & 255;

/** After so many bytes they come again. */
const period = 65_536;

const twoPeriods = Uint8Array.from({ length: 2 * period }, (_, offset) => byteAt(offset));

export function numberedBytes(from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += period) {
    const start = (from + at) % period;
    bytes.set(twoPeriods.subarray(start, start + Math.min(period, length - at)), at);
  }
  return bytes;
}

/** Whether these are the bytes of the response from this offset on. */
export function areNumbered(bytes: Uint8Array, from: number): boolean {
  return Buffer.compare(bytes, numberedBytes(from, bytes.length)) === 0;
}
