import { concatMap, defer, first, type Observable, type ObservableInput } from 'rxjs';
import { maxClientContextBytes, plainBytes } from '../shared/bytes.js';
import { encodeJson, tagOf } from './encode-json.js';

/** A plain object or array that becomes JSON. A promise does not compile, because it would be sent as `{}`. */
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
   * The function's event, at most 6 MB. A string or bytes are sent unchanged. A `Blob` or `File` (in Node from
   * `fs.openAsBlob`) is read anew for each subscription. A plain object or array is sent as JSON. An object that JSON
   * would show as `{}` (a Map, a promise, an Error) is a TypeError.
   */
  readonly Payload?: string | Uint8Array | ArrayBuffer | ArrayBufferView | Blob | JsonObject | undefined;
  /** A string in base64, or an object that is sent as JSON in base64. At most 3,583 bytes of base64. */
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

/** An input, or a function that makes one. The function is called once per subscription, and so for each attempt. */
export type InvokeInputSource = InvokeInput | (() => InvokeInput | PromiseLike<InvokeInput> | Observable<InvokeInput>);

/** Emits one input. It emits synchronously, except where the source returns a promise. */
export function askForInvokeInput(source: InvokeInputSource): Observable<InvokeInput> {
  return defer((): ObservableInput<InvokeInput> => {
    const input = typeof source === 'function' ? source() : source;
    return isAnswer(input) ? input : [input];
  }).pipe(
    // An Observable without a value becomes an input that is refused.
    first(null, { FunctionName: undefined }),
  );
}

/** Emits the command's input once. It emits synchronously, except for a promise of an input and for a Blob. */
export function resolveInvokeInput(source: InvokeInputSource): Observable<InvokeCommandInput> {
  return askForInvokeInput(source).pipe(concatMap(toCommandInput));
}

function toCommandInput(input: InvokeInput): ObservableInput<InvokeCommandInput> {
  const { payload, context } = encodeInput(input);
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the members that are replaced
  const { Payload, ClientContext, ...members } = input;
  const command = { ...members, ...(context !== undefined && { ClientContext: context }) };
  if (!payload) return [command];
  if (!isBlob(payload)) return [{ ...command, Payload: payload }];
  return payload.arrayBuffer().then((buffer) => ({ ...command, Payload: new Uint8Array(buffer) }));
}

/**
 * Refuses an input that cannot be sent. For this check it encodes a payload that becomes JSON.
 *
 * @throws TypeError for a missing FunctionName, and a Payload or ClientContext that cannot be sent; RangeError for a
 * ClientContext over 3,583 bytes of base64.
 */
export function assertInvokeInput(input: InvokeInput): void {
  encodeInput(input);
}

function encodeInput(input: InvokeInput) {
  const { FunctionName, Payload, ClientContext } = Object(input) as InvokeInput;
  if (typeof FunctionName !== 'string' || FunctionName === '') {
    throw new TypeError('FunctionName must be a non-empty string');
  }
  return {
    payload: Payload === undefined ? undefined : encodePayload(Payload),
    context: ClientContext === undefined ? undefined : encodeClientContext(ClientContext),
  };
}

function encodePayload(payload: string | object): Uint8Array | Blob {
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (!ArrayBuffer.isView(payload) && !isArrayBuffer(payload)) {
    return payload === Object(payload) && isBlob(payload) ? payload : encodeJson('Payload', payload);
  }
  try {
    return ArrayBuffer.isView(payload) ? plainBytes(payload) : new Uint8Array(payload);
  } catch (cause) {
    throw new TypeError('Payload is empty, since its buffer was transferred: transfer a copy instead, slice()', {
      cause,
    });
  }
}

function encodeClientContext(context: string | object): string {
  const bytes = typeof context === 'string' ? undefined : encodeJson('ClientContext', context);
  // The length is known without encoding: base64 has 4 characters for 3 bytes.
  const length = bytes ? 4 * Math.ceil(bytes.length / 3) : (context as string).length;
  if (length > maxClientContextBytes) {
    throw new RangeError(
      `ClientContext is ${length} bytes of base64, over the limit of ${maxClientContextBytes} bytes`,
    );
  }
  // `btoa` takes one byte a character.
  return bytes ? btoa(String.fromCharCode(...bytes)) : (context as string);
}

/** Tells a promise or an Observable of any library. */
function isAnswer(
  answer: InvokeInput | PromiseLike<InvokeInput> | Observable<InvokeInput>,
): answer is PromiseLike<InvokeInput> | Observable<InvokeInput> {
  const { then, subscribe } = Object(answer) as { then?: unknown; subscribe?: unknown };
  return typeof (then ?? subscribe) === 'function';
}

/** Tells a Blob by its methods, because it may be of another realm or a polyfill. */
function isBlob(value: object): value is Blob {
  return typeof (value as Blob).arrayBuffer === 'function';
}

/** Tells an ArrayBuffer of any realm. `instanceof` knows only those of this realm. */
function isArrayBuffer(value: object): value is ArrayBuffer {
  return tagOf(value) === 'ArrayBuffer';
}
