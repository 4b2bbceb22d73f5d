import { LambdaServiceException } from '@aws-sdk/client-lambda';
import { isLambdaStreamError, type LambdaStreamEvent } from 'rx-lambda-stream';
import { fromBytes, lineOf } from './expected/events.js';
import { failures, type Failure } from './expected/failures.js';

/** A real event as a line of text. */
export function lineOfEvent(event: LambdaStreamEvent): string {
  switch (event.type) {
    case 'head':
      return lineOf({ type: 'head', statusCode: event.statusCode, requestId: event.requestId ?? '' });
    case 'chunk':
    case 'unknown':
      return lineOf({ type: event.type, bytes: fromBytes(event.payload) });
    case 'complete':
      return lineOf(event);
    case 'retry': {
      const { delivered, error, ...others } = event;
      return lineOf({ ...others, ...delivered, error: lineOfError(error) });
    }
    case 'http-head':
      return 'http-head, which no pipeline here decodes';
  }
}

/** A real error as a line of text: its name in the table of failures, or what this package says. */
export function lineOfError(error: unknown): string {
  const known = Object.entries<Failure>(failures).find(([, failure]) => isFailure(error, failure));
  if (known) return known[0];
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
    default:
      return error.name;
  }
}

/** The SDK makes an exception itself; another error must be the very object of the table. */
function isFailure(error: unknown, failure: Failure): boolean {
  if (!(error instanceof LambdaServiceException)) return failure.error !== undefined && failure.error === error;
  const { retryAfterSeconds } = error as { readonly retryAfterSeconds?: string };
  return failure.exception?.name === error.name && String(failure.retryAfter) === String(retryAfterSeconds);
}
