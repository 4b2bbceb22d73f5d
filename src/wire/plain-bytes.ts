/** The bytes of any view as a plain `Uint8Array`, without a copy: of a Buffer, `slice` and `subarray` are other ones. */
export function plainBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
