import * as errors from '../errors.js';
import { errorBrand } from '../errors.js';
import { codes, fields, isNumber, isText, metadataFields, responseHeaders, type FieldTable } from './failure-fields.js';
import { fromTaggedJson, toTaggedJson, type Json } from './tagged-json.js';

/** A failure as JSON: its name and message, and those of its fields that are known here. */
export type EncodedFailure = Json;

/** The largest encoded failure, in bytes of JSON. */
export const maxFailureBytes = 64 * 1024;

/** How many causes of causes are encoded. */
const maxCauses = 3;

/**
 * Encodes a failure as JSON of at most 64 KiB. Only the fields of an allow-list are encoded. {@link decodeFailure}
 * makes an error with the same class, fields and verdict of it.
 *
 * Never throws. Fields that cannot be read are left out, and long texts are cut where the whole would be too long.
 */
export function encodeFailure(error: unknown): EncodedFailure {
  for (const maxLength of [Infinity, 4_096, 512, 64]) {
    const encoded = encode(error, maxLength, 0);
    if (new TextEncoder().encode(JSON.stringify(encoded)).length <= maxFailureBytes) return encoded;
  }
  return { name: nameOf(error).slice(0, 64), message: messageOf(error).slice(0, 512) };
}

/**
 * Makes an error from what {@link encodeFailure} encoded. An error of this package has its class again. Any other one
 * is an Error with its name, message and fields. A thrown value that is not an object comes back unchanged.
 */
export function decodeFailure(encoded: unknown): unknown {
  const value = fromTaggedJson(encoded);
  if (typeof value !== 'object' || value === null) return value;
  if ('value' in value) return value.value;
  if ('undefined' in value) return undefined;
  return decode(value as Readonly<Record<string, unknown>>, 0);
}

function encode(error: unknown, maxLength: number, depth: number): EncodedFailure {
  if (error === undefined) return { undefined: true };
  if (typeof error !== 'object' && typeof error !== 'function') {
    // A symbol has no JSON.
    return { value: toTaggedJson(cut(error, maxLength)) ?? 'a symbol' };
  }
  if (error === null) return { value: null };
  const metadata = take(read(error, '$metadata'), metadataFields, maxLength);
  const response = read(error, '$response');
  const status = read(response, 'statusCode');
  const headers = take(read(response, 'headers'), responseHeaders, maxLength);
  const cause = depth < maxCauses ? read(error, 'cause') : undefined;
  return {
    name: nameOf(error).slice(0, maxLength),
    message: messageOf(error).slice(0, maxLength),
    ...take(error, fields, maxLength),
    ...(Object.keys(metadata).length > 0 && { $metadata: metadata }),
    ...(response !== undefined && {
      $response: { ...(isNumber(status) && { statusCode: status as number }), headers },
    }),
    ...(cause !== undefined && { cause: encode(cause, maxLength, depth + 1) }),
  };
}

function decode(value: Readonly<Record<string, unknown>>, depth: number): Error {
  const name = isText(value['name']) ? (value['name'] as string) : 'Error';
  const message = isText(value['message']) ? (value['message'] as string) : 'No message was told';
  const { cause, $metadata, $response } = value;
  const options = depth < maxCauses && cause !== undefined ? { cause: decodeCause(cause, depth + 1) } : undefined;
  const Class = classOf(name, value['code']);
  // Makes an Error of the class without running its constructor, which would make another message.
  const error: Error = Reflect.construct(Error, options ? [message, options] : [message], Class);
  // The constructor of the base class sets this brand, by which `isLambdaStreamError` recognises the error.
  if (Class !== Error) Object.defineProperty(error, errorBrand, { value: true });
  if (error.name !== name) {
    // The name is enumerable on this package's errors, and hidden on others, as on the SDK's exceptions.
    Object.defineProperty(error, 'name', {
      value: name,
      enumerable: Class !== Error,
      configurable: true,
      writable: true,
    });
  }
  Object.assign(error, pick(value, fields));
  if ($metadata !== undefined) Object.assign(error, { $metadata: pick($metadata, metadataFields) });
  if ($response !== undefined) {
    const { statusCode, headers } = Object($response) as { statusCode?: unknown; headers?: unknown };
    // Not enumerable, as the SDK attaches it.
    Object.defineProperty(error, '$response', {
      value: { ...(isNumber(statusCode) && { statusCode }), headers: pick(headers, responseHeaders) },
      enumerable: false,
      configurable: true,
    });
  }
  return error;
}

function decodeCause(cause: unknown, depth: number): unknown {
  if (typeof cause !== 'object' || cause === null) return cause;
  if ('value' in cause) return cause.value;
  return decode(cause as Readonly<Record<string, unknown>>, depth);
}

/** Returns this package's error class with this name and code, or Error where there is no such class. */
function classOf(name: string, code: unknown): new () => Error {
  const expected = (codes as Readonly<Record<string, string>>)[name];
  if (!Object.hasOwn(codes, name) || expected !== code) return Error;
  return (errors as unknown as Readonly<Record<string, new () => Error>>)[name] ?? Error;
}

/** Returns those members of the value that the table allows, as tagged JSON. */
function take(value: unknown, table: FieldTable, maxLength: number): Record<string, Json> {
  const taken: Record<string, Json> = {};
  for (const [name, isValid] of Object.entries(table)) {
    try {
      const member = read(value, name);
      const json = member !== undefined && isValid(member) ? toTaggedJson(cut(member, maxLength)) : undefined;
      if (json !== undefined) taken[name] = json;
    } catch {
      // A getter or a Proxy has thrown. The field is left out.
    }
  }
  return taken;
}

function pick(value: unknown, table: FieldTable): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(Object(value) as object).filter(
      ([name, member]) => Object.hasOwn(table, name) && table[name]?.(member) === true,
    ),
  );
}

/** Cuts texts, bytes and lists at a length. */
function cut(value: unknown, maxLength: number): unknown {
  if (maxLength === Infinity) return value;
  if (typeof value === 'string') return value.slice(0, maxLength);
  if (value instanceof Uint8Array) return value.subarray(0, maxLength);
  if (Array.isArray(value)) return value.slice(0, 32).map((item) => cut(item, maxLength));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 32)
      .map(([name, member]) => [name.slice(0, maxLength), cut(member, maxLength)]),
  );
}

/** Reads a member. Returns undefined where reading throws. */
function read(value: unknown, name: string): unknown {
  try {
    return (Object(value) as Readonly<Record<string, unknown>>)[name];
  } catch {
    // A getter or a Proxy has thrown. The member counts as absent.
    return undefined;
  }
}

function nameOf(error: unknown): string {
  const name = read(error, 'name');
  return typeof name === 'string' && name !== '' ? name : 'Error';
}

function messageOf(error: unknown): string {
  const message = read(error, 'message');
  return typeof message === 'string' ? message : 'Something was thrown that is no Error';
}
