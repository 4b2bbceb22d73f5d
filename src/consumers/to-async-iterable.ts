import { BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { callback, checkValue, observable } from '../shared/check-options.js';

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns a pausable Observable into an async iterator, for a `for await` whose body slows the function down.
 *
 *     reads   -r----r--r-r        r: the loop asks for the next value
 *     source  --a---(bc)--|       subscribed to at the first of these
 *     result  --a---b--c--|
 *     paused  -ft---(ft)-f        f: false, t: true
 *
 * - **Emits** every value of the Observable, in order.
 * - **Completes** with the Observable, after the values that wait.
 * - **Errors** with the Observable's error, unchanged, after the values before it; with what `open` throws.
 * - **Unsubscribing**: leaving the loop (`break`, `return`, an error) unsubscribes and so closes the connection. The
 *   iterator's `return()` unsubscribes at once, also while a `next()` waits.
 * - **Memory** the values of one network read, which has 64 KiB of payload in Node. `open` has to give `pauseWhile` to
 *   its source. A source that does not pause fills the queue.
 *
 * The iterator serves one loop, as a generator's does.
 *
 * @example
 * const rows = toAsyncIterable((pauseWhile) =>
 *   invokeWithResponseStream(client, { FunctionName: 'export' }, { pauseWhile }).pipe(parseNdjson<Row>()),
 * );
 * for await (const row of rows) await save(row);
 *
 * @param open - Makes the Observable when the loop begins. Its source has to pause while `pauseWhile` is true.
 */
export function toAsyncIterable<T>(
  open: (pauseWhile: Observable<boolean>) => Observable<T>,
): AsyncIterableIterator<T, undefined> {
  checkValue('toAsyncIterable', 'open', open, callback);
  const paused = new BehaviorSubject(false);
  const connection = new Subscription();
  const waiting: Waiter<T>[] = [];
  let opened = false;
  let arrived: T[] = [];
  /** How many values of `arrived` were handed out. */
  let taken = 0;
  /** Set when the Observable has ended or the loop was left. An error is thrown once, and then removed. */
  let end: { readonly failure?: { readonly error: unknown } } | undefined;

  function subscribe(): void {
    opened = true;
    try {
      const source = open(paused.asObservable());
      checkValue('toAsyncIterable', 'what open returns', source, observable);
      connection.add(
        source.subscribe({
          next(value) {
            arrived.push(value);
            serve();
            if (waiting.length === 0 && !paused.value) paused.next(true);
          },
          error: (error: unknown) => finish({ failure: { error } }),
          complete: () => finish({}),
        }),
      );
    } catch (error) {
      finish({ failure: { error } });
    }
  }

  function finish(how: NonNullable<typeof end>): void {
    end ??= how;
    serve();
  }

  function serve(): void {
    for (let waiter; taken < arrived.length && (waiter = waiting.shift());) {
      waiter.resolve({ value: arrived[taken++] as T, done: false });
    }
    if (taken < arrived.length) return;
    arrived = [];
    taken = 0;
    if (!end) return;
    for (let waiter; (waiter = waiting.shift());) {
      const { failure } = end;
      end = {};
      if (failure) waiter.reject(failure.error);
      else waiter.resolve({ value: undefined, done: true });
    }
  }

  function leave(): void {
    connection.unsubscribe();
    arrived = [];
    taken = 0;
    end = {};
    serve();
  }

  return {
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        if (!opened && !end) subscribe();
        serve();
        if (waiting.length > 0 && paused.value) paused.next(false);
      }),
    return() {
      leave();
      return Promise.resolve({ value: undefined, done: true });
    },
    throw(error: unknown) {
      leave();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own value
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
