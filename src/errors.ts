/** The `code` of every {@link LambdaStreamError}. */
export type LambdaStreamErrorCode =
  | 'function-error'
  | 'truncated'
  | 'detached-payload'
  | 'protocol'
  | 'invalid-text'
  | 'invalid-record'
  | 'line-too-long'
  | 'response-too-large'
  | 'replay-limit'
  | 'http-status'
  | 'replay-mismatch';

/**
 * The base of every error that this package makes itself. What AWS reports (an exception before or within the stream)
 * passes through as the SDK's own exception object and is not one of these.
 *
 * Messages never hold a payload or credentials; an excerpt of a record, cut at 200 characters, is the exception.
 */
export abstract class LambdaStreamError extends Error {
  abstract readonly code: LambdaStreamErrorCode;
}

/** What an InvokeComplete with an `ErrorCode` says of the function's failure. */
export interface FunctionErrorInit {
  readonly functionName: string;
  readonly errorCode: string;
  readonly errorDetails: string;
  readonly logTail?: string | undefined;
}

/** The function itself failed: the stream's InvokeComplete carries an `ErrorCode`. */
export class FunctionError extends LambdaStreamError {
  override readonly name = 'FunctionError';
  readonly code = 'function-error';
  /** AWS's `ErrorCode`, verbatim. An open vocabulary: `Unhandled`, `Runtime.*`, `Function.*`, any class name. */
  declare readonly errorCode: string;
  /** AWS's `ErrorDetails`, verbatim; an empty string where there are none. */
  declare readonly errorDetails: string;
  /** From ErrorDetails where that is JSON: the class of what was thrown. */
  declare readonly errorType?: string;
  /** From ErrorDetails where that is JSON: the message of what was thrown. */
  declare readonly errorMessage?: string;
  /** From ErrorDetails where that is JSON (`trace` or `stackTrace`): one line a frame. */
  declare readonly trace?: readonly string[];
  /** The last 4 KB of the invocation's log, decoded; with `LogType: 'Tail'` only. */
  declare readonly logTail?: string;

  constructor(init: FunctionErrorInit) {
    const { functionName, errorCode, errorDetails, logTail } = init;
    const details = parseErrorDetails(errorDetails);
    const thrown = [details.errorType, details.errorMessage].filter(Boolean).join(': ') || errorDetails;
    super(`Function "${functionName}" failed with ${errorCode}${thrown && ` (${excerpt(thrown)})`}`);
    assignDefined(this, { errorCode, errorDetails, logTail, ...details });
  }
}

/**
 * The stream ended, or the connection broke, before an InvokeComplete was read; or the body of an HTTP response was
 * cut.
 */
export class TruncatedStreamError extends LambdaStreamError {
  override readonly name = 'TruncatedStreamError';
  readonly code = 'truncated';
  /** Chunks that were delivered before the cut. */
  declare readonly chunks: number;
  /** Payload bytes that were delivered before the cut. */
  declare readonly bytes: number;

  /**
   * @param init.functionName - Absent for an HTTP response, which has no InvokeComplete.
   * @param init.cause - The transport's own error, where the connection broke rather than ended.
   */
  constructor(init: { functionName?: string; chunks: number; bytes: number; cause?: unknown }) {
    const { functionName, chunks, bytes } = init;
    const how = init.cause === undefined ? 'ended' : 'broke';
    const what =
      functionName === undefined
        ? `The body of the HTTP response ${how} before its end`
        : `The response stream of function "${functionName}" ${how} without InvokeComplete`;
    super(
      `${what}, ` +
        `after ${chunks} chunks (${bytes} bytes): the response is not complete, and the function may have run`,
      init,
    );
    Object.assign(this, { chunks, bytes });
  }
}

/**
 * What arrived is not what this operation sends: a bad checksum or length, a 200 that is no event stream, a prelude of
 * an HTTP response that is none.
 */
export class ProtocolError extends LambdaStreamError {
  override readonly name = 'ProtocolError';
  readonly code = 'protocol';
}

/**
 * The bytes of a chunk are gone: their buffer was transferred, by `postMessage` or `structuredClone` with a transfer
 * list, or by a byte stream's `enqueue`. Transfer a copy instead: `payload.slice()`.
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

/** A record that is no JSON, or that its schema refuses. */
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

/** A line longer than `maxLineBytes`. */
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

/** A late subscriber of `shareInvocation` asks for a start that is no longer held. */
export class ReplayLimitError extends LambdaStreamError {
  override readonly name = 'ReplayLimitError';
  readonly code = 'replay-limit';
  /** The limit that the shared stream passed before this subscriber came, in bytes. */
  declare readonly maxReplayBytes: number;

  constructor(init: { maxReplayBytes: number }) {
    const { maxReplayBytes } = init;
    super(
      `The shared response has passed maxReplayBytes (${maxReplayBytes} bytes) and cannot be replayed from its start: ` +
        `subscribe earlier, or raise the limit`,
    );
    Object.assign(this, { maxReplayBytes });
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

const codesByName: Readonly<Record<string, LambdaStreamErrorCode>> = {
  FunctionError: 'function-error',
  TruncatedStreamError: 'truncated',
  ProtocolError: 'protocol',
  DetachedPayloadError: 'detached-payload',
  InvalidTextError: 'invalid-text',
  InvalidRecordError: 'invalid-record',
  LineTooLongError: 'line-too-long',
  ResponseTooLargeError: 'response-too-large',
  ReplayLimitError: 'replay-limit',
  HttpStatusError: 'http-status',
  ReplayMismatchError: 'replay-mismatch',
};

/**
 * Tells whether an error is one of this package's own, by its name and code: holds across ESM and CommonJS copies of
 * the package in one process, where `instanceof` does not.
 */
export function isLambdaStreamError(error: unknown): error is LambdaStreamError {
  if (typeof error !== 'object' || error === null) return false;
  const { name, code } = error as { name?: unknown; code?: unknown };
  return typeof name === 'string' && Object.hasOwn(codesByName, name) && codesByName[name] === code;
}

/** The longest excerpt of foreign text that an error message may hold, in characters. */
const maxExcerptLength = 200;

function excerpt(text: string): string {
  return text.length > maxExcerptLength ? `${text.slice(0, maxExcerptLength)}…` : text;
}

/** Sets the fields that have a value: an error holds what it documents and nothing else. */
function assignDefined(error: Error, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) Object.assign(error, { [name]: value });
  }
}

/** Reads ErrorDetails, which is usually JSON. Where it is not, its raw text stands in `errorDetails` alone. */
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
      ? lines.map((line: unknown) => (typeof line === 'string' ? line : JSON.stringify(line)))
      : undefined,
  };
}
