import { ignoreElements, Observable, tap, type Subscriber } from 'rxjs';

/**
 * What a stateful operator does with its source, for one subscription. What it throws becomes the subscriber's error.
 */
export interface ItemTransform<T> {
  /** Takes the next item; emits to the subscriber as often as it likes. */
  next(item: T): void;
  /** The source is complete: emits what is left, or errors. The subscriber completes right after. */
  complete(): void;
}

/**
 * Runs a source through a transform that is made anew for each subscription.
 *
 * `tap` links the source to the subscriber itself, so that a synchronous source stops at the item after which the
 * subscriber is closed. A plain `source.subscribe({ next })` would be stopped only after it returned.
 */
export function transformItems<T, R>(
  source: Observable<T>,
  createTransform: (subscriber: Subscriber<R>) => ItemTransform<T>,
): Observable<R> {
  return new Observable<R>((subscriber) => {
    const transform = createTransform(subscriber);
    return source
      .pipe(tap({ next: (item) => transform.next(item), complete: () => transform.complete() }), ignoreElements())
      .subscribe(subscriber);
  });
}
