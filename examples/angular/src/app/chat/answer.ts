import { toSnapshots, type LambdaStreamEvent, type RetryEvent, type Snapshot } from 'rx-lambda-stream';
import { map, of, switchMap, type OperatorFunction } from 'rxjs';
import { countDown } from '../lambda/count-down';

/** An answer as far as it is there. */
export interface Answer extends Pick<Snapshot, 'status' | 'text' | 'bytes' | 'chunks'> {
  /** With status `retrying`: the event that says when, and why. */
  readonly retry?: RetryEvent;
  /** With status `failed`. */
  readonly error?: unknown;
  /** With status `retrying`: whole seconds until the next attempt. */
  readonly retryInSeconds?: number;
  /** How often the page was told so far: at most once a frame, however many chunks come. */
  readonly updates: number;
}

/** What the page shows of an invocation; while it waits for another attempt, a count-down. */
export function toAnswers(): OperatorFunction<LambdaStreamEvent, Answer> {
  return (source) =>
    source.pipe(
      toSnapshots(),
      switchMap((snapshot) =>
        snapshot.status !== 'retrying'
          ? of(snapshot)
          : countDown(snapshot.retry.delayMs).pipe(map((retryInSeconds) => ({ ...snapshot, retryInSeconds }))),
      ),
      map((snapshot, index) => ({ ...snapshot, updates: index + 1 })),
    );
}
