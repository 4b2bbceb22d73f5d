import { Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { captureContext } from '../shared/async-context.js';
import { checkOptions, flag, observable, oneOf, show, type OptionRule } from '../shared/check-options.js';
import {
  assertInvokeInput,
  resolveInvokeInput,
  type InvokeCommandInput,
  type InvokeInputSource,
} from './invoke-input.js';
import { createEventDelivery } from './event-delivery.js';
import type { LambdaStreamClient } from './lambda-stream-client.js';
import { openResponse, type OpenResponseObserver } from './open-response.js';
import type { Pull } from './pull.js';
import { streamEvents } from './stream-events.js';
import { streamOutput } from './mocked-output.js';

/** Options of {@link invokeWithResponseStream}. */
export interface InvokeWithResponseStreamOptions {
  /**
   * What an InvokeComplete with an ErrorCode becomes. With `throw` it is the stream's error, a `FunctionError`. With
   * `emit` it is a `complete` event with `errorCode` and `errorDetails`, after which the stream completes.
   *
   * @defaultValue `'throw'`
   */
  readonly functionErrors?: 'throw' | 'emit';
  /**
   * Leaves the SDK's own retries on (the client's `maxAttempts`). One subscription may then be several HTTP requests,
   * and the SDK decides by HTTP status and not by exception. Do not combine it with `retryInvocation`, because the
   * attempts would multiply.
   *
   * @defaultValue `false`
   */
  readonly sdkRetries?: boolean;
  /**
   * Pauses the response while its last value is true. The response is then not read, so that TCP slows the function's
   * stream down. The bytes of the last read (at most 64 KiB in Node) are still delivered. Chromium itself reads some
   * 64 MiB ahead of its page. When this Observable completes, its last value holds. Its error becomes the stream's
   * error. It is subscribed to and unsubscribed from together with the stream.
   *
   * @defaultValue never paused
   */
  readonly pauseWhile?: Observable<boolean>;
}

const caller = 'invokeWithResponseStream';

/** The rules of {@link InvokeWithResponseStreamOptions}, for all that take them. */
export const invokeOptionRules: Readonly<Record<string, OptionRule>> = {
  functionErrors: oneOf(['throw', 'emit']),
  sdkRetries: flag,
  pauseWhile: observable,
};

/** The type of {@link invokeWithResponseStream}, to inject it and to replace it in tests. */
export type InvokeWithResponseStream = typeof invokeWithResponseStream;

/**
 * Events of one invocation of a Lambda function with a response stream: its head at the HTTP headers, its payload as it
 * is written, its end.
 *
 *     source  --h--a-b----(c|)    what Lambda sends; h: head, a, b: chunks, c: complete
 *     result  --h--a-b----(c|)
 *     subs    ^-----------!       the request, until its response is over
 *
 * - **Cold**: nothing happens before the subscription, and each subscription is exactly one HTTP request. (In browsers
 *   Chromium itself re-sends a POST once when a reused connection dies before the headers.)
 * - **Emits** `head`, then any number of `chunk` (and `unknown`), then `complete`.
 * - **Completes** only when AWS's `InvokeComplete` was read and reported no error, or with an accepted DryRun (204).
 *   What follows it on the wire is ignored.
 * - **Errors** with the SDK's own exceptions for what AWS reports, before or within the stream; `FunctionError` for a
 *   failed function; `TruncatedStreamError` for a stream without its end; `ProtocolError` for bytes that do not follow
 *   the protocol; `DetachedPayloadError` where a consumer gave a chunk's buffer away; the input function's own error;
 *   `TypeError` or `RangeError` for an input of that function which cannot be sent.
 * - **Async context** events arrive in that of the subscription (AsyncLocalStorage, OpenTelemetry).
 * - **Unsubscribing** closes the connection at every moment. It neither stops nor un-bills the function: Lambda runs it
 *   to its end. Nothing is thrown or rejected afterwards.
 * - **Memory** one unfinished frame, at most 24 MiB; a frame over that is a `ProtocolError`.
 *
 * @example
 * invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat', Payload: { prompt: 'Hello' } })
 *   .pipe(decodeText())
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @param client - The application's `LambdaClient`; any `{ send }` in tests. It is not changed.
 * @param input - What to send, or a function that makes it (a value, a promise or an Observable, of which the first
 * value counts), called once per subscription.
 * @throws TypeError or RangeError at the call for an input or option that can never be sent.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html the operation
 */
export function invokeWithResponseStream(
  client: LambdaStreamClient,
  input: InvokeInputSource,
  options: InvokeWithResponseStreamOptions = {},
): Observable<LambdaStreamEvent> {
  checkOptions(caller, options, invokeOptionRules);
  checkClient(client);
  if (typeof input !== 'function') assertInvokeInput(input);
  const { functionErrors = 'throw', sdkRetries = false, pauseWhile } = options;

  return new Observable((subscriber) => {
    // Events arrive in the context of the subscription, and not in that of the caller who ends a pause, or of the SDK's
    // span.
    const runInContext = captureContext();
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const abort = (): void => controller.abort();
    const fail = (error: unknown): void => runInContext((reason) => subscriber.error(reason), error);
    let body: Pull | undefined;
    let isOpened = false;
    let isPaused = false;

    /** Pauses the response or lets it flow, now or as soon as it has begun. */
    function setPaused(paused: boolean): void {
      isPaused = paused;
      body?.setPaused(paused);
    }

    function send(commandInput: InvokeCommandInput): void {
      const delivery = createEventDelivery(String(commandInput.FunctionName), functionErrors, subscriber);
      const observer: OpenResponseObserver = {
        response(response) {
          // Set before the body is read, because a 204 completes at once, and its connection is kept.
          isOpened = true;
          body = streamEvents({ response, delivery, subscriber, runInContext, abort });
          setPaused(isPaused);
        },
        output(output) {
          if (subscriber.closed) return;
          body = streamOutput(output, delivery, subscriber, runInContext);
          setPaused(isPaused);
        },
        error: fail,
      };
      void openResponse({ client, input: commandInput, abortSignal, sdkRetries, observer });
    }

    subscriber.add(() => {
      // Once the response is opened, its own teardown closes its body.
      if (!isOpened) abort();
    });
    subscriber.add(pauseWhile?.subscribe({ next: setPaused, error: fail }));
    if (subscriber.closed) return;
    subscriber.add(
      resolveInvokeInput(input).subscribe({
        next: (commandInput) => runInContext(send, commandInput),
        error: fail,
      }),
    );
  });
}

/** @throws TypeError for anything that cannot send the command. The message says what was given instead. */
function checkClient(client: unknown): void {
  const { send, invokeWithResponseStream: ofVersion2 } = Object(client) as Readonly<Record<string, unknown>>;
  if (typeof send === 'function') return;
  const given = typeof ofVersion2 === 'function' ? "version 2's client (aws-sdk)" : show(client);
  throw new TypeError(`${caller}: client must be a LambdaClient of @aws-sdk/client-lambda, not ${given}`);
}
