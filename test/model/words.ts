import { TooManyRequestsException } from '@aws-sdk/client-lambda';
import { isLambdaStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { failures } from './failures.js';
import { inWords, type Bytes } from './rules/events.js';

/** Real bytes as the model has them. */
export const bytesOf = (payload: Uint8Array): Bytes => String.fromCharCode(...payload);

/** A real event in the model's words. */
export function eventInWords(event: LambdaStreamEvent): string {
  switch (event.type) {
    case 'head':
      return inWords({ type: 'head', statusCode: event.statusCode, requestId: event.requestId ?? '' });
    case 'chunk':
    case 'unknown':
      return inWords({ type: event.type, bytes: bytesOf(event.payload) });
    case 'complete':
    case 'http-head':
      return inWords(event);
    case 'retry': {
      const { delivered, error, ...others } = event;
      return inWords({ ...others, ...delivered, error: errorInWords(error) });
    }
  }
}

/** A real error in the model's words; one that a step made is told by its identity. */
export function errorInWords(error: unknown): string {
  const name = Object.entries(failures).find(([, failure]) => failure === error)?.[0];
  if (name !== undefined) return name;
  // Over the wire it is one that the SDK has made.
  if (error instanceof TooManyRequestsException && error.retryAfterSeconds === undefined) return 'throttled';
  if (!isLambdaStreamError(error)) return `unexpected: ${String(error)}`;
  switch (error.code) {
    case 'function-error':
      return `FunctionError ${error.errorCode}`;
    case 'truncated':
      return `TruncatedStreamError after ${error.chunks} chunks, ${error.bytes} bytes`;
    case 'replay-mismatch':
      return `ReplayMismatchError after ${error.deliveredBytes} bytes`;
    case 'replay-limit':
      return `ReplayLimitError ${error.maxReplayBytes}`;
    case 'response-too-large':
      return `ResponseTooLargeError ${error.maxBytes}`;
    case 'invalid-record':
      return `InvalidRecordError in line ${error.line}, byte ${error.offset}`;
    case 'line-too-long':
      return `LineTooLongError in line ${error.line}, byte ${error.offset}`;
    case 'http-status':
      return `HttpStatusError ${error.statusCode} ${bytesOf(error.body)}`;
    default:
      return error.name;
  }
}
