/**
 * Computes the cluster slot of a key that has a hash tag, `…{tag}…`.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ CRC16 of the tag, modulo 16,384
 */
export function slotOf(key: string): number {
  const tag = key.slice(key.indexOf('{') + 1, key.indexOf('}'));
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % 16_384;
}
