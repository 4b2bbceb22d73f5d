import { classifyInvocationError, isLambdaStreamError } from '../../index.js';
import { exitCodes } from '../exit-codes.js';

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The exit code that an invocation's error stands for. */
export function exitCodeOf(error: unknown): number {
  const { name, code, message, $metadata } = error as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  if (isLambdaStreamError(error)) {
    if (code === 'function-error') return exitCodes.functionFailed;
    return code === 'truncated' || code === 'protocol' ? exitCodes.broken : exitCodes.unreadable;
  }
  if ($metadata?.httpStatusCode !== undefined) {
    return classifyInvocationError(error).verdict === 'never' ? exitCodes.refused : exitCodes.unavailable;
  }
  if (unreachableCodes.has(code ?? '')) return exitCodes.unreachable;
  if (name === 'CredentialsProviderError' || /region is missing|credential/i.test(message ?? '')) {
    return exitCodes.unreachable;
  }
  return code === 'ECONNRESET' || code === 'EPIPE' ? exitCodes.broken : exitCodes.unexpected;
}
