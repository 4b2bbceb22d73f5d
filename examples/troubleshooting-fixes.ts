/**
 * Operators to look at a stream with, and to read what is unusual in it. Each region is shown in
 * docs/troubleshooting.md.
 */
import {
  decodeHttpResponse,
  invokeWithResponseStream,
  parseNdjson,
  toReadableStream,
  type InvokeInput,
  type LambdaStreamClient,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { defer, filter, map, tap, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { fromFetch } from 'rxjs/fetch';

// #region trace
/** Tells what arrives when, in milliseconds after the subscription. */
export function trace(): MonoTypeOperatorFunction<LambdaStreamEvent> {
  return (source) =>
    defer(() => {
      const start = performance.now();
      const tell = (what: string): void => console.error(`${Math.round(performance.now() - start)} ms: ${what}`);
      return source.pipe(
        tap({
          next: (event) => tell(event.type === 'chunk' ? `chunk of ${event.payload.length} bytes` : event.type),
          error: (error) => tell(String(error)),
          complete: () => tell('completed'),
          unsubscribe: () => tell('unsubscribed'),
        }),
      );
    });
}
// #endregion

// #region log-tail
/** Fails where the log's tail says that the function timed out or threw, whatever its InvokeComplete says. */
export function failOnLog(): MonoTypeOperatorFunction<LambdaStreamEvent> {
  return tap((event) => {
    if (event.type !== 'complete') return;
    const { logTail } = event;
    if (logTail === undefined) throw new TypeError("failOnLog needs LogType: 'Tail'");
    const [failure] = /\tStatus: timeout|\tERROR\tInvoke Error \t.*/.exec(logTail) ?? [];
    if (failure !== undefined) throw new Error(`The function failed: ${failure.trim()}`);
  });
}
// #endregion

// #region gunzip
/** The text of a response whose function compressed it, with backpressure. */
export function gunzipText(client: LambdaStreamClient, input: InvokeInput): ReadableStream<string> {
  const body = toReadableStream((pauseWhile) =>
    invokeWithResponseStream(client, input, { pauseWhile }).pipe(
      decodeHttpResponse(),
      filter((event) => event.type === 'chunk'),
      map((event) => event.payload as Uint8Array<ArrayBuffer>), // as DecompressionStream's type wants it
    ),
  );
  return body.pipeThrough(new DecompressionStream('gzip')).pipeThrough(new TextDecoderStream());
}
// #endregion

// #region plain-http
/** The records of an address that speaks plain HTTP: a function URL, or an API Gateway. */
export function readRecords(url: string): Observable<unknown> {
  return fromFetch(url, {
    method: 'POST',
    selector: (response) =>
      response.ok
        ? (response.body as AsyncIterable<Uint8Array>)
        : throwError(() => new Error(`HTTP ${response.status}`)),
  }).pipe(parseNdjson());
}
// #endregion
