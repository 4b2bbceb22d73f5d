import { asyncScheduler, defer, of, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { checkFunction } from '../shared/check-options.js';

/** What happened in one subscription, from {@link observeInvocation}. Times are milliseconds since the subscription. */
export interface InvocationReport {
  /**
   * - `complete`: the source completed.
   * - `failed`: the source failed, or the function did under `functionErrors: 'emit'`.
   * - `cancelled`: the consumer left before the end.
   */
  readonly outcome: 'complete' | 'failed' | 'cancelled';
  /** Attempts that were begun: 1 without `retryInvocation`. */
  readonly attempts: number;
  /** The request ids of the attempts that were answered, in order. */
  readonly requestIds: readonly string[];
  /** The version that ran last: `$LATEST` or a number. */
  readonly executedVersion?: string;
  /** When the first `head` came. */
  readonly headMs?: number;
  /** When the first chunk came. */
  readonly firstChunkMs?: number;
  /** When the subscription ended. */
  readonly durationMs: number;
  /** Chunks of all attempts, including those that a `restart` made void. */
  readonly chunks: number;
  /** Payload bytes of all attempts, including those that a `restart` made void. */
  readonly bytes: number;
  /** With `failed` only: the source's error; under `functionErrors: 'emit'` the `complete` event. */
  readonly error?: unknown;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A report while it is made. */
type Draft = Mutable<Omit<InvocationReport, 'requestIds' | 'durationMs'>>;

/**
 * Tells an observer how an invocation went, in exactly one report for each subscription, at its end.
 *
 *     source  -h-a--b---(c|)      h: head, a, b: chunks, c: complete
 *     result  -h-a--b---(c|)
 *     report  ----------r         r: the report, with headMs 1, firstChunkMs 3, durationMs 10
 *
 * - **Emits** the source's events, unchanged.
 * - **Completes**, **errors** and **unsubscribes** as the source and its consumer do, each with one report. The
 *   observer is called after the consumer was told of the end.
 * - **Memory** the request ids.
 *
 * Place it after `retryInvocation`, so that one report covers all attempts. What the observer throws is reported as
 * RxJS reports an error of any subscriber (`config.onUnhandledError`) and does not touch the stream. Time is that of
 * RxJS's schedulers, so that marbles test it.
 *
 * @example
 * invokeWithResponseStream(client, { FunctionName: 'chat' })
 *   .pipe(
 *     retryInvocation(),
 *     observeInvocation(({ outcome, firstChunkMs, durationMs }) => logger.info({ outcome, firstChunkMs, durationMs })),
 *     decodeText(),
 *   )
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @param observer - Is called once for each subscription.
 */
export function observeInvocation(
  observer: (report: InvocationReport) => void,
): MonoTypeOperatorFunction<LambdaStreamEvent> {
  checkFunction('observeInvocation', 'observer', observer);
  return (source) =>
    defer(() => {
      const subscribedAt = asyncScheduler.now();
      const elapsedMs = (): number => asyncScheduler.now() - subscribedAt;
      const requestIds = new Set<string>();
      const report: Draft = { outcome: 'complete', attempts: 1, chunks: 0, bytes: 0 };
      /** When the last attempt begins, after its backoff. */
      let attemptMs = 0;

      const fail = (error: unknown): void => {
        report.outcome = 'failed';
        report.error = error;
      };

      return source.pipe(
        tap({
          next(event) {
            if (event.type === 'chunk') {
              report.firstChunkMs ??= elapsedMs();
              report.chunks++;
              report.bytes += event.payload.length;
            } else if (event.type === 'head') {
              report.headMs ??= elapsedMs();
              if (event.executedVersion) report.executedVersion = event.executedVersion;
              if (event.requestId) requestIds.add(event.requestId);
            } else if (event.type === 'retry') {
              report.attempts = event.attempt;
              attemptMs = elapsedMs() + event.delayMs;
            } else if (event.type === 'complete' && event.errorCode !== undefined) {
              fail(event);
            }
          },
          error: fail,
          unsubscribe() {
            if (report.outcome === 'complete') report.outcome = 'cancelled';
            // Left during a backoff: the attempt that was announced has not begun.
            if (elapsedMs() < attemptMs) report.attempts--;
          },
          finalize() {
            // A subscriber of RxJS's own reports what the observer throws.
            // eslint-disable-next-line rxjs-x/no-ignored-error, rxjs-x/no-subscribe-in-pipe -- of() does not fail
            of({ ...report, requestIds: [...requestIds], durationMs: elapsedMs() }).subscribe(observer);
          },
        }),
      );
    });
}
