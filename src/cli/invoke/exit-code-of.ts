import { classifyInvocationError, isLambdaStreamError, type HeadEvent } from '../../index.js';
import { exitCodes } from '../command-line.js';
import { foreignAnswer, isAboutCredentials } from './describe-error.js';

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPROTO',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The exit code that an invocation's error stands for. */
export function exitCodeOf(error: unknown, head?: HeadEvent): number {
  if (isLambdaStreamError(error)) {
    if (error.code === 'function-error') return exitCodes.functionFailed;
    if (error.code === 'http-status') return exitCodes.httpStatus;
    if (error.code !== 'truncated' && error.code !== 'protocol') return exitCodes.unreadable;
    return foreignAnswer(error, head) === undefined ? exitCodes.broken : exitCodes.unreachable;
  }
  const { code, message, $metadata } = error as {
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  if ($metadata?.httpStatusCode !== undefined) {
    if (classifyInvocationError(error).verdict !== 'never') return exitCodes.unavailable;
    return foreignAnswer(error, head) === undefined ? exitCodes.refused : exitCodes.unreachable;
  }
  if (unreachableCodes.has(code ?? '') || /^ERR_(TLS|SSL)_/.test(code ?? '')) return exitCodes.unreachable;
  if (isAboutCredentials(error) || /region is missing/i.test(message ?? '')) return exitCodes.unreachable;
  return code === 'ECONNRESET' || code === 'EPIPE' ? exitCodes.broken : exitCodes.unexpected;
}
