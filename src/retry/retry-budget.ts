import { checkOptions, positive } from '../shared/check-options.js';

/** Options of {@link createRetryBudget}. */
export interface RetryBudgetOptions {
  /**
   * How many tokens the budget holds when it is full, as it is at first.
   *
   * @defaultValue `500`, as the AWS SDKs
   */
  readonly capacity?: number;
  /**
   * How many tokens a retry takes; an invocation that completes after retries gives those of its last one back.
   *
   * @defaultValue `5`, as the AWS SDKs for a throttle: a full budget is good for 100 retries
   */
  readonly retryCost?: number;
  /**
   * How many tokens an invocation that completes without a retry gives, up to `capacity`.
   *
   * @defaultValue `1`, as the AWS SDKs: five successes earn a retry
   */
  readonly successRefund?: number;
}

/** A token bucket that streams share: see {@link createRetryBudget}. */
export interface RetryBudget {
  /** How many tokens are left. */
  readonly tokens: number;
  /** Takes what a retry costs; false, and nothing taken, where there is not enough. */
  takeRetry(): boolean;
  /** Gives a retry's tokens back: it was not sent, or it ended in success. */
  returnRetry(): void;
  /** Gives what an invocation without a retry earns by its success. */
  addSuccess(): void;
}

/**
 * A token bucket shared by many streams, so that a failing service is not stormed: while all goes well, every failure
 * may be retried; where most calls fail, the budget soon allows no retries but those that successes pay for.
 *
 * The rule is the AWS SDKs' retry quota. A retry takes `retryCost` tokens, and where they are not there, the error
 * passes through at once. A retry that ends in success gives its tokens back; a success at the first attempt gives
 * `successRefund`. An invocation that is cancelled gives nothing, a wait that is cancelled all. Time gives nothing: a
 * service that fails every call gets `capacity / retryCost` retries in all.
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
