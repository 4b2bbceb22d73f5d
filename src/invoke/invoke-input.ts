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
   * subscription (in Node from `fs.openAsBlob`); a plain object or array as JSON. What JSON would show as `{}` (a Map,
   * a promise, an Error) is a TypeError.
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
  const { payload, context } = encodeInput(input);
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the members that are replaced
  const { Payload, ClientContext, ...members } = input;
  const command = { ...members, ...(context !== undefined && { ClientContext: context }) };
  if (!payload) return [command];
  if (!isBlob(payload)) return [{ ...command, Payload: payload }];
  return payload.arrayBuffer().then((buffer) => ({ ...command, Payload: new Uint8Array(buffer) }));
}

/**
 * Refuses an input that cannot be sent. A payload that becomes JSON is encoded to find out, once more than it is sent.
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
  if (typeof payload === 'string') return encodeText(payload);
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
  // Known before the work: base64 has 4 characters for 3 bytes.
  const length = bytes ? 4 * Math.ceil(bytes.length / 3) : (context as string).length;
  if (length > maxClientContextBytes) {
    throw new RangeError(
      `ClientContext is ${length} bytes of base64, over the limit of ${maxClientContextBytes} bytes`,
    );
  }
  // `btoa` takes one byte a character.
  return bytes ? btoa(String.fromCharCode(...bytes)) : (context as string);
}

/** @throws TypeError for what has no JSON, and for a value that JSON shows as `{}` though it holds something. */
function encodeJson(member: string, value: object): Uint8Array {
  const { toJSON, then, subscribe, getReader, pipe } = Object(value) as Readonly<Record<string, unknown>>;
  const isLive = typeof (getReader ?? pipe ?? (toJSON ? undefined : (then ?? subscribe))) === 'function';
  if (typeof value !== 'object' || isLive || (!toJSON && /^(Null|Error)$/.test(tagOf(value)))) {
    throw refusal(member, 'is', value);
  }

  let json: string;
  let hidden: object | undefined;
  try {
    json = JSON.stringify(value);
    if (json === '{}' && !toJSON && !isPlain(value)) hidden = value;
    // Only then is each value looked at, which takes several times as long.
    else if (json.includes('{}')) {
      JSON.stringify(value, (_key, part: unknown) => {
        if (isHidden(part)) hidden ??= part;
        return part;
      });
    }
  } catch (cause) {
    throw new TypeError(
      `${member} has no JSON: a BigInt (send it as text), a cycle, or a toJSON or getter that failed`,
      { cause },
    );
  }
  if (hidden) throw refusal(member, hidden === value ? 'is' : 'holds', hidden);
  return encodeText(json);
}

/** Whether JSON shows this object of the platform's, such as a Map, as `{}`. An application's own may be empty. */
function isHidden(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'length' in value) return false;
  return tagOf(value) !== 'Object' && JSON.stringify(value) === '{}';
}

/** An object literal of any realm, or one without a prototype. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Says what came by its kind, never by its content. */
function refusal(member: string, verb: string, value: unknown): TypeError {
  const { constructor, then, get } = Object(value) as {
    constructor?: { name?: string };
    then?: unknown;
    get?: unknown;
  };
  const tag = tagOf(value);
  const kind = String(tag === 'Object' ? constructor?.name : tag);
  let advice = 'a plain object of what it holds';
  if (then) advice = 'what it resolves to, await it';
  else if (Symbol.iterator in Object(value)) advice = get ? 'Object.fromEntries(it)' : '[...it]';
  return new TypeError(
    `${member} ${verb} ${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}, which JSON cannot show: send ${advice}`,
  );
}

/** The kind of an object of the platform's, of any realm; `Object` for others. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
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
function isBlob(value: object): value is Blob {
  return typeof (value as Blob).arrayBuffer === 'function';
}

/** Of any realm, for which `instanceof` does not hold. */
function isArrayBuffer(value: object): value is ArrayBuffer {
  return tagOf(value) === 'ArrayBuffer';
}
