/** Parses a JSON object or array. Returns undefined for all other text. */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return parsed === Object(parsed) ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // The parser's own message quotes the text, which must not travel in an error.
    return undefined;
  }
}

/** Returns a string unchanged and anything else as undefined: wire data is untyped. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Tells an array of strings. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Tells an object literal of any realm, or an object without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
