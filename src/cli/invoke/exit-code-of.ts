import { classifyInvocationError, isLambdaStreamError, type HeadEvent } from '../../index.js';
import { networkFailureOf, type TransportErrorLike } from '../../retry/network-failures.js';
import { exitCodes } from '../command-line.js';
import { foreignAnswer, isAboutCredentials } from './describe-error.js';

/** Returns the exit code for an invocation's error. */
export function exitCodeOf(error: unknown, head?: HeadEvent): number {
  if (isLambdaStreamError(error)) {
    if (error.code === 'function-error') return exitCodes.functionFailed;
    if (error.code === 'http-status') return exitCodes.httpStatus;
    if (error.code !== 'truncated' && error.code !== 'protocol') return exitCodes.unreadable;
    return foreignAnswer(error, head) === undefined ? exitCodes.broken : exitCodes.unreachable;
  }
  const { message, $metadata } = error as {
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  if ($metadata?.httpStatusCode !== undefined) {
    if (classifyInvocationError(error).verdict !== 'never') return exitCodes.unavailable;
    return foreignAnswer(error, head) === undefined ? exitCodes.refused : exitCodes.unreachable;
  }
  const failure = networkFailureOf(Object(error) as TransportErrorLike);
  if (failure === 'never sent') return exitCodes.unreachable;
  if (isAboutCredentials(error) || /region is missing/i.test(message ?? '')) return exitCodes.unreachable;
  return failure === 'may have run' ? exitCodes.broken : exitCodes.unexpected;
}
