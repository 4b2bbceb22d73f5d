import { BehaviorSubject, type Observable, type Subscription } from 'rxjs';

/**
 * Turns a pausable Observable into a web `ReadableStream` with real backpressure: nothing is sent before the first
 * read,
 * and between reads the response is not read on. At most what one network read brings waits in the stream's queue.
 *
 * Cancelling the stream, or leaving a `for await` over it, unsubscribes and so closes the connection.
 *
 * @example
 * const body = toReadableStream((pauseWhile) =>
 *   invokeWithResponseStream(client, input, { pauseWhile }).pipe(
 *     filter((event) => event.type === 'chunk'),
 *     map((event) => event.payload),
 *   ),
 * );
 * return new Response(body);
 *
 * @param open - Makes the Observable; it is to hold back while `pauseWhile` says true.
 */
export function toReadableStream<T>(open: (pauseWhile: Observable<boolean>) => Observable<T>): ReadableStream<T> {
  const paused = new BehaviorSubject(false);
  let subscription: Subscription | undefined;
  let failure: { readonly error: unknown } | undefined;

  return new ReadableStream<T>(
    {
      // Called when a reader waits and the queue is empty, since the high water mark is 0.
      pull(controller) {
        if (failure !== undefined) {
          controller.error(failure.error);
          return;
        }
        if (paused.value) paused.next(false);
        subscription ??= open(paused).subscribe({
          next(value) {
            controller.enqueue(value);
            if (!paused.value) paused.next(true);
          },
          error(error: unknown) {
            // At once where a reader waits; else behind what is queued, which an error would throw away.
            failure = { error };
            if (controller.desiredSize === 0) controller.error(error);
          },
          complete: () => controller.close(),
        });
      },
      cancel: () => subscription?.unsubscribe(),
    },
    { highWaterMark: 0 },
  );
}

// npx tsx examples/to-readable-stream.ts
if (process.argv[1] === import.meta.filename) {
  const { LambdaClient } = await import('@aws-sdk/client-lambda');
  const { invokeWithResponseStream } = await import('rx-lambda-stream');
  const { startLocalLambda } = await import('rx-lambda-stream/local');
  const { filter, map } = await import('rxjs');

  const local = await startLocalLambda({
    functions: {
      numbers: async function* () {
        for (let number = 1; number <= 5; number++) yield await Promise.resolve(`${number}\n`);
      },
    },
  });
  const client = new LambdaClient(local.clientConfig);
  const body = toReadableStream((pauseWhile) =>
    invokeWithResponseStream(client, { FunctionName: 'numbers' }, { pauseWhile }).pipe(
      filter((event) => event.type === 'chunk'),
      map((event) => event.payload),
    ),
  );
  console.log(await new Response(body).text());
  client.destroy();
  await local.close();
}
