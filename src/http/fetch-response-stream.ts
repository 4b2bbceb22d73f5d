import { Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { readBody, type BodyReader } from '../invoke/read-body.js';
import { captureContext } from '../shared/async-context.js';
import { callback, checkOptions, flag, observable, type OptionRule } from '../shared/check-options.js';
import { checkTarget, resolveTarget, type FetchTargetSource } from './fetch-target.js';
import { createResponseEvents } from './response-events.js';

/** The used part of `fetch`. It gets a Request, and a signal that aborts the request. */
export type FetchFunction = (
  request: Request,
  init: { readonly signal: AbortSignal },
) => Response | PromiseLike<Response>;

/** Options of {@link fetchResponseStream}. */
export interface FetchResponseStreamOptions {
  /**
   * Sends the request in the place of the global `fetch`: to sign it, to go through interceptors, or in tests. Pass its
   * `init.signal` on, else unsubscribing before the headers closes nothing.
   *
   * @defaultValue the global `fetch`, looked up at each subscription
   */
  readonly fetch?: FetchFunction;
  /**
   * Pauses the response while its last value is true. The body is then not read, so that TCP slows the server down. The
   * bytes of the last read are still delivered. Chromium reads some 64 MiB ahead of its page, and Firefox reads ahead
   * without a limit. When this Observable completes, its last value holds. Its error becomes the stream's error.
   *
   * @defaultValue never paused
   */
  readonly pauseWhile?: Observable<boolean>;
  /**
   * Which statuses are failures: `true` for 400 and above, `false` for none, or a predicate. Such a response is an
   * `HttpStatusError` that carries up to 64 KiB of the body. It emits its `head`, but no `http-head` and no chunks.
   *
   * @defaultValue `true`
   */
  readonly failOnStatus?: boolean | ((statusCode: number) => boolean);
}

/** The type of {@link fetchResponseStream}, to inject it and to replace it in tests. */
export type FetchResponseStream = typeof fetchResponseStream;

const caller = 'fetchResponseStream';

const failOnStatusRule: OptionRule = {
  expected: 'true, false or a function',
  isValid: (value) => flag.isValid(value) || callback.isValid(value),
};

/**
 * Events of one HTTP response, from a function URL, API Gateway or any other server: its head at the HTTP headers, its
 * body as it arrives, its end.
 *
 *     source  --h----a-b----|      what the server sends; h: headers, a, b: pieces of the body
 *     result  --(hp)-a-b----(c|)   h: head, p: http-head, a, b: chunks, c: complete
 *     subs    ^-------------!      the request, until its response is over
 *
 * - **Cold**: nothing happens before the subscription, and each subscription is exactly one request. (Chromium itself
 *   re-sends a POST once when a reused connection dies before the headers.)
 * - **Emits** `head`, then `http-head`, then any number of `chunk`, then `complete`: what `invokeWithResponseStream`
 *   and `decodeHttpResponse` emit. A compressed body arrives decompressed, while its headers stay as they were sent.
 * - **Completes** when the body has reached its end by its length or its last HTTP chunk. A body that ends with its
 *   connection, and one behind a proxy that ends a broken stream cleanly, cannot be told from a cut one.
 * - **Errors** with `HttpStatusError` under `failOnStatus`; `TruncatedStreamError` for a body that is cut;
 *   `ProtocolError` for a response that the page may not read; before the headers with what `fetch` rejects with,
 *   unchanged; with the function's own error where the request is made by one; with the reason of the Request's own
 *   signal.
 * - **Unsubscribing** closes the connection at every moment. It neither stops nor un-bills a function.
 * - **Memory** what one read brings, and at most 64 KiB of a failed response's body.
 *
 * @example
 * fetchResponseStream(() => new Request(url, { method: 'POST', body: JSON.stringify({ prompt }) }))
 *   .pipe(retryInvocation(), decodeText())
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @param request - A URL for a GET, a `Request`, or a function that makes one, called once per subscription. A Request
 * given directly is cloned for each subscription, so that its body is held; a function holds nothing and can sign anew.
 * @throws TypeError at the call for a request or an option that can never be used.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html function URLs
 */
export function fetchResponseStream(
  request: FetchTargetSource,
  options: FetchResponseStreamOptions = {},
): Observable<LambdaStreamEvent> {
  checkTarget(caller, request);
  checkOptions(caller, options, { fetch: callback, pauseWhile: observable, failOnStatus: failOnStatusRule });
  refuseRequestInit(options);
  const { pauseWhile, failOnStatus = true } = options;
  const isFailure =
    typeof failOnStatus === 'function' ? failOnStatus : (status: number) => failOnStatus && status >= 400;

  return new Observable((subscriber) => {
    const runInContext = captureContext();
    const controller = new AbortController();
    let body: BodyReader | undefined;
    let ended = false;
    let paused = false;

    /** Delivers an error in the subscription's context. */
    function fail(error: unknown): void {
      runInContext((reason) => subscriber.error(reason), error);
    }

    const isGone = (): boolean => subscriber.closed;

    /** Pauses the body or lets it flow, now or as soon as it is there. */
    function setPaused(isPaused: boolean): void {
      paused = isPaused;
      body?.setPaused(isPaused);
    }

    /** Fails with the reason of the Request's own signal. `fetch` gets our signal instead, and ignores that one. */
    function follow(asked: Request): void {
      // The Request of another fetch may have no signal.
      const { signal } = asked as { readonly signal?: AbortSignal };
      if (!signal) return;
      const abort = (): void => fail(abortReason(signal));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
      // The teardown keeps the Request alive. In Node a collected Request does not pass its caller's abort on.
      subscriber.add(() => asked.signal.removeEventListener('abort', abort));
    }

    function receive(response: Response): void {
      assertResponse(response);
      const events = createResponseEvents(response, subscriber, isFailure);
      function take(bytes: Uint8Array): void {
        try {
          events.chunk(bytes);
        } catch (error) {
          subscriber.error(error);
        }
      }
      body = readBody(response.body, {
        next: (bytes) => runInContext(take, bytes),
        complete() {
          ended = true;
          runInContext(events.end, undefined);
        },
        error: (cause) => runInContext(events.broke, cause),
      });
      if (subscriber.closed) {
        // A `fetch` that ignores its signal still answers after an unsubscription.
        body.cancel();
        return;
      }
      events.begin();
      body.setPaused(paused);
    }

    async function open(): Promise<void> {
      const asked = await resolveTarget(caller, request);
      if (isGone()) return;
      follow(asked);
      if (isGone()) return;
      const { fetch = globalThis.fetch } = options;
      // The caller's Request serves several subscriptions, and its body can be read once. So each sends a clone.
      const sent = asked === request ? asked.clone() : asked;
      const response = await fetch(sent, { signal: controller.signal });
      runInContext(receive, response);
    }

    subscriber.add(() => {
      if (ended) return;
      // The body is cancelled too, because in Node an aborted fetch may go on once its signal was garbage-collected.
      body?.cancel();
      controller.abort();
    });
    subscriber.add(pauseWhile?.subscribe({ next: setPaused, error: fail }));
    if (!subscriber.closed) open().catch(fail);
  });
}

/** Refuses the second argument of `fetch`, which would be ignored. */
function refuseRequestInit(options: object): void {
  const member = ['method', 'headers', 'body', 'signal', 'credentials', 'mode'].find((name) => name in options);
  if (member === undefined) return;
  throw new TypeError(`${caller}: ${member} belongs to the request: pass new Request(url, { ${member}: … })`);
}

function assertResponse(response: unknown): asserts response is Response {
  const { status, headers, body } = Object(response) as Partial<Response>;
  if (typeof status !== 'number' || typeof headers?.forEach !== 'function') {
    throw new TypeError(`${caller}: fetch answered with something else than a Response`);
  }
  // A body of null has ended. The response of React Native's own fetch has no body member.
  if (body === undefined) {
    throw new TypeError(
      `${caller}: this fetch gives no body that can be read as it arrives; React Native has one in expo/fetch`,
    );
  }
}

/** Returns the signal's reason. The signals of React Native have no reason. */
function abortReason(signal: AbortSignal): unknown {
  return (signal.reason as unknown) ?? Object.assign(new Error('The request was aborted'), { name: 'AbortError' });
}
