import { checkOptions, positive } from '../shared/check-options.js';

/** Options of {@link createRetryBudget}. */
export interface RetryBudgetOptions {
  /**
   * How many tokens the full budget holds. A new budget is full.
   *
   * @defaultValue `500`, as the AWS SDKs
   */
  readonly capacity?: number;
  /**
   * How many tokens a retry takes. An invocation that completes after retries returns the tokens of its last retry.
   *
   * @defaultValue `5`, as the AWS SDKs take for a throttle: a full budget pays for 100 retries
   */
  readonly retryCost?: number;
  /**
   * How many tokens an invocation adds that completes without a retry. The budget never passes `capacity`.
   *
   * @defaultValue `1`, as the AWS SDKs add: five successes pay for one retry
   */
  readonly successRefund?: number;
}

/** A token bucket that many streams share: see {@link createRetryBudget}. */
export interface RetryBudget {
  /** How many tokens are left. */
  readonly tokens: number;
  /** Takes the tokens of a retry. Returns false, and takes nothing, where too few are left. */
  takeRetry(): boolean;
  /** Returns the tokens of a retry that was not sent or that ended in success. */
  returnRetry(): void;
  /** Adds the tokens of a success without a retry. */
  addSuccess(): void;
}

/**
 * Makes a token bucket that many streams share, so that retries do not overload a failing service. While most calls
 * succeed, every failure may be retried. Where most calls fail, the budget soon allows only the retries that successes
 * pay for.
 *
 * The rule is the AWS SDKs' retry quota. A retry takes `retryCost` tokens. Where too few tokens are left, the error
 * passes through at once. A retry that ends in success returns its tokens. A success at the first attempt adds
 * `successRefund` tokens. A cancelled wait returns the tokens of its retry, and a cancelled attempt returns none. Time
 * adds no tokens: a service that fails every call gets `capacity / retryCost` retries in all.
 *
 * @example
 * const budget = createRetryBudget(); // one per service, for the life of the application
 * invokeWithResponseStream(client, input).pipe(retryInvocation({ budget }));
 *
 * @throws RangeError for options that are not positive numbers, or a `retryCost` over `capacity`.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html the SDKs' quota
 */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  checkOptions('createRetryBudget', options, { capacity: positive, retryCost: positive, successRefund: positive });
  const { capacity = 500, retryCost = 5, successRefund = 1 } = options;
  if (retryCost > capacity)
    throw new RangeError(`createRetryBudget: retryCost (${retryCost}) is over capacity (${capacity})`);

  let tokens = capacity;
  const give = (more: number): void => {
    tokens = Math.min(capacity, tokens + more);
  };
  return {
    get tokens() {
      return tokens;
    },
    takeRetry() {
      if (tokens < retryCost) return false;
      tokens -= retryCost;
      return true;
    },
    returnRetry: () => give(retryCost),
    addSuccess: () => give(successRefund),
  };
}
