import {
  Observable,
  filter,
  map,
  retry,
  tap,
  throwError,
  timer,
  type MonoTypeOperatorFunction,
  type ObservableInput,
} from 'rxjs';
import { ReplayMismatchError } from '../errors.js';
import type { LambdaStreamEvent, RetryEvent, RetryMode } from '../events.js';
import { captureContext } from '../shared/async-context.js';
import { callback, checkOptions, delayMs, flag, limitFrom, oneOf, type OptionRule } from '../shared/check-options.js';
import { backoffDelay } from './backoff.js';
import { classifyInvocationError, type InvocationErrorClass } from './classify-invocation-error.js';
import { createReplayGuard } from './replay-guard.js';
import type { RetryBudget } from './retry-budget.js';

/** Options of {@link retryInvocation}. */
export interface RetryInvocationOptions {
  /**
   * How many invocations there are at most, the first one included, over the whole subscription. `Infinity` for no
   * limit.
   *
   * @defaultValue `3`, as the AWS SDKs
   */
  readonly maxAttempts?: number;
  /**
   * The full delay before the first retry, in milliseconds; it doubles with each. For a verdict of 'later' it is 10
   * times as long and grows by half: a state that changes by itself (a network interface, a snapshot) takes seconds.
   *
   * @defaultValue `500`, the SDK's own base for throttles, which most of Lambda's passing failures are
   */
  readonly initialDelayMs?: number;
  /**
   * The longest full delay, in milliseconds. A Retry-After may be longer.
   *
   * @defaultValue `20_000`, as the AWS SDKs
   */
  readonly maxDelayMs?: number;
  /**
   * The longest Retry-After that is waited for, in milliseconds: it is obeyed in full. Where the service asks for more,
   * the error passes through at once.
   *
   * @defaultValue `60_000`: no one at a screen waits longer
   */
  readonly maxRetryAfterMs?: number;
  /**
   * Which part of the full delay is waited: `'full'` a random one from nothing to all, so that clients that failed
   * together do not come back together; `'none'` all of it; or a function that returns a number in [0, 1].
   *
   * @defaultValue `'full'`
   */
  readonly jitter?: 'full' | 'none' | (() => number);
  /**
   * Says that the function may run twice for one call. Without it, a failure after which it may have run (a reset, a
   * timeout, a truncated stream, EFSIOException) is not retried.
   *
   * @defaultValue `false`
   */
  readonly idempotent?: boolean;
  /**
   * What happens after the first chunk was delivered:
   *
   * - `'error'`: the error passes through.
   * - `'restart'`: a `retry` event says that what was delivered is void; all is delivered again from the start.
   *   Decoders placed after drop what they hold.
   * - `'replay'`: what was delivered already is held back, and proved by a running hash to be the same bytes; delivery
   *   goes on where it stopped. Other bytes, or fewer, are a `ReplayMismatchError`.
   * - `'continue'`: the input function is called again and answers from the caller's own cursor, say the last record's
   *   id; what then comes is delivered. Decoders drop their unfinished line.
   *
   * Most failures this late (a truncated stream, a timeout) are of functions that may have run: they need
   * `idempotent` as well.
   *
   * @defaultValue `'error'`
   */
  readonly afterFirstChunk?: 'error' | 'restart' | 'replay' | 'continue';
  /**
   * Overrides the verdict on one error. What it returns is believed; `undefined` falls back to
   * {@link classifyInvocationError}.
   *
   * @defaultValue {@link classifyInvocationError}
   */
  readonly classify?: (error: unknown) => InvocationErrorClass | undefined;
  /**
   * A budget of retries shared with other streams, from `createRetryBudget`. Where it is empty, the error passes
   * through.
   *
   * @defaultValue no budget
   */
  readonly budget?: RetryBudget;
}

/** A limit of delays, which Infinity lifts. */
const longestMs: OptionRule = {
  expected: `${delayMs.expected}, or Infinity`,
  isValid: (value) => value === Infinity || delayMs.isValid(value),
  isNumber: true,
};

const budgetRule: OptionRule = {
  expected: 'a budget of createRetryBudget',
  isValid: (value) => typeof (Object(value) as Partial<RetryBudget>).takeRetry === 'function',
};

const rules: Readonly<Record<keyof RetryInvocationOptions, OptionRule>> = {
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

/**
 * Events of an invocation that is tried again where the exception's type says that it makes sense.
 *
 *     first   -#                   #: throttled
 *     second         --h-a-(c|)    h: head, a: chunk, c: complete
 *     result  -r 9ms --h-a-(c|)    r: retry, with a delay of 10 ms
 *
 * - **Emits** the events of all attempts; before each wait a `retry` event, after it a `head` for each new connection.
 * - **Completes** with the attempt that does.
 * - **Errors** with an attempt's error, unchanged, where it is of no use to try again ({@link
 *   classifyInvocationError}), where the function may have run and `idempotent` is not set, after the first chunk
 *   unless `afterFirstChunk` says how, with the last attempt, for a Retry-After over `maxRetryAfterMs`, and on an empty
 *   budget; `ReplayMismatchError`; what `classify` throws.
 * - **Unsubscribing** cancels the attempt or the wait; nothing more is sent, no timer is left.
 * - **Memory** a few counters, and a hash of 64 bits under `'replay'`.
 *
 * The waits are `jitter × min(maxDelayMs, initialDelayMs × 2ⁿ)`, or the service's Retry-After where that is longer. All
 * time comes from RxJS, so that a `TestScheduler` drives it.
 *
 * Place it right after the invocation: `timeout({ first, each })` before it bounds each attempt, after it the whole
 * with its waits; `shareInvocation` after it shares the attempts; `sdkRetries` stays off, or both would multiply.
 * RxJS's own `retry` in its place retries what can never succeed and delivers twice; its `resetOnSuccess` never ends,
 * since each attempt's `head` counts as a success.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { prompt } })
 *   .pipe(retryInvocation({ maxAttempts: 4 }), decodeText())
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @example
 * // The input function is asked again before each attempt, and goes on after the last record that arrived.
 * let after = 0;
 * invokeWithResponseStream(client, () => ({ FunctionName: 'rows', Payload: { after } })).pipe(
 *   retryInvocation({ idempotent: true, afterFirstChunk: 'continue' }),
 *   parseNdjson<{ id: number }>(),
 *   tap((row) => (after = row.id)),
 * );
 *
 * @throws TypeError at the call for an option of another type, RangeError for one outside its range. Delays go up to
 * 2,147,483,647 ms, the longest of timers.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html the SDKs' defaults
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ why full jitter
 */
export function retryInvocation(options: RetryInvocationOptions = {}): MonoTypeOperatorFunction<LambdaStreamEvent> {
  checkOptions('retryInvocation', options, rules);
  const {
    maxAttempts = 3,
    initialDelayMs = 500,
    maxDelayMs = 20_000,
    maxRetryAfterMs = 60_000,
    jitter = 'full',
    idempotent = false,
    afterFirstChunk = 'error',
    classify,
    budget,
  } = options;
  const fraction = jitter === 'full' ? Math.random : jitter === 'none' ? () => 1 : jitter;

  return (source) =>
    new Observable((subscriber) => {
      // Each attempt runs in the async context of the subscription, and not in that of the attempt before it.
      const runInContext = captureContext();
      const guard = createReplayGuard(afterFirstChunk === 'replay');
      let attempt = 1;
      let waiting = false;

      subscriber.add(() => {
        // What the retry would have cost was not spent.
        if (waiting) budget?.returnRetry();
      });

      /** What RxJS's `retry` does with an attempt's error: to emit is to try again, to error is to give up. */
      function nextAttempt(error: unknown): ObservableInput<unknown> {
        const errorClass = classify?.(error) ?? classifyInvocationError(error);
        const delivered = guard.delivered();
        const mode: RetryMode | 'error' = delivered.chunks === 0 ? 'fresh' : afterFirstChunk;
        if (
          error instanceof ReplayMismatchError ||
          errorClass.verdict === 'never' ||
          mode === 'error' ||
          attempt >= maxAttempts ||
          (errorClass.mayHaveRun && !idempotent) ||
          (errorClass.retryAfterMs ?? 0) > maxRetryAfterMs
        ) {
          return throwError(() => error as Error);
        }
        // A jitter that throws becomes the stream's error, and costs the budget nothing.
        const delayMs = backoffDelay(errorClass, attempt - 1, checkFraction(fraction()), {
          initialDelayMs,
          maxDelayMs,
        });
        if (budget?.takeRetry() === false) return throwError(() => error as Error);
        attempt++;
        waiting = true;
        guard.begin(mode, error);
        const event: RetryEvent = { type: 'retry', attempt, delayMs, error, mode, delivered };
        runInContext(() => subscriber.next(event), undefined);
        // Also for no delay at all: a source that fails synchronously then does not grow the stack.
        return timer(delayMs);
      }

      const attempts = new Observable<LambdaStreamEvent>((attemptSubscriber) => {
        waiting = false;
        return runInContext((target) => source.subscribe(target), attemptSubscriber);
      });
      return attempts
        .pipe(
          map((event) => guard.take(event)),
          filter((event) => event !== undefined),
          tap({
            complete() {
              guard.end();
              if (attempt === 1) budget?.addSuccess();
              else budget?.returnRetry();
            },
          }),
          retry({ delay: nextAttempt }),
        )
        .subscribe(subscriber);
    });
}

/** @throws RangeError for a jitter outside of its range. */
function checkFraction(fraction: number): number {
  if (fraction >= 0 && fraction <= 1) return fraction;
  throw new RangeError(`retryInvocation: jitter must return a number from 0 to 1, not ${fraction}`);
}
