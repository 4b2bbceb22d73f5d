import {
  invokeWithResponseStream,
  retryInvocation,
  toSnapshots,
  type InvokeWithResponseStream,
  type LambdaStreamClient,
  type Snapshot,
} from 'rx-lambda-stream';
import { debounceTime, distinctUntilChanged, map, of, switchMap, type Observable } from 'rxjs';

/** The state below the search box: nothing for an empty query, and otherwise the answer so far. */
export type SearchState = Snapshot | undefined;

/**
 * The answers to what a user types: each query once typing pauses, the last one only, as it streams in.
 *
 * A new query cancels the one before it, in whatever state: connecting, streaming, or waiting for its next attempt.
 */
export function searchBox(
  typed: Observable<string>,
  client: LambdaStreamClient,
  invoke: InvokeWithResponseStream = invokeWithResponseStream,
): Observable<SearchState> {
  return typed.pipe(
    map((query) => query.trim()),
    debounceTime(200),
    distinctUntilChanged(),
    switchMap((query) =>
      query === ''
        ? of(undefined)
        : invoke(client, { FunctionName: 'search', Payload: { query } }).pipe(
            retryInvocation({ maxAttempts: 3, initialDelayMs: 100, jitter: 'none' }),
            toSnapshots(),
          ),
    ),
  );
}

// npx tsx examples/search-box.ts
if (process.argv[1] === import.meta.filename) {
  const { LambdaClient } = await import('@aws-sdk/client-lambda');
  const { startLocalLambda } = await import('rx-lambda-stream/local');
  const { concat, delay, lastValueFrom, tap } = await import('rxjs');

  const local = await startLocalLambda({
    functions: {
      search: async function* ({ query }: { query: string }) {
        for (let result = 1; result <= 3; result++) {
          yield `${result}. Something about ${query}\n`;
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
      },
    },
  });
  const client = new LambdaClient(local.clientConfig);
  // Types on, so that the first search is cancelled halfway.
  const typed = concat(of('lamb'), of('lambda').pipe(delay(700)));
  await lastValueFrom(
    searchBox(typed, client).pipe(tap((state) => console.log(state?.status, JSON.stringify(state?.text)))),
  );
  client.destroy();
  await local.close();
}
