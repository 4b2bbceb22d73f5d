import type { LambdaStreamErrorCode } from './errors.js';

/**
 * Marks the errors of every copy of this package in the process. `instanceof` recognises those of one copy only, and an
 * application may load the ES module and the CommonJS build together.
 */
export const errorBrand: symbol = /* @__PURE__ */ Symbol.for('rx-lambda-stream.error');

/**
 * The base of every error that this package makes itself. What AWS reports (an exception before or within the stream)
 * passes through as the SDK's own exception object, which does not have this base.
 *
 * A message never holds a payload or credentials. The one exception is an excerpt of a record, cut at 200 characters.
 */
export abstract class LambdaStreamError extends Error {
  abstract readonly code: LambdaStreamErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // Not enumerable: it is no field of the error.
    Object.defineProperty(this, errorBrand, { value: true });
  }
}

/** Where a failure happened, as far as it is known. */
export interface InvocationOrigin {
  /** The function as the input named it: a name or an ARN. Absent where the source is plain HTTP. */
  readonly functionName?: string | undefined;
  /** `x-amzn-requestid`, the id that AWS support and the function's log use. Absent before the response's head. */
  readonly requestId?: string | undefined;
}

/** What an InvokeComplete with an `ErrorCode` says of the function's failure. */
export interface FunctionErrorInit extends InvocationOrigin {
  readonly errorCode: string;
  readonly errorDetails: string;
  readonly logTail?: string | undefined;
}

/** The function itself failed: the stream's InvokeComplete carries an `ErrorCode`. */
export class FunctionError extends LambdaStreamError {
  override readonly name = 'FunctionError';
  readonly code = 'function-error';
  /** The function as the input named it. */
  declare readonly functionName?: string;
  /** The request's id, by which the function's log can be found. */
  declare readonly requestId?: string;
  /** AWS's `ErrorCode`, verbatim. An open vocabulary: `Unhandled`, `Runtime.*`, `Function.*`, any class name. */
  declare readonly errorCode: string;
  /** AWS's `ErrorDetails`, verbatim; an empty string where AWS sent none. */
  declare readonly errorDetails: string;
  /** The class of what was thrown, where ErrorDetails is JSON. */
  declare readonly errorType?: string;
  /** The message of what was thrown, where ErrorDetails is JSON. */
  declare readonly errorMessage?: string;
  /** The stack's lines, from the `trace` or `stackTrace` of ErrorDetails. */
  declare readonly trace?: readonly string[];
  /** The last 4 KB of the invocation's log, decoded; with `LogType: 'Tail'` only. */
  declare readonly logTail?: string;

  constructor(init: FunctionErrorInit) {
    const { functionName, requestId, errorCode, errorDetails, logTail } = init;
    const details = parseErrorDetails(errorDetails);
    const thrown = [details.errorType, details.errorMessage].filter(Boolean).join(': ') || errorDetails;
    const what = `${subjectOf(init)} failed with ${errorCode}`;
    super(`${what}${thrown && ` (${excerpt(thrown)})`}${requestText(init)}`);
    assignDefined(this, { functionName, requestId, errorCode, errorDetails, logTail, ...details });
  }
}

/** What is known of a stream that ended too early. */
export interface TruncatedStreamErrorInit extends InvocationOrigin {
  readonly chunks: number;
  readonly bytes: number;
  /** The transport's own error, where the connection broke rather than ended. */
  readonly cause?: unknown;
}

/**
 * The stream ended, or the connection broke, before an InvokeComplete was read. Or the body of an HTTP response was
 * cut.
 *
 * The function may have run, so `retryInvocation` tries again only with `idempotent: true`; after the first chunk it
 * also needs `afterFirstChunk`.
 */
export class TruncatedStreamError extends LambdaStreamError {
  override readonly name = 'TruncatedStreamError';
  readonly code = 'truncated';
  /** The function as the input named it. */
  declare readonly functionName?: string;
  /** The request's id, where the response had begun. */
  declare readonly requestId?: string;
  /** Chunks that were delivered before the cut. */
  declare readonly chunks: number;
  /** Payload bytes that were delivered before the cut. */
  declare readonly bytes: number;

  constructor(init: TruncatedStreamErrorInit) {
    const { functionName, requestId, chunks, bytes } = init;
    const how = init.cause === undefined ? 'ended' : 'broke';
    // An HTTP response has no function's name, and no InvokeComplete.
    const what =
      functionName === undefined
        ? `The body of the HTTP response ${how} before its end`
        : `The response stream of function "${functionName}" ${how} without InvokeComplete`;
    super(
      `${what}, after ${chunks} chunks (${bytes} bytes)${requestText(init)}: ` +
        `the response is not complete. The function may have run, so that a retry needs idempotent: true`,
      init,
    );
    assignDefined(this, { functionName, requestId, chunks, bytes });
  }
}

/**
 * The bytes that arrived do not follow the protocol: a wrong checksum or length, a status 200 whose body is not an
 * event stream, or an HTTP prelude that cannot be read.
 */
export class ProtocolError extends LambdaStreamError {
  override readonly name = 'ProtocolError';
  readonly code = 'protocol';
  /** The function as the input named it. */
  declare readonly functionName?: string;
  /** The request's id, where the response had begun. */
  declare readonly requestId?: string;

  /** @param what - What is wrong, without a full stop. */
  constructor(what: string, init: InvocationOrigin & { readonly cause?: unknown } = {}) {
    const { functionName, requestId } = init;
    const ofFunction = functionName === undefined ? '' : ` (function "${functionName}")`;
    super(`${what}${ofFunction}${requestText(init)}`, init);
    assignDefined(this, { functionName, requestId });
  }
}

/**
 * The bytes of a chunk are gone. Their buffer was transferred: by `postMessage` or `structuredClone` with a transfer
 * list, or by the `enqueue` of a byte stream. Transfer a copy instead: `payload.slice()`.
 */
export class DetachedPayloadError extends LambdaStreamError {
  override readonly name = 'DetachedPayloadError';
  readonly code = 'detached-payload';

  constructor(init: { cause?: unknown } = {}) {
    super(
      "The buffer behind a chunk's payload was transferred, and with it all bytes that were read together: " +
        'transfer a copy instead, payload.slice()',
      init,
    );
  }
}

/** `decodeText({ fatal: true })` met bytes that are not UTF-8. */
export class InvalidTextError extends LambdaStreamError {
  override readonly name = 'InvalidTextError';
  readonly code = 'invalid-text';
}

/** A record is not JSON, or its schema refuses it. */
export class InvalidRecordError extends LambdaStreamError {
  override readonly name = 'InvalidRecordError';
  readonly code = 'invalid-record';
  /** 1-based number of the record's line; blank lines count. */
  declare readonly line: number;
  /** Offset of the line's first byte in the payload, 0-based. */
  declare readonly offset: number;
  /** The line's text, cut at 200 characters. */
  declare readonly text: string;

  /** @param reason - What is wrong with the record, without a full stop. */
  constructor(reason: string, init: { line: number; offset: number; text: string; cause?: unknown }) {
    const { line, offset } = init;
    const text = excerpt(init.text);
    super(`Line ${line} (byte ${offset}): ${reason}: ${text}`, init);
    Object.assign(this, { line, offset, text });
  }
}

/** A line is longer than `maxLineBytes`. */
export class LineTooLongError extends LambdaStreamError {
  override readonly name = 'LineTooLongError';
  readonly code = 'line-too-long';
  /** 1-based number of the line. */
  declare readonly line: number;
  /** Offset of the line's first byte in the payload, 0-based. */
  declare readonly offset: number;
  /** The limit that the line passed, in bytes. */
  declare readonly maxLineBytes: number;

  constructor(init: { line: number; offset: number; maxLineBytes: number }) {
    const { line, offset, maxLineBytes } = init;
    super(`Line ${line} (byte ${offset}) is longer than maxLineBytes (${maxLineBytes} bytes)`);
    Object.assign(this, { line, offset, maxLineBytes });
  }
}

/** The function's own HTTP response (see `decodeHttpResponse`) has a status that the caller counts as failure. */
export class HttpStatusError extends LambdaStreamError {
  override readonly name = 'HttpStatusError';
  readonly code = 'http-status';
  declare readonly statusCode: number;
  declare readonly headers: Readonly<Record<string, string>>;
  /** The response body, up to a stated limit. */
  declare readonly body: Uint8Array;

  constructor(init: { statusCode: number; headers: Readonly<Record<string, string>>; body: Uint8Array }) {
    const { statusCode, headers, body } = init;
    super(`The function answered with HTTP status ${statusCode} (${body.length} bytes of body kept in \`body\`)`);
    Object.assign(this, { statusCode, headers, body });
  }
}

/** A response, or a part of it that has to be held, is larger than the caller's limit. */
export class ResponseTooLargeError extends LambdaStreamError {
  override readonly name = 'ResponseTooLargeError';
  readonly code = 'response-too-large';
  /** The limit that the response passed, in bytes. */
  declare readonly maxBytes: number;

  /** @param what - What is too large, and which option sets the limit. */
  constructor(what: string, init: { maxBytes: number }) {
    const { maxBytes } = init;
    super(`${what} (${maxBytes} bytes)`);
    Object.assign(this, { maxBytes });
  }
}

/** `retryInvocation({ afterFirstChunk: 'replay' })`: the function did not send the same bytes again. */
export class ReplayMismatchError extends LambdaStreamError {
  override readonly name = 'ReplayMismatchError';
  readonly code = 'replay-mismatch';
  /** Bytes that had been delivered and were expected again. */
  declare readonly deliveredBytes: number;

  /** @param init.cause - The error that made the replay necessary. */
  constructor(reason: string, init: { deliveredBytes: number; cause?: unknown }) {
    const { deliveredBytes } = init;
    super(`The replayed response differs from the ${deliveredBytes} bytes already delivered: ${reason}`, init);
    Object.assign(this, { deliveredBytes });
  }
}

/** Names the function at the beginning of a message. */
function subjectOf({ functionName }: InvocationOrigin): string {
  return functionName === undefined ? 'The function' : `Function "${functionName}"`;
}

/** Names the request within a message. */
function requestText({ requestId }: InvocationOrigin): string {
  return requestId === undefined ? '' : ` (request ${requestId})`;
}

/** The longest excerpt of foreign text that an error message may hold, in characters. */
const maxExcerptLength = 200;

export function excerpt(text: string): string {
  return text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}…` : text;
}

/** Sets the fields that have a value, so that an error has no fields that are undefined. */
export function assignDefined(error: Error, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) Object.assign(error, { [name]: value });
  }
}

/** Reads ErrorDetails, which is usually JSON. Other text is found in `errorDetails` only. */
function parseErrorDetails(json: string): {
  errorType: string | undefined;
  errorMessage: string | undefined;
  trace: string[] | undefined;
} {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // Not JSON.
  }
  const { errorType, errorMessage, trace, stackTrace } = Object(parsed) as Readonly<Record<string, unknown>>;
  const lines = trace ?? stackTrace;
  return {
    errorType: typeof errorType === 'string' ? errorType : undefined,
    errorMessage: typeof errorMessage === 'string' ? errorMessage : undefined,
    trace: Array.isArray(lines)
      ? lines.map((line: unknown) => (typeof line === 'string' ? line : describeFrame(line)))
      : undefined,
  };
}

/** Describes a frame of a trace that is not text. */
function describeFrame(frame: unknown): string {
  try {
    return JSON.stringify(frame);
  } catch {
    // Nested too deep for JSON.stringify, though JSON.parse has read it.
    return 'A frame that is not text';
  }
}
