/** The state of a hash of all bytes so far, whatever chunks they came in. */
export type RunningHash = [fnv: number, fx: number];

/**
 * A 64-bit hash in constant memory: FNV-1a and FxHash side by side, 32 bits each.
 *
 * It tells an answer that came again from one that is another, which two different answers escape once in 2^64. It is
 * no defence against a sender who wants to escape it: that sender is the caller's own function. SubtleCrypto has
 * neither a running hash nor a synchronous one, and a cryptographic one in JavaScript would be larger than all of the
 * retries.
 */
export function startHash(): RunningHash {
  return [0x811c9dc5, 0];
}

/** Adds bytes to the hash. */
export function updateHash(hash: RunningHash, bytes: Uint8Array): void {
  // Locals and an indexed loop: this runs for every byte that is delivered. Each step is a bijection, so that a single
  // byte's difference is never lost; the rotation carries high bits down, which multiplying alone does not.
  let [fnv, fx] = hash;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    fnv = Math.imul(fnv ^ byte, 0x01000193);
    fx = Math.imul(((fx << 5) | (fx >>> 27)) ^ byte, 0x9e3779b1);
  }
  hash[0] = fnv;
  hash[1] = fx;
}
