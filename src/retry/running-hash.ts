/** The state of a hash over all bytes so far. It does not depend on where the bytes were cut into chunks. */
export type RunningHash = [fnv: number, fx: number];

/**
 * Starts a 64-bit hash in constant memory: FNV-1a and FxHash side by side, 32 bits each.
 *
 * The hash proves that a repeated answer has the same bytes. Two different answers have equal hashes once in 2^64. It
 * does not protect from forgery, because the sender is the caller's own function. SubtleCrypto has neither a running
 * hash nor a synchronous one, and a cryptographic hash in JavaScript would be larger than all code for retries.
 */
export function startHash(): RunningHash {
  return [0x811c9dc5, 0];
}

/** Adds bytes to the hash. */
export function updateHash(hash: RunningHash, bytes: Uint8Array): void {
  // Local variables and an indexed loop are fast: this loop runs for every delivered byte. Each step is a bijection, so
  // that a difference of one byte is never lost. The rotation carries high bits down, which a multiplication does not.
  let [fnv, fx] = hash;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    fnv = Math.imul(fnv ^ byte, 0x01000193);
    fx = Math.imul(((fx << 5) | (fx >>> 27)) ^ byte, 0x9e3779b1);
  }
  hash[0] = fnv;
  hash[1] = fx;
}
