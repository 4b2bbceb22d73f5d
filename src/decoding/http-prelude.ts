import { ProtocolError, ResponseTooLargeError } from '../errors.js';
import type { HttpHeadEvent } from '../events.js';
import { mediaTypeOf } from '../shared/media-type.js';

/** The longest prelude that is read, with its NUL bytes. */
export const maxPreludeBytes = 64 * 1024;

/** How many NUL bytes stand between a prelude's JSON and the body. */
export const preludeDelimiterBytes = 8;

const quote = 0x22;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Where the body begins in the bytes just scanned, or why it is not known. */
export type PreludeScan = number | 'undecided' | 'absent';

/**
 * Makes a scanner that looks for the end of a prelude, byte by byte across pieces cut anywhere.
 *
 * It follows the nesting of the JSON, and does not look for NUL bytes alone. A payload without a prelude may begin like
 * one, such as a JSON line. Such a payload is recognised at the end of its first object, and not held any longer.
 *
 * @returns A function that takes the next bytes and throws {@link ResponseTooLargeError} past {@link maxPreludeBytes}.
 */
export function createPreludeScanner(): (bytes: Uint8Array) => PreludeScan {
  let scanned = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let nuls = 0;

  return (bytes) => {
    const end = Math.min(bytes.length, maxPreludeBytes - scanned);
    for (let at = 0; at < end; at++) {
      const byte = bytes[at];
      if (depth === 0) {
        if (scanned + at === 0) {
          if (byte !== openBrace) return 'absent';
          depth = 1;
        } else {
          if (byte !== 0) return 'absent';
          if (++nuls === preludeDelimiterBytes) return at + 1;
        }
      } else if (byte === 0) {
        // JSON holds no NUL byte, not even in a string.
        return 'absent';
      } else if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) {
        inString = true;
      } else if (byte === openBrace || byte === openBracket) {
        depth++;
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--;
      }
    }
    scanned += end;
    if (scanned === maxPreludeBytes) {
      throw new ResponseTooLargeError(
        'The response begins like an HTTP prelude, but that has no end within the limit ' +
          '(if the function writes plain JSON, leave decodeHttpResponse out)',
        { maxBytes: maxPreludeBytes },
      );
    }
    return 'undecided';
  };
}

/** Tells whether a content type announces a prelude. */
export function announcesPrelude(contentType?: string): boolean {
  return mediaTypeOf(contentType) === 'application/vnd.awslambda.http-integration-response';
}

/**
 * Reads a prelude's JSON.
 *
 * A header's value may be an array in both members, because AWS's Rust runtime, and with it the Lambda Web Adapter,
 * writes several values of one name so. A value that is null or an empty array is left out.
 *
 * @throws {@link ProtocolError} for bytes that are not JSON, and for a field of another type than runtimes write.
 */
export function parsePrelude(json: Uint8Array): HttpHeadEvent {
  const { statusCode, headers, multiValueHeaders, cookies } = parsePreludeJson(json);
  const values = new Map<string, string[]>();
  for (const [member, what] of [
    [multiValueHeaders, 'multiValueHeaders'],
    [headers, 'headers'],
  ] as const) {
    for (const [name, list] of membersOf(member, what)) {
      const known = values.get(name.toLowerCase()) ?? [];
      // A value that stands in both members is one value: API Gateway's rule.
      known.push(...textsOf(list, what).filter((value) => !known.includes(value)));
      if (known.length > 0) values.set(name.toLowerCase(), known);
    }
  }
  const setCookies = [...cookiesOf(cookies), ...(values.get('set-cookie') ?? [])];
  values.delete('set-cookie');
  return {
    type: 'http-head',
    statusCode: statusCodeOf(statusCode),
    headers: Object.fromEntries(Array.from(values, ([name, list]) => [name, list.join(', ')])),
    cookies: setCookies,
  };
}

function parsePreludeJson(json: Uint8Array): Record<string, unknown> {
  try {
    // The scanner has seen that the text begins with a brace. So the result is an object.
    return JSON.parse(new TextDecoder().decode(json)) as Record<string, unknown>;
  } catch {
    // The parser's own message quotes the payload, which must not travel in an error.
    throw new ProtocolError(`The HTTP prelude is ${json.length} bytes that are no JSON`);
  }
}

function membersOf(value: unknown, what: string): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ProtocolError(`The HTTP prelude has ${what} that are no object`);
  }
  return Object.entries(value);
}

/** Returns one value or several as text. Numbers and booleans are what JSON leaves of a content length and the like. */
function textsOf(value: unknown, what: string): string[] {
  return [value].flat().flatMap((item: unknown) => {
    if (item === null) return [];
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return String(item);
    throw new ProtocolError(`The HTTP prelude has ${what} with a value that is no text`);
  });
}

function cookiesOf(cookies: unknown): string[] {
  if (cookies === undefined || cookies === null) return [];
  if (Array.isArray(cookies)) return textsOf(cookies, 'cookies');
  throw new ProtocolError('The HTTP prelude has cookies that are no array of text');
}

function statusCodeOf(statusCode: unknown): number {
  if (statusCode === undefined || statusCode === null) return 200;
  const status = typeof statusCode === 'string' ? Number(statusCode) : statusCode;
  if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 999) return status;
  throw new ProtocolError('The HTTP prelude has a statusCode that is no HTTP status');
}
