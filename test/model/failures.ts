import { TruncatedStreamError } from 'rx-lambda-stream';
import { serviceException } from 'rx-lambda-stream/testing';
import type { FailureName } from './rules/failure-facts.js';

/** The error objects of the failures. The same one each time: that it comes through unchanged is told by identity. */
export const failures: Readonly<Record<FailureName, unknown>> = {
  throttled: serviceException('TooManyRequestsException'),
  'throttled for a second': serviceException('TooManyRequestsException', { retryAfterSeconds: 1 }),
  'throttled for ten minutes': serviceException('TooManyRequestsException', { retryAfterSeconds: 600 }),
  'clock corrected': serviceException('InvalidSignatureException', {
    $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
  }),
  'not ready': serviceException('SnapStartNotReadyException'),
  'file system': serviceException('EFSIOException'),
  refused: coded('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'),
  reset: coded('aborted', 'ECONNRESET'),
  truncated: new TruncatedStreamError({ functionName: 'another', chunks: 7, bytes: 7 }),
  'invalid zip': serviceException('InvalidZipFileException'),
  bug: new TypeError('bug'),
  nothing: undefined,
};

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
