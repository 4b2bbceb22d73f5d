import { interval, map, startWith, takeWhile, type Observable } from 'rxjs';

/**
 * Whole seconds until something is due, rounded up: at once, then each second down to one.
 *
 *     result  3 999ms 2 999ms (1|)      of 2,500 ms
 */
export function countDown(delayMs: number): Observable<number> {
  return interval(1_000).pipe(
    map((index) => index + 1),
    startWith(0),
    map((elapsedSeconds) => Math.ceil(delayMs / 1_000 - elapsedSeconds)),
    takeWhile((seconds) => seconds > 1, true),
  );
}
