import { concatMap, firstValueFrom, Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import {
  assertInvokeInput,
  resolveInvokeInput,
  type InvokeCommandInput,
  type InvokeInputSource,
} from '../invoke/invoke-input.js';
import { captureContext } from '../shared/async-context.js';
import { callback, checkOptions, observable, oneOf, type OptionRule } from '../shared/check-options.js';
import { reconnecting, reconnectRules, type ReconnectOptions } from './reconnect.js';
import { ConnectionLost, positionOf, type RelaySession } from './relay-connection.js';
import { readRelayError } from './relay-error.js';
import { sendToRelay, type RelayFetch, type RelayHeaders, type RelayTarget } from './relay-request.js';

/** A position in a keyed invocation: its generation, and how many bytes of its payload were delivered. */
export type RelayPosition = `${number}-${number}`;

/** Options of {@link relayedInvoke}. */
export interface RelayedInvokeOptions {
  /** Where the relay is mounted. In a page it may be relative. */
  readonly url: string | URL;
  /** Headers for each request, or a function that returns them or a promise of them before each connection. */
  readonly headers?: RelayHeaders;
  /** Sends the requests, for instance with `credentials: 'include'`. @defaultValue the global `fetch` */
  readonly fetch?: RelayFetch;
  /**
   * How the client reconnects to a keyed invocation after it lost the connection. `false` never reconnects.
   *
   * @defaultValue reconnects, with the defaults of `ReconnectOptions`
   */
  readonly reconnect?: ReconnectOptions | false;
}

/** Options of one relayed invocation. */
export interface RelayedInvocationOptions {
  /** As in `invokeWithResponseStream`. @defaultValue `'throw'` */
  readonly functionErrors?: 'throw' | 'emit';
  /**
   * As in `invokeWithResponseStream`. The relay stops reading from Lambda while all clients of a key pause.
   *
   * @defaultValue never paused
   */
  readonly pauseWhile?: Observable<boolean>;
  /** Goes on after a position that the application kept. Never starts an invocation. @defaultValue from the start */
  readonly after?: RelayPosition;
}

/** An `invokeWithResponseStream` over a relay. Made by {@link relayedInvoke}. */
export interface RelayedInvoke {
  /** Emits the events of one invocation. Ignores the client. Each event of a keyed invocation has a `position`. */
  (
    client: unknown,
    input: InvokeInputSource,
    options?: RelayedInvocationOptions,
  ): Observable<LambdaStreamEvent & { readonly position?: RelayPosition }>;
  /** Stops the keyed invocation to which `authorize` leads this input, for all its consumers. */
  readonly stop: (input: InvokeInputSource) => Promise<void>;
}

const caller = 'relayedInvoke';

const positionRule: OptionRule = {
  expected: "a position, such as '1733000000000-4096'",
  isValid: (value) => typeof value === 'string' && /^\d+-\d+$/.test(value),
};

/**
 * Makes an `invokeWithResponseStream` that goes through a relay: no SDK and no credentials in the page.
 *
 *     relay   --h--a-#              h: head, a, b: chunks, c: complete; # is the loss of a connection
 *     again           --h--b-(c|)   the same invocation goes on at its byte
 *     result  --h--a-r--h--b-(c|)   r: retry of mode 'replay'
 *
 * - **Cold**: one subscription is one invocation. It reconnects to that one, and never invokes again.
 * - **Emits** what `invokeWithResponseStream` emits. Each event of a keyed invocation has a `position`. A `retry` of
 *   mode `'replay'` precedes a reconnection, and a `head` follows it. A `retry` of mode `'restart'` says that the
 *   invocation began anew.
 * - **Completes** as `invokeWithResponseStream` does.
 * - **Errors** with what the relay reports: this package's errors by class, AWS's exceptions by name, with `$fault` and
 *   `$metadata`, a refusal with its status in `$metadata.httpStatusCode`. Without a key, and after
 *   `reconnect.maxAttempts`, a lost connection is a `TruncatedStreamError` or the network's error.
 * - **Unsubscribing** closes the connection. A keyed invocation goes on for its other consumers, and without any for
 *   the relay's `lingerMs`.
 * - **Memory** the input's payload, and one unfinished frame.
 *
 * Reconnects after network errors and the statuses 429, 502, 503 and 504, once the relay has named the invocation.
 * While the browser is offline it waits, and counts no attempt.
 *
 * @example
 * const invoke = relayedInvoke({ url: '/api/lambda', headers: async () => ({ authorization: await token() }) });
 * invoke(undefined, { FunctionName: 'chat', Payload: { prompt } })
 *   .pipe(decodeText())
 *   .subscribe({ next: (text) => output.append(text), error: console.error });
 *
 * @throws TypeError or RangeError at the call for an option that can never be used.
 */
export function relayedInvoke(options: RelayedInvokeOptions): RelayedInvoke {
  const target = toTarget(options);
  const policy = toPolicy(options.reconnect);

  function invoke(
    _client: unknown,
    source: InvokeInputSource,
    invocationOptions: RelayedInvocationOptions = {},
  ): Observable<LambdaStreamEvent & { position?: RelayPosition }> {
    if (typeof source !== 'function') assertInvokeInput(source);
    checkOptions(caller, invocationOptions, {
      functionErrors: oneOf(['throw', 'emit']),
      pauseWhile: observable,
      after: positionRule,
    });
    const { functionErrors = 'throw', pauseWhile, after } = invocationOptions;

    return new Observable((subscriber) => {
      const runInContext = captureContext();
      let session: RelaySession | undefined;
      let paused = false;

      function setPaused(isPaused: boolean): void {
        paused = isPaused;
        if (!session) return;
        session.paused = isPaused;
        session.body?.setPaused(isPaused);
      }
      const fail = (error: unknown): void =>
        runInContext((reason) => subscriber.error(reason instanceof ConnectionLost ? reason.error : reason), error);

      function run(input: InvokeCommandInput): Observable<LambdaStreamEvent> {
        const [, generation, bytes = 0] = /^0*(\d+)-(\d+)$/.exec(after ?? '') ?? [];
        session = {
          target,
          input,
          functionErrors,
          generation,
          bytes: Number(bytes),
          isKeyed: false,
          paused,
          silenceMs: policy.maxAttempts === 0 ? Infinity : policy.timeoutMs,
          delivered: { chunks: 0, bytes: 0 },
          body: undefined,
        };
        return reconnecting(session, policy);
      }

      subscriber.add(pauseWhile?.subscribe({ next: setPaused, error: fail }));
      if (subscriber.closed) return;
      subscriber.add(
        resolveInvokeInput(source)
          .pipe(concatMap(run))
          .subscribe({
            next: (event) =>
              runInContext((told) => {
                const position = session?.isKeyed ? positionOf(session) : undefined;
                subscriber.next(position === undefined ? told : { ...told, position: position as RelayPosition });
              }, event),
            error: fail,
            complete: () => runInContext(() => subscriber.complete(), undefined),
          }),
      );
    });
  }

  async function stop(source: InvokeInputSource): Promise<void> {
    const input = await firstValueFrom(resolveInvokeInput(source), { defaultValue: { FunctionName: undefined } });
    const response = await sendToRelay(target, { method: 'DELETE', input, position: undefined });
    if (!response.ok) throw (await readRelayError(response)) as Error;
    await response.body?.cancel();
  }

  return Object.assign(invoke, { stop });
}

function toPolicy(reconnect: RelayedInvokeOptions['reconnect']): Required<ReconnectOptions> {
  const { maxAttempts = 8, initialDelayMs = 200, maxDelayMs = 10_000, timeoutMs = 60_000 } = reconnect || {};
  return { maxAttempts: reconnect === false ? 0 : maxAttempts, initialDelayMs, maxDelayMs, timeoutMs };
}

function toTarget(options: RelayedInvokeOptions): RelayTarget {
  checkOptions(caller, options, {
    fetch: callback,
    reconnect: {
      expected: 'an object of options, or false',
      isValid: (value) => value === false || (typeof value === 'object' && value !== null),
    },
  });
  const { url, headers, fetch, reconnect } = Object(options) as RelayedInvokeOptions;
  const text = url instanceof URL ? url.href : url;
  // Neither message shows the value, which may hold a token.
  if (!isUsableUrl(text)) {
    throw new TypeError(
      `${caller}: url must be an http or https URL, relative only in a page, without user and password`,
    );
  }
  if (headers !== undefined && Object(headers) !== headers) {
    throw new TypeError(`${caller}: headers must be headers, or a function that makes them`);
  }
  if (reconnect) checkOptions(`${caller}: reconnect`, reconnect, reconnectRules);
  return { url: text, headers, fetch };
}

function isUsableUrl(url: unknown): boolean {
  // Outside of a page there is nothing that a relative URL could be relative to.
  const base = 'location' in globalThis ? 'http://page' : undefined;
  if (typeof url !== 'string' || !URL.canParse(url, base)) return false;
  const { protocol, username, password } = new URL(url, base);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
