import { BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { callback, checkValue, observable } from '../shared/check-options.js';

/**
 * Turns a pausable Observable into a web `ReadableStream` with backpressure, for a `Response` or a pipe.
 *
 *     reads   -r----r--r-r        r: a reader asks for the next value
 *     source  --a---(bc)--|       subscribed to at the first read
 *     result  --a---b--c--|
 *     paused  -ft---(ft)-f        f: false, t: true
 *
 * - **Emits** every value of the Observable, in order. The stream's values are not copied, and may be of any type.
 * - **Completes** with the Observable, after the values that wait.
 * - **Errors** with the Observable's error, unchanged, after the values before it; with what `open` throws.
 * - **Unsubscribing**: `cancel()`, or leaving a `for await` over the stream, unsubscribes and so closes the connection.
 * - **Memory** the values of one network read, which has 64 KiB of payload in Node. `open` has to give `pauseWhile` to
 *   its source. A source that does not pause fills the queue.
 *
 * @example
 * const body = toReadableStream((pauseWhile) =>
 *   invokeWithResponseStream(client, { FunctionName: 'site' }, { pauseWhile }).pipe(
 *     filter((event) => event.type === 'chunk'),
 *     map((event) => event.payload),
 *   ),
 * );
 * return new Response(body);
 *
 * @param open - Makes the Observable at the first read. Its source has to pause while `pauseWhile` is true.
 * @see https://streams.spec.whatwg.org/#rs-class the stream
 */
export function toReadableStream<T>(open: (pauseWhile: Observable<boolean>) => Observable<T>): ReadableStream<T> {
  checkValue('toReadableStream', 'open', open, callback);
  const paused = new BehaviorSubject(false);
  const connection = new Subscription();
  let opened = false;
  /** Whether a reader waits for a value. */
  let wanted = false;
  let failure: { readonly error: unknown } | undefined;

  function pause(): void {
    if (!wanted && !paused.value) paused.next(true);
  }

  function subscribe(controller: ReadableStreamDefaultController<T>): void {
    const source = open(paused.asObservable());
    checkValue('toReadableStream', 'what open returns', source, observable);
    connection.add(
      source.subscribe({
        next(value) {
          wanted = false;
          // Calls `pull` at once where another reader waits. `pull` then sets `wanted` again.
          controller.enqueue(value);
          pause();
        },
        error(error: unknown) {
          failure = { error };
          // An error drops the queued values, so that it has to wait until the queue is empty.
          if (controller.desiredSize === 0) controller.error(error);
        },
        complete: () => controller.close(),
      }),
    );
  }

  return new ReadableStream<T>(
    {
      // Called when a reader waits and the queue is empty, because the high water mark is 0.
      pull(controller) {
        wanted = true;
        if (failure) controller.error(failure.error);
        else if (paused.value) paused.next(false);
        if (opened) return;
        opened = true;
        subscribe(controller);
      },
      cancel: () => connection.unsubscribe(),
    },
    { highWaterMark: 0 },
  );
}
