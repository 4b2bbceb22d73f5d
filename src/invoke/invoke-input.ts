import { concatMap, defer, first, type Observable, type ObservableInput } from 'rxjs';
import { plainBytes } from '../shared/bytes.js';

/** A plain object or array that becomes JSON. A promise does not compile here: it would be sent as `{}`. */
type JsonObject = (object & { readonly then?: never }) | { readonly [member: string]: unknown; readonly then?: never };

/**
 * The input of the SDK's `InvokeWithResponseStreamCommand`, except that `Payload` and `ClientContext` also take what
 * applications have at hand.
 *
 * The members are spelled out, so that code without the SDK's package has these types too.
 */
export interface InvokeInput {
  /** A function's name, its ARN, or a partial ARN. */
  readonly FunctionName: string | undefined;
  /**
   * The function's event, at most 6 MB: a string or bytes as they are; a `Blob` or `File`, read anew for each
   * subscription (in Node from `fs.openAsBlob`); a plain object or array as JSON.
   */
  readonly Payload?: string | Uint8Array | ArrayBuffer | ArrayBufferView | Blob | JsonObject | undefined;
  /** A string that is base64 already, or an object, sent as base64 JSON. At most 3,583 bytes in base64. */
  readonly ClientContext?: string | JsonObject | undefined;
  /** An alias or a version. */
  readonly Qualifier?: string | undefined;
  /** `DryRun` checks the parameters and the permission, and does not run the function. */
  readonly InvocationType?: 'RequestResponse' | 'DryRun' | undefined;
  /**
   * `Tail` asks for the last 4 KB of the invocation's log: `logTail` of the `complete` event and of a FunctionError.
   */
  readonly LogType?: 'None' | 'Tail' | undefined;
  /** The tenant of a multi-tenant function, 1 to 256 characters. */
  readonly TenantId?: string | undefined;
}

/** The command's own input, in which payload and context are encoded. */
export interface InvokeCommandInput extends Omit<InvokeInput, 'Payload' | 'ClientContext'> {
  readonly Payload?: Uint8Array;
  readonly ClientContext?: string | undefined;
}

/**
 * An input, or a function that makes one: called once per subscription, so that each attempt can ask for what it needs.
 */
export type InvokeInputSource = InvokeInput | (() => InvokeInput | PromiseLike<InvokeInput> | Observable<InvokeInput>);

/** AWS's limit for the `X-Amz-Client-Context` header, in bytes of base64. */
export const maxClientContextBytes = 3_583;

/** One input: synchronously, unless the source answers with a promise. */
export function askForInvokeInput(source: InvokeInputSource): Observable<InvokeInput> {
  return defer((): ObservableInput<InvokeInput> => {
    const input = typeof source === 'function' ? source() : source;
    return isAnswer(input) ? input : [input];
  }).pipe(
    // An answer without an input becomes one that is refused.
    first(null, { FunctionName: undefined }),
  );
}

/** The command's input, once: synchronously, unless the source is a promise or the payload a Blob. */
export function resolveInvokeInput(source: InvokeInputSource): Observable<InvokeCommandInput> {
  return askForInvokeInput(source).pipe(concatMap(toCommandInput));
}

function toCommandInput(input: InvokeInput): ObservableInput<InvokeCommandInput> {
  assertInvokeInput(input);
  const { Payload, ClientContext, ...members } = input;
  const command = {
    ...members,
    ...(ClientContext !== undefined && { ClientContext: encodeClientContext(ClientContext) }),
  };
  if (Payload === undefined) return [command];
  if (!isBlob(Payload)) return [{ ...command, Payload: encodePayload(Payload) }];
  return Payload.arrayBuffer().then((buffer) => ({ ...command, Payload: new Uint8Array(buffer) }));
}

/**
 * Refuses an input that cannot be sent.
 *
 * @throws TypeError for a missing FunctionName or a Payload that cannot be sent; RangeError for a ClientContext over
 * 3,583 bytes of base64.
 */
export function assertInvokeInput(input: InvokeInput): void {
  const { FunctionName, Payload, ClientContext } = Object(input) as InvokeInput;
  if (typeof FunctionName !== 'string' || FunctionName === '') {
    throw new TypeError('FunctionName must be a non-empty string');
  }
  if (!isSendable(Payload)) {
    throw new TypeError(
      'Payload must be text, bytes, a Blob, or an object or array to send as JSON; a stream has to be read first',
    );
  }
  if (ClientContext !== undefined) encodeClientContext(ClientContext);
}

function isSendable(payload: unknown): boolean {
  if (payload === undefined || typeof payload === 'string') return true;
  // A stream would be sent as the JSON of its inner fields.
  const { getReader, pipe } = Object(payload) as { getReader?: unknown; pipe?: unknown };
  return payload === Object(payload) && typeof payload !== 'function' && typeof (getReader ?? pipe) !== 'function';
}

function encodePayload(payload: string | object): Uint8Array {
  if (ArrayBuffer.isView(payload)) return plainBytes(payload);
  if (isArrayBuffer(payload)) return new Uint8Array(payload);
  return encodeText(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

function encodeClientContext(context: string | object): string {
  const encoded =
    typeof context === 'string'
      ? context
      : // `btoa` takes one byte a character.
        btoa(Array.from(encodeText(JSON.stringify(context)), (byte) => String.fromCharCode(byte)).join(''));
  if (encoded.length > maxClientContextBytes) {
    throw new RangeError(
      `ClientContext is ${encoded.length} bytes of base64, over the limit of ${maxClientContextBytes} bytes`,
    );
  }
  return encoded;
}

function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A promise or an Observable, of whatever library. */
function isAnswer(
  answer: InvokeInput | PromiseLike<InvokeInput> | Observable<InvokeInput>,
): answer is PromiseLike<InvokeInput> | Observable<InvokeInput> {
  const { then, subscribe } = Object(answer) as { then?: unknown; subscribe?: unknown };
  return typeof (then ?? subscribe) === 'function';
}

/** By its methods, since a Blob may be of another realm or a polyfill. */
function isBlob(value: object | string): value is Blob {
  return typeof (value as Blob).arrayBuffer === 'function';
}

/** Of any realm, for which `instanceof` does not hold. */
function isArrayBuffer(value: object | string): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}
