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
  const { setTimeout: delay } = await import('node:timers/promises');

  const local = await startLocalLambda({ functions: { watch: scripted([{ chunk: 'now' }, 'stall']) } });
  const client = createStreamingClient(2, 500, local.clientConfig);
  /** A stream that never ends holds its socket until it is unsubscribed. */
  const watch = (name: string) =>
    invokeInTime(client, { FunctionName: 'watch' }, 10_000).subscribe({
      next: (event) => console.log(`${name}: ${event.type}`),
      error: (error) => console.error(`${name}:`, error),
    });

  const first = watch('first');
  const others = [watch('second')];
  await local.request(1); // both sockets are taken

  others.push(watch('third'));
  await delay(700); // by now it has found no socket, and waits for its next attempt
  first.unsubscribe();
  await local.request(2); // the third one has got the first one's

  await delay(100);
  others.forEach((other) => other.unsubscribe());
  client.destroy();
  await local.close();
}
