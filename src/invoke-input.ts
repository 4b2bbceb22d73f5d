import type { InvokeWithResponseStreamCommandInput } from '@aws-sdk/client-lambda';
import { defer, from, isObservable, map, of, switchMap, take, tap, throwIfEmpty, type Observable } from 'rxjs';

/**
 * The SDK command's input, except that `Payload` and `ClientContext` also take what applications have at hand.
 *
 * Sent as is: FunctionName (a name, an ARN or a partial ARN), Qualifier, InvocationType, LogType, TenantId.
 */
export interface InvokeInput extends Omit<InvokeWithResponseStreamCommandInput, 'Payload' | 'ClientContext'> {
  /**
   * The function's event, at most 6 MB: a string or bytes as they are; a `Blob` or `File`, read anew for each
   * subscription (in Node from `fs.openAsBlob`); a plain object or array as JSON.
   */
  readonly Payload?: string | Uint8Array | ArrayBuffer | ArrayBufferView | Blob | object | undefined;
  /** A string that is base64 already, or an object, sent as base64 JSON. At most 3,583 bytes in base64. */
  readonly ClientContext?: string | object | undefined;
}

/** An input, or a function that makes one: called once per subscription, so that each attempt can ask for what it needs. */
export type InvokeInputSource = InvokeInput | (() => InvokeInput | PromiseLike<InvokeInput> | Observable<InvokeInput>);

/** AWS's limit for the `X-Amz-Client-Context` header, in bytes of base64. */
const maxClientContextBytes = 3_583;

/** One input, checked: synchronously, unless the source answers with a promise. */
export function askForInvokeInput(source: InvokeInputSource): Observable<InvokeInput> {
  return defer(() => {
    const input = typeof source === 'function' ? source() : source;
    return isObservable(input) || isPromiseLike(input) ? from(input) : of(input);
  }).pipe(
    take(1),
    throwIfEmpty(() => new TypeError('The input function answered with an Observable that completed without an input')),
    tap(assertInvokeInput),
  );
}

/** The command's input, once: synchronously, unless the source is a promise or the payload a Blob. */
export function resolveInvokeInput(source: InvokeInputSource): Observable<InvokeWithResponseStreamCommandInput> {
  return askForInvokeInput(source).pipe(
    switchMap((input) => {
      const { Payload, ClientContext, ...members } = input;
      const others = {
        ...members,
        ...(ClientContext !== undefined && { ClientContext: encodeClientContext(ClientContext) }),
      };
      if (Payload === undefined) return of(others);
      if (isBlob(Payload)) {
        return from(Payload.arrayBuffer()).pipe(map((buffer) => ({ ...others, Payload: new Uint8Array(buffer) })));
      }
      return of({ ...others, Payload: encodePayload(Payload) });
    }),
  );
}

/**
 * Refuses an input that cannot be sent.
 *
 * @throws TypeError for a missing FunctionName or a Payload that cannot be sent; RangeError for a ClientContext over
 * 3,583 bytes of base64.
 */
export function assertInvokeInput(input: InvokeInput): void {
  if (typeof input !== 'object' || (input as unknown) === null) throw new TypeError('The input must be an object');
  if (typeof input.FunctionName !== 'string' || input.FunctionName === '') {
    throw new TypeError('FunctionName must be a non-empty string');
  }
  if (!isSendable(input.Payload)) {
    throw new TypeError(
      'Payload must be a string, bytes, a Blob, or an object or array to send as JSON; a stream has to be read first',
    );
  }
  if (input.ClientContext !== undefined) encodeClientContext(input.ClientContext);
}

function isSendable(payload: unknown): boolean {
  if (payload === undefined || typeof payload === 'string') return true;
  if (typeof payload !== 'object' || payload === null) return false;
  // A stream would be sent as the JSON of its inner fields.
  const { getReader, pipe } = payload as { getReader?: unknown; pipe?: unknown };
  return typeof getReader !== 'function' && typeof pipe !== 'function';
}

function encodePayload(payload: string | object): Uint8Array {
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (payload instanceof Uint8Array) return payload;
  if (ArrayBuffer.isView(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
  return new TextEncoder().encode(JSON.stringify(payload));
}

function encodeClientContext(context: string | object): string {
  const encoded = typeof context === 'string' ? context : toBase64(JSON.stringify(context));
  if (encoded.length > maxClientContextBytes) {
    throw new RangeError(
      `ClientContext is ${encoded.length} bytes of base64, over the limit of ${maxClientContextBytes} bytes`,
    );
  }
  return encoded;
}

function toBase64(text: string): string {
  // `btoa` takes one byte a character. Small input: it is limited to 3,583 bytes.
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

function isPromiseLike(value: unknown): value is PromiseLike<InvokeInput> {
  return typeof (value as PromiseLike<InvokeInput> | undefined)?.then === 'function';
}

/** By its methods, since a Blob may be of another realm or a polyfill. */
function isBlob(value: object | string): value is Blob {
  return typeof (value as Blob).arrayBuffer === 'function';
}
