import { isTexts } from '../../shared/json.js';
import { delimiterLength } from './awslambda.js';

/** The longest prelude that is read, in bytes. The end of a longer one may never come. */
const maxPreludeBytes = 1024 * 1024;

/** The content of a prelude. Every header is a list of values. */
export interface Prelude {
  /** Absent where the function gave no status, or a status that HTTP does not have. */
  readonly statusCode: number | undefined;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly cookies: readonly string[];
  /** The bytes after the prelude, of those that were taken last. */
  readonly rest: Uint8Array;
  /** Why the bytes are not a prelude. The other members are empty then. */
  readonly fault?: string;
}

/** Finds the prelude at the start of a stream, wherever its bytes are cut. */
export class PreludeParser {
  #parts: Uint8Array[] = [];
  #length = 0;
  #zeros = 0;

  /** Takes the next bytes. Returns the prelude when its end has come. Call it no more afterwards. */
  push(bytes: Uint8Array): Prelude | undefined {
    for (const [index, byte] of bytes.entries()) {
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
      if (this.#zeros < delimiterLength) continue;
      this.#parts.push(bytes.subarray(0, index + 1));
      return readPrelude(Buffer.concat(this.#parts).subarray(0, -delimiterLength), bytes.subarray(index + 1));
    }
    this.#length += bytes.length;
    if (this.#length > maxPreludeBytes) return faulty(`it is longer than ${maxPreludeBytes} bytes`);
    // A copy, because the function may write to its buffer again.
    this.#parts.push(bytes.slice());
    return undefined;
  }
}

function readPrelude(json: Buffer, rest: Uint8Array): Prelude {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString());
  } catch {
    // The parser's own message quotes the text.
    return faulty('it is not JSON');
  }
  return { ...toHttpHead(parsed), rest };
}

/** Reads status, headers and cookies from the object with which a function describes its HTTP response. */
export function toHttpHead(value: unknown): Omit<Prelude, 'rest'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return faulty('it is not an object');
  const { statusCode, headers, multiValueHeaders, cookies } = value as Partial<Record<string, unknown>>;
  if (statusCode !== undefined && !isStatus(statusCode)) return faulty('statusCode is not a number from 200 to 599');
  const all = new Map<string, string[]>();
  for (const group of [headers, multiValueHeaders]) {
    if (group === undefined || group === null) continue;
    if (typeof group !== 'object' || Array.isArray(group)) return faulty('the headers are not an object');
    for (const [name, given] of Object.entries(group)) {
      const values = (Array.isArray(given) ? (given as unknown[]) : [given]).filter((one) => one !== null);
      if (!values.every(isHeaderValue)) return faulty(`the header ${JSON.stringify(name.slice(0, 100))} is not text`);
      if (values.length > 0) all.set(name.toLowerCase(), values.map(String));
    }
  }
  if (cookies !== undefined && cookies !== null && !isTexts(cookies)) return faulty('cookies is not an array of texts');
  return { statusCode, headers: all, cookies: isTexts(cookies) ? cookies : [] };
}

function faulty(fault: string): Prelude {
  return { statusCode: undefined, headers: new Map(), cookies: [], rest: new Uint8Array(), fault };
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599;
}

function isHeaderValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
