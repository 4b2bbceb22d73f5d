import { callback, delayMs, flag, limitFrom, oneOf, type OptionRule } from '../shared/check-options.js';
import type { InvocationErrorClass } from './classify-invocation-error.js';
import type { RetryBudget } from './retry-budget.js';

/** Options of `retryInvocation`. */
export interface RetryInvocationOptions {
  /**
   * The largest number of invocations in one subscription. The first one counts. `Infinity` sets no limit.
   *
   * @defaultValue `3`, as the AWS SDKs
   */
  readonly maxAttempts?: number;
  /**
   * The full delay before the first retry, in milliseconds. It doubles with each retry. For a verdict of 'later' it is
   * 10 times as long and grows by half, because a state that changes by itself (a network interface, a snapshot) takes
   * seconds.
   *
   * @defaultValue `500`, the SDK's own base for throttles: most of Lambda's passing failures are throttles
   */
  readonly initialDelayMs?: number;
  /**
   * The longest full delay, in milliseconds. A Retry-After may be longer. `Infinity` sets no limit.
   *
   * @defaultValue `20_000`, as the AWS SDKs
   */
  readonly maxDelayMs?: number;
  /**
   * The longest Retry-After that is waited for, in milliseconds. Up to this limit it is obeyed in full. Where the
   * service asks for more, the error passes through at once. `Infinity` sets no limit.
   *
   * @defaultValue `60_000`, because nobody at a screen waits longer
   */
  readonly maxRetryAfterMs?: number;
  /**
   * The part of the full delay that is waited: random with `'full'`, all with `'none'`, or what a function returns,
   * from 0 to 1. With `'full'`, clients that failed together do not come back together.
   *
   * @defaultValue `'full'`
   */
  readonly jitter?: 'full' | 'none' | (() => number);
  /**
   * Says that the function may run twice for one call. Without this option a failure after which the function may have
   * run (a reset, a timeout, a truncated stream, EFSIOException) is not retried.
   *
   * @defaultValue `false`
   */
  readonly idempotent?: boolean;
  /**
   * What a failure does after the first chunk was delivered:
   *
   * - `'error'`: the error passes through.
   * - `'restart'`: a `retry` event says that what was delivered is void, and everything is delivered again from the
   *   start. Decoders placed after this operator drop what they hold.
   * - `'replay'`: the bytes that were delivered before are held back, and delivery goes on where it stopped. A running
   *   hash proves that the bytes are the same. Other bytes, or fewer, are a `ReplayMismatchError`.
   * - `'continue'`: the input function is called again and makes a request from the caller's own cursor, such as the
   *   last record's id. The new response is delivered after the old one. Decoders drop their unfinished line.
   *
   * Most failures this late (a truncated stream, a timeout) leave open whether the function has run, so that they need
   * `idempotent` as well.
   *
   * @defaultValue `'error'`
   */
  readonly afterFirstChunk?: 'error' | 'restart' | 'replay' | 'continue';
  /**
   * Overrides the verdict on one error. Where it returns `undefined`, `classifyInvocationError` decides.
   *
   * @defaultValue `classifyInvocationError`
   */
  readonly classify?: (error: unknown) => InvocationErrorClass | undefined;
  /**
   * A budget of retries that is shared with other streams, from `createRetryBudget`. Where it is empty, the error
   * passes through.
   *
   * @defaultValue no budget
   */
  readonly budget?: RetryBudget;
}

/** A limit of delays. `Infinity` sets no limit. */
const longestMs: OptionRule = {
  expected: `${delayMs.expected}, or Infinity`,
  isValid: (value) => value === Infinity || delayMs.isValid(value),
  isNumber: true,
};

const budgetRule: OptionRule = {
  expected: 'a budget of createRetryBudget',
  isValid: (value) => typeof (Object(value) as Partial<RetryBudget>).takeRetry === 'function',
};

/** The rule for what `jitter` returns. */
export const fractionRule: OptionRule = {
  expected: 'a number from 0 to 1',
  isValid: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  isNumber: true,
};

/** The rule for what `classify` returns. */
export const verdictRule: OptionRule = {
  expected: '{ verdict, mayHaveRun }',
  isValid: (value) => {
    const { verdict, mayHaveRun } = Object(value) as Partial<InvocationErrorClass>;
    return /^(soon|later|never)$/.test(String(verdict)) && typeof mayHaveRun === 'boolean';
  },
};

/** The rules of {@link RetryInvocationOptions}. */
export const retryRules: Readonly<Record<keyof RetryInvocationOptions, OptionRule>> = {
  maxAttempts: limitFrom(1),
  initialDelayMs: delayMs,
  maxDelayMs: longestMs,
  maxRetryAfterMs: longestMs,
  jitter: oneOf(['full', 'none'], callback),
  idempotent: flag,
  afterFirstChunk: oneOf(['error', 'restart', 'replay', 'continue']),
  classify: callback,
  budget: budgetRule,
};
