/** What is text; undefined for all else, `null` and numbers among it: what comes over the wire has no types. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
