import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import {
  invokeWithResponseStream,
  retryInvocation,
  type InvokeInputSource,
  type LambdaStreamClient,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { timeout, type Observable } from 'rxjs';

/** A client for so many streams at a time: each holds a socket from its request to its end. */
export function createStreamingClient(maxStreams: number, maxWaitMs: number, config: LambdaClientConfig): LambdaClient {
  return new LambdaClient({
    ...config,
    requestHandler: {
      httpsAgent: { maxSockets: maxStreams }, // 50 by default
      httpAgent: { maxSockets: maxStreams }, // for an endpoint without TLS, such as a local one
      connectionTimeout: maxWaitMs, // bounds the wait for a free socket as well; by default nothing does
    },
  });
}

/**
 * An invocation that cannot wait for ever: one that got no socket was not sent, and is tried again; one that was sent
 * and brings no head within `firstMs` ends in RxJS's TimeoutError.
 */
export function invokeInTime(
  client: LambdaStreamClient,
  input: InvokeInputSource,
  firstMs: number,
): Observable<LambdaStreamEvent> {
  return invokeWithResponseStream(client, input).pipe(timeout({ first: firstMs }), retryInvocation());
}

// npx tsx examples/sockets.ts
if (process.argv[1] === import.meta.filename) {
  const { scripted, startLocalLambda } = await import('rx-lambda-stream/local');
  const { lastValueFrom, takeWhile, tap } = await import('rxjs');

  const local = await startLocalLambda({ functions: { watch: scripted([{ chunk: 'now' }, 'stall']) } });
  const client = createStreamingClient(2, 500, local.clientConfig);
  // A stream that never ends holds its socket until it is unsubscribed.
  const watch = (name: string) =>
    invokeInTime(client, { FunctionName: 'watch' }, 10_000).pipe(tap(({ type }) => console.log(`${name}: ${type}`)));

  const first = watch('first').subscribe();
  const second = watch('second').subscribe();
  await local.request(1); // both sockets are taken

  await lastValueFrom(
    watch('third').pipe(
      tap((event) => {
        if (event.type === 'retry') first.unsubscribe(); // it found no socket: now there will be one
      }),
      takeWhile(({ type }) => type !== 'chunk'),
    ),
  );

  second.unsubscribe();
  client.destroy();
  await local.close();
}
