import { assignDefined, excerpt, LambdaStreamError } from './lambda-stream-error.js';

/** The invocation that failed. */
export interface InvocationOrigin {
  /** The function as the input named it: a name or an ARN. Absent where the source is plain HTTP. */
  readonly functionName?: string | undefined;
  /** `x-amzn-requestid`, the id that AWS support and the function's log use. Absent before the response's head. */
  readonly requestId?: string | undefined;
}

/** The facts about a function's failure, from an InvokeComplete with an `ErrorCode`. */
export interface FunctionErrorInit extends InvocationOrigin {
  readonly errorCode: string;
  readonly errorDetails: string;
  readonly logTail?: string | undefined;
}

/** The function itself failed. The stream's InvokeComplete has an `ErrorCode`. */
export class FunctionError extends LambdaStreamError {
  override readonly name = 'FunctionError';
  readonly code = 'function-error';
  /** The function as the input named it. */
  declare readonly functionName?: string;
  /** The request's id, by which the function's log can be found. */
  declare readonly requestId?: string;
  /** AWS's `ErrorCode`, verbatim. An open vocabulary: `Unhandled`, `Runtime.*`, `Function.*`, any class name. */
  declare readonly errorCode: string;
  /** AWS's `ErrorDetails`, verbatim. It is an empty string where AWS sent no details. */
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

/** The facts about a stream that ended too early. */
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

/** Names the function at the beginning of a message. */
function subjectOf({ functionName }: InvocationOrigin): string {
  return functionName === undefined ? 'The function' : `Function "${functionName}"`;
}

/** Names the request within a message. */
function requestText({ requestId }: InvocationOrigin): string {
  return requestId === undefined ? '' : ` (request ${requestId})`;
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
