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
import { checkOptions, checkValue } from '../shared/check-options.js';
import { backoffDelay } from './backoff.js';
import { classifyInvocationError } from './classify-invocation-error.js';
import { createReplayGuard } from './replay-guard.js';
import { fractionRule, retryRules, verdictRule, type RetryInvocationOptions } from './retry-options.js';

/**
 * Emits the events of an invocation, and tries again where the type of the exception says that this makes sense.
 *
 *     first   -#                   #: throttled
 *     second         --h-a-(c|)    h: head, a: chunk, c: complete
 *     result  -r 9ms --h-a-(c|)    r: retry, with a delay of 10 ms
 *
 * - **Emits** the events of all attempts. A `retry` event precedes each wait, and a `head` comes with each new
 *   connection.
 * - **Completes** when an attempt completes.
 * - **Errors** with an attempt's error, unchanged: where it is of no use to try again
 *   ({@link classifyInvocationError}); where the function may have run and `idempotent` is not set; after the first
 *   chunk unless `afterFirstChunk` says how to go on; after the last attempt; for a Retry-After over `maxRetryAfterMs`;
 *   on an empty budget. Errors also with `ReplayMismatchError`, with what `classify` or `jitter` throws, and with a
 *   TypeError or RangeError for what they return.
 * - **Unsubscribing** cancels the attempt or the wait. Nothing more is sent, and no timer is left.
 * - **Memory** a few counters, and a hash of 64 bits under `'replay'`.
 *
 * The waits are `jitter × min(maxDelayMs, initialDelayMs × 2ⁿ)`, or the service's Retry-After where that is longer.
 * All time comes from RxJS, so that a `TestScheduler` drives it.
 *
 * Place it right after the invocation. `timeout({ first, each })` before it limits each attempt, and after it the whole
 * with its waits. `shareInvocation` after it shares the attempts. Leave `sdkRetries` off, because both would multiply.
 * RxJS's own `retry` in its place retries what can never succeed, and delivers twice. Its `resetOnSuccess` never ends,
 * because each attempt's `head` counts as a success.
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
  checkOptions('retryInvocation', options, retryRules);
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
        // The announced retry was not sent. So the budget gets its tokens back.
        if (waiting) budget?.returnRetry();
      });

      /** Tells RxJS's `retry` what to do after an attempt's error: a value means to try again, an error to give up. */
      function nextAttempt(error: unknown): ObservableInput<unknown> {
        const errorClass = classify?.(error) ?? classifyInvocationError(error);
        checkValue('retryInvocation', 'classify()', errorClass, verdictRule);
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
        // An error of the jitter becomes the stream's error, and takes no tokens from the budget.
        const part = fraction();
        checkValue('retryInvocation', 'jitter()', part, fractionRule);
        const delayMs = backoffDelay(errorClass, attempt - 1, part, {
          initialDelayMs,
          maxDelayMs,
        });
        if (budget?.takeRetry() === false) return throwError(() => error as Error);
        attempt++;
        waiting = true;
        guard.begin(mode, error);
        const event: RetryEvent = { type: 'retry', attempt, delayMs, error, mode, delivered };
        runInContext(() => subscriber.next(event), undefined);
        // A timer is used also without a delay, so that a source that fails synchronously does not grow the stack.
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
