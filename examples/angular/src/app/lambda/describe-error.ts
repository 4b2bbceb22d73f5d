import { FunctionError, TruncatedStreamError } from 'rx-lambda-stream';

/** What a person can do with an error. The error itself belongs into the log. */
export function describeError(error: unknown): string {
  if (error instanceof TruncatedStreamError) return 'The connection broke before the end.';
  if (error instanceof FunctionError) return 'The function failed while it was answering.';
  switch (error instanceof Error ? error.name : undefined) {
    case 'TooManyRequestsException':
      return 'Too many requests right now.';
    case 'ResourceNotFoundException':
      return 'There is no such function.';
    case 'AccessDeniedException':
    case 'UnrecognizedClientException':
    case 'ExpiredTokenException':
      return 'You are not allowed to call this function.';
    case 'TypeError':
      return 'The service could not be reached.';
    default:
      return 'Something went wrong.';
  }
}
