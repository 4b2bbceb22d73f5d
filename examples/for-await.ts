import { BehaviorSubject, type Observable } from 'rxjs';

/**
 * Iterates over a pausable Observable: while the loop's body works, the response is not read on. At most what one
 * network read brings waits.
 *
 * Leaving the loop (`break`, `return`, an error) unsubscribes and so closes the connection. An error of the Observable
 * is
 * thrown after the values that came before it.
 *
 * @example
 * const records = iterate((pauseWhile) =>
 *   invokeWithResponseStream(client, input, { pauseWhile }).pipe(parseNdjson<Row>()),
 * );
 * for await (const record of records) await save(record);
 *
 * @param open - Makes the Observable; it is to hold back while `pauseWhile` says true.
 */
export async function* iterate<T>(
  open: (pauseWhile: Observable<boolean>) => Observable<T>,
): AsyncGenerator<T, void, undefined> {
  const paused = new BehaviorSubject(false);
  let arrived: T[] = [];
  let end: { readonly failure?: { readonly error: unknown } } | undefined;
  let wake: () => void = () => undefined;

  const subscription = open(paused).subscribe({
    next(value) {
      arrived.push(value);
      if (!paused.value) paused.next(true);
      wake();
    },
    error(error: unknown) {
      end = { failure: { error } };
      wake();
    },
    complete() {
      end = {};
      wake();
    },
  });
  try {
    for (;;) {
      // All that has come, before the question whether there will be more.
      while (arrived.length > 0) {
        const values = arrived;
        arrived = [];
        yield* values;
      }
      if (end?.failure) throw end.failure.error;
      if (end) return;
      const change = new Promise<void>((resolve) => (wake = resolve));
      if (paused.value) paused.next(false);
      await change;
    }
  } finally {
    subscription.unsubscribe();
  }
}

// npx tsx examples/for-await.ts
if (process.argv[1] === import.meta.filename) {
  const { LambdaClient } = await import('@aws-sdk/client-lambda');
  const { invokeWithResponseStream, parseNdjson } = await import('rx-lambda-stream');
  const { startLocalLambda } = await import('rx-lambda-stream/local');

  const local = await startLocalLambda({
    functions: {
      rows: async function* () {
        for (let id = 1; id <= 100; id++) yield await Promise.resolve(`${JSON.stringify({ id })}\n`);
      },
    },
  });
  const client = new LambdaClient(local.clientConfig);
  const rows = iterate((pauseWhile) =>
    invokeWithResponseStream(client, { FunctionName: 'rows' }, { pauseWhile }).pipe(parseNdjson<{ id: number }>()),
  );
  for await (const { id } of rows) {
    console.log(id);
    if (id === 3) break;
  }
  client.destroy();
  await local.close();
}
