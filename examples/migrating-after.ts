/**
 * The same as migrating-before.ts, region by region, with this package.
 */
import { TooManyRequestsException, type LambdaClient } from '@aws-sdk/client-lambda';
import {
  collectResponse,
  decodeText,
  FunctionError,
  invokeWithResponseStream,
  parseNdjson,
  retryInvocation,
  toAsyncIterable,
  TruncatedStreamError,
} from 'rx-lambda-stream';
import { defer, filter, firstValueFrom, fromEvent, map, mergeMap, takeUntil, tap, throwError, timeout } from 'rxjs';
import type { Observable } from 'rxjs';

interface Row {
  readonly id: number;
}

// #region text
export async function printAnswer(client: LambdaClient): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'chat' })
    .pipe(decodeText())
    .forEach((text) => process.stdout.write(text));
}
// #endregion

// #region whole
export async function readReport(client: LambdaClient): Promise<unknown> {
  const stream = invokeWithResponseStream(client, { FunctionName: 'report' });
  return (await firstValueFrom(stream.pipe(collectResponse()))).json();
}
// #endregion

// #region rows
export async function printRows(client: LambdaClient): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'rows' })
    .pipe(parseNdjson<Row>())
    .forEach(({ id }) => console.log(id));
}
// #endregion

// #region leave
export async function readFirstChunk(client: LambdaClient): Promise<Uint8Array | undefined> {
  const chunks = invokeWithResponseStream(client, { FunctionName: 'ticker' }).pipe(
    filter((event) => event.type === 'chunk'),
    map(({ payload }) => payload),
  );
  return firstValueFrom(chunks, { defaultValue: undefined }); // unsubscribes, which closes the connection
}
// #endregion

// #region abort
export async function printUntilAborted(client: LambdaClient, signal: AbortSignal): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'ticker' })
    .pipe(decodeText(), takeUntil(abortOf(signal)))
    .forEach((text) => process.stdout.write(text));
}

/** Fails with the signal's reason when it is aborted. */
function abortOf(signal: AbortSignal): Observable<never> {
  return defer(() => (signal.aborted ? [signal] : fromEvent(signal, 'abort'))).pipe(
    mergeMap(() => throwError(() => signal.reason as Error)),
  );
}
// #endregion

// #region timeouts
export async function printInTime(client: LambdaClient, firstMs = 5_000, eachMs = 10_000): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'ticker' })
    .pipe(timeout({ first: firstMs, each: eachMs }), decodeText())
    .forEach((text) => process.stdout.write(text));
}
// #endregion

// #region retries
export async function printWithRetries(client: LambdaClient): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'chat' })
    .pipe(retryInvocation({ maxAttempts: 4 }), decodeText())
    .forEach((text) => process.stdout.write(text));
}
// #endregion

// #region end
export async function printWithLog(client: LambdaClient): Promise<void> {
  await invokeWithResponseStream(client, { FunctionName: 'chat', LogType: 'Tail' })
    .pipe(
      tap({
        next: (event) => event.type === 'complete' && console.error(event.logTail),
        error: (error) => error instanceof FunctionError && console.error(error.logTail),
      }),
      decodeText(),
    )
    .forEach((text) => process.stdout.write(text));
}
// #endregion

// #region for-await
export async function printThreeRows(client: LambdaClient): Promise<void> {
  const rows = toAsyncIterable((pauseWhile) =>
    invokeWithResponseStream(client, { FunctionName: 'rows' }, { pauseWhile }).pipe(parseNdjson<Row>()),
  );
  for await (const { id } of rows) {
    console.log(id);
    if (id === 3) break; // closes the connection
  }
}
// #endregion

// #region errors
export function explain(error: unknown): string {
  // Before and within the stream alike.
  if (error instanceof TooManyRequestsException) return `throttled: ${error.Reason}`;
  if (error instanceof FunctionError) return `the function failed: ${error.errorType}, ${error.errorMessage}`;
  if (error instanceof TruncatedStreamError) return `cut after ${error.bytes} bytes`;
  return String(error);
}
// #endregion

// #region boto3
export async function ask(client: LambdaClient, prompt: string): Promise<void> {
  try {
    await invokeWithResponseStream(client, { FunctionName: 'chat', Payload: { prompt } })
      .pipe(decodeText())
      .forEach((text) => process.stdout.write(text));
  } catch (error) {
    console.error(explain(error)); // see "Errors" above
  }
}
// #endregion
