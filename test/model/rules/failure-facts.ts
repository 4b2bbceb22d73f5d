/** What AWS's model says of trying an invocation again that failed in this way. */
export interface FailureFacts {
  readonly verdict: 'soon' | 'later' | 'never';
  readonly mayHaveRun: boolean;
  readonly retryAfterMs?: number;
}

const notRun = { mayHaveRun: false };
const mayHaveRun = { mayHaveRun: true };

/** By name: what steps say, and what a failing run prints. */
export const failureFacts = {
  throttled: { verdict: 'soon', ...notRun },
  'throttled for a second': { verdict: 'soon', retryAfterMs: 1_000, ...notRun },
  'throttled for ten minutes': { verdict: 'soon', retryAfterMs: 600_000, ...notRun },
  'clock corrected': { verdict: 'soon', retryAfterMs: 0, ...notRun },
  'not ready': { verdict: 'later', ...notRun },
  'file system': { verdict: 'later', ...mayHaveRun },
  refused: { verdict: 'soon', ...notRun },
  reset: { verdict: 'soon', ...mayHaveRun },
  truncated: { verdict: 'soon', ...mayHaveRun },
  'invalid zip': { verdict: 'never', ...notRun },
  bug: { verdict: 'never', ...mayHaveRun },
  nothing: { verdict: 'never', ...mayHaveRun },
} as const satisfies Readonly<Record<string, FailureFacts>>;

export type FailureName = keyof typeof failureFacts;
