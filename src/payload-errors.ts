import { excerpt, LambdaStreamError } from './lambda-stream-error.js';

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
