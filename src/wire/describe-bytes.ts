/** Names the kind of what a body begins with, without quoting it: payloads stay out of error messages. */
export function describeBytes(bytes: Uint8Array): string {
  const first = new TextDecoder().decode(bytes).trimStart();
  if (bytes.length === 0) return 'nothing';
  if (/^[{["]/.test(first)) return 'JSON';
  if (first.startsWith('<')) return 'HTML or XML';
  return /[\0-\b\x0e-\x1f\ufffd]/.test(first) ? 'binary data' : 'text';
}
