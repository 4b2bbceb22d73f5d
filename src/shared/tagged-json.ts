import { toBase64 } from './bytes.js';

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The deepest nesting that is written. What lies deeper becomes null. */
const maxDepth = 16;

/**
 * Makes a value that JSON can carry. Bigints, bytes, Dates and numbers that JSON lacks become an object with one tag.
 *
 * An object whose only member begins with `$` is wrapped, so that data cannot pass for a tag. Functions, symbols and
 * undefined members are left out.
 *
 * @throws the error that a getter of the value throws.
 */
export function toTaggedJson(value: unknown, depth = 0): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null || depth >= maxDepth) return null;
  if (value instanceof Date) return { $date: value.getTime() || 0 };
  if (ArrayBuffer.isView(value)) {
    return { $bytes: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (Array.isArray(value)) return value.map((item) => toTaggedJson(item, depth + 1) ?? null);
  const members = Object.entries(value).flatMap(([name, member]) => {
    const json = toTaggedJson(member, depth + 1);
    return json === undefined ? [] : [[name, json] as const];
  });
  const object = Object.fromEntries(members);
  return members.length === 1 && members[0]?.[0].startsWith('$') ? { $object: object } : object;
}

/** Reads the result of {@link toTaggedJson}. An object with an unknown tag stays an object. */
export function fromTaggedJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromTaggedJson);
  const members = Object.entries(json);
  const [[tag, value] = []] = members;
  if (members.length === 1) {
    if (tag === '$number' && typeof value === 'string') return Number(value);
    if (tag === '$bigint' && typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
    if (tag === '$date' && typeof value === 'number') return new Date(value);
    if (tag === '$bytes' && typeof value === 'string') return fromBase64(value);
    if (tag === '$object') return fromMembers(Object.entries(Object(value) as object));
  }
  return fromMembers(members);
}

/** Makes an object. `Object.fromEntries` defines members, so that one called `__proto__` sets no prototype. */
function fromMembers(members: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(members.map(([name, member]) => [name, fromTaggedJson(member)]));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // The text is not base64, so that this package has not sent it.
    return new Uint8Array(0);
  }
}
