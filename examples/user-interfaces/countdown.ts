import type { RetryEvent, Snapshot } from 'rx-lambda-stream';
import { distinctUntilChanged, map, of, switchMap, takeWhile, timer, type Observable } from 'rxjs';

/** The line below an answer: 'attempt 2 of 4, again in 1.2 s' while it waits for an attempt, and otherwise ''. */
export function retryLine(snapshots: Observable<Snapshot>, maxAttempts: number): Observable<string> {
  return snapshots.pipe(
    switchMap((snapshot) => (snapshot.status === 'retrying' ? countDown(snapshot.retry, maxAttempts) : of(''))),
    distinctUntilChanged(),
  );
}

function countDown({ attempt, delayMs }: RetryEvent, maxAttempts: number): Observable<string> {
  return timer(0, 100).pipe(
    map((tick) => delayMs - tick * 100),
    takeWhile((leftMs) => leftMs > 0, true),
    map((leftMs) => {
      const when = leftMs > 0 ? `again in ${(leftMs / 1000).toFixed(1)} s` : 'connecting';
      return `attempt ${attempt} of ${maxAttempts}, ${when}`;
    }),
  );
}
