/** How many bytes are looked at. */
const maxDescribedBytes = 64;

/** Names the kind of what a body begins with, without quoting it: payloads stay out of error messages. */
export function describeBytes(bytes?: Uint8Array): string {
  if (!bytes?.length) return 'nothing';
  const first = new TextDecoder().decode(bytes.subarray(0, maxDescribedBytes)).trimStart();
  if (/^[{["]/.test(first)) return 'JSON';
  if (/^</.test(first)) return 'HTML or XML';
  return /[\0-\b\x0e-\x1f\ufffd]/.test(first) ? 'binary data' : 'text';
}
