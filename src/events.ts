/**
 * The HTTP response's head. It arrives with the HTTP headers, before the function has written its first byte.
 *
 * After a retry, a new `head` follows for each new connection.
 */
export interface HeadEvent {
  readonly type: 'head';
  /** 200, or 204 for an accepted DryRun; from `fetchResponseStream` the HTTP response's status. */
  readonly statusCode: number;
  /** The version that ran (`x-amz-executed-version`): `$LATEST` or a number. */
  readonly executedVersion?: string;
  /**
   * The function's own content type: `x-amzn-remapped-content-type`, else the HTTP Content-Type.
   * The SDK's `ResponseStreamContentType` is always `application/vnd.amazon.eventstream`.
   */
  readonly contentType?: string;
  /** `x-amzn-requestid`: the id that AWS support and the function's log use. */
  readonly requestId?: string;
  /**
   * All HTTP response headers, names in lower case. A browser has only those that CORS exposes. A mocked client has no
   * headers.
   */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes that the function wrote. Where one chunk ends and the next begins carries no meaning. */
export interface ChunkEvent {
  readonly type: 'chunk';
  /** A plain `Uint8Array`, never a `Buffer`. It may be a view into a larger buffer. Nothing writes to it again. */
  readonly payload: Uint8Array;
}

/**
 * Lambda's message that the function is done: AWS's `InvokeComplete`. The stream completes right after it.
 *
 * An absent `errorCode` does not prove success: Lambda may report a time-out or a throw without it.
 */
export interface CompleteEvent {
  readonly type: 'complete';
  /** Only with `functionErrors: 'emit'`. An open vocabulary: `Unhandled`, `Runtime.*`, `Function.*`, any class name. */
  readonly errorCode?: string;
  /**
   * Only with `functionErrors: 'emit'`. Usually JSON, `{ errorType, errorMessage, trace }`; may be empty or plain text.
   */
  readonly errorDetails?: string;
  /** The last 4 KB of the invocation's log, decoded; with `LogType: 'Tail'` only. */
  readonly logTail?: string;
}

/**
 * The value of one frame header. By its type on the wire: both booleans → `boolean`; byte, short and integer →
 * `number`; long → `bigint`; byte array → `Uint8Array`; string and UUID → `string`; timestamp → `Date`.
 */
export type MessageHeaderValue = boolean | number | bigint | Uint8Array | string | Date;

/** The headers of one frame by name; names that start with a colon belong to the protocol. */
export type MessageHeaders = Readonly<Record<string, MessageHeaderValue>>;

/** An event of a type that is newer than this package. The SDK drops such events, and this package passes them on. */
export interface UnknownEvent {
  readonly type: 'unknown';
  /** The frame's `:event-type`. */
  readonly eventType: string;
  readonly headers: MessageHeaders;
  readonly payload: Uint8Array;
}

/** How the stream goes on after a {@link RetryEvent}. */
export type RetryMode = 'fresh' | 'restart' | 'replay' | 'continue';

/** Announces another attempt, before its backoff begins. From `retryInvocation` only. */
export interface RetryEvent {
  readonly type: 'retry';
  /** The number of the attempt that is about to start: 2 for the first retry. */
  readonly attempt: number;
  /** How long the backoff before that attempt takes, in milliseconds. */
  readonly delayMs: number;
  /** What ended the attempt before it. */
  readonly error: unknown;
  /**
   * - `fresh`: nothing was delivered yet, nothing changes for the consumer.
   * - `restart`: what was delivered is void, all comes again from the start.
   * - `replay`: delivery goes on exactly where it stopped.
   * - `continue`: a new invocation answers from the caller's own cursor; an unfinished record is void.
   */
  readonly mode: RetryMode;
  /** What was delivered so far, over all attempts since the last restart. */
  readonly delivered: { readonly chunks: number; readonly bytes: number };
}

/** The HTTP response that the function wrote: its prelude. From `decodeHttpResponse` and `fetchResponseStream` only. */
export interface HttpHeadEvent {
  readonly type: 'http-head';
  /** The function's own status code. Without one it is 200. */
  readonly statusCode: number;
  /** Names in lower case; several values of one name joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `Set-Cookie` values, one a cookie. Browsers hide them from a page: there it is empty after `fetchResponseStream`.
   */
  readonly cookies: readonly string[];
}

/** Everything that travels through a pipeline of this package, discriminated by `type`. */
export type LambdaStreamEvent = HeadEvent | ChunkEvent | CompleteEvent | UnknownEvent | RetryEvent | HttpHeadEvent;
