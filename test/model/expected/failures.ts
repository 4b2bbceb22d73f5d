/** A way to fail, and what AWS's documentation says of trying again. */
export interface Failure {
  readonly verdict: 'soon' | 'later' | 'never';
  readonly mayHaveRun: boolean;
  /** Seconds, as the header `Retry-After` has them. */
  readonly retryAfter?: number;
  /** The exception that Lambda answers with, before or within the stream. */
  readonly exception?: { readonly name: string; readonly statusCode: number };
  /** The error of the connection, before the headers. */
  readonly error?: unknown;
}

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });
const throttled = { name: 'TooManyRequestsException', statusCode: 429 };

export const failures = {
  throttled: { verdict: 'soon', mayHaveRun: false, exception: throttled },
  'throttled for a second': { verdict: 'soon', mayHaveRun: false, retryAfter: 1, exception: throttled },
  'throttled for ten minutes': { verdict: 'soon', mayHaveRun: false, retryAfter: 600, exception: throttled },
  'not ready': {
    verdict: 'later',
    mayHaveRun: false,
    exception: { name: 'SnapStartNotReadyException', statusCode: 409 },
  },
  'file system': { verdict: 'later', mayHaveRun: true, exception: { name: 'EFSIOException', statusCode: 410 } },
  'invalid zip': {
    verdict: 'never',
    mayHaveRun: false,
    exception: { name: 'InvalidZipFileException', statusCode: 502 },
  },
  refused: { verdict: 'soon', mayHaveRun: false, error: coded('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED') },
  reset: { verdict: 'soon', mayHaveRun: true, error: coded('aborted', 'ECONNRESET') },
  bug: { verdict: 'never', mayHaveRun: true, error: new TypeError('bug') },
} as const satisfies Readonly<Record<string, Failure>>;

export type FailureName = keyof typeof failures;
