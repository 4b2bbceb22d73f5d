import type { Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import type { InvokeInput } from '../invoke/invoke-input.js';
import type { InvocationLog } from '../log/index.js';
import {
  callback,
  checkOptions,
  delayMs,
  durationFrom,
  limitFrom,
  timeLimitMs,
  type OptionRule,
} from '../shared/check-options.js';
import type { RelayRequest, RelayResponse } from './node-exchange.js';

/** A request that `authorize` decides on. */
export interface RelayCall<Context = unknown> {
  /** The request, with a copy of the body that the relay has read: `await request.json()` works. */
  readonly request: Request;
  /** The name in Lambda's path, decoded. Undefined for any other path. It may be an ARN: compare all of it. */
  readonly functionName?: string;
  /** The body's bytes. Empty for a GET. */
  readonly payload: Uint8Array;
  /** The client's input, decoded: the function's name, payload, qualifier, tenant, log type, context. */
  readonly input: InvokeInput;
  /** The second argument of `fetch`, or the IncomingMessage of a request that came through `listener`. */
  readonly context: Context;
}

/** The permission that `authorize` returns. */
export interface RelayGrant {
  /**
   * Names the shared invocation. All clients with the same key get the answer to the first one's request. So the key
   * must name everything that changes the answer, the user included. The parts of an array stay apart: in the log,
   * `['chat', 'ada']` is the key `JSON.stringify(['chat', 'ada'])`. A key has at most 512 bytes: put a hash of a long
   * prompt into it.
   *
   * @defaultValue none: the invocation belongs to this client alone, and ends with its connection
   */
  readonly key?: string | readonly string[];
  /**
   * Makes the invocation, at most once for a key. The first client subscribes to it. Pass the Observable on as
   * `pauseWhile`.
   *
   * @defaultValue none: the client only follows an invocation that others have begun
   */
  readonly open?: (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent>;
  /** Names the client for `maxStreamsPerClient`: a user, a session, an address. @defaultValue not counted */
  readonly client?: string;
  /**
   * With `'all'` the client also gets a failure's message, errorMessage, trace, log tail and request id.
   *
   * @defaultValue the kind alone: name, code, errorType, ErrorCode, Reason, retryAfterSeconds, chunks, bytes
   */
  readonly expose?: 'all';
  /** What happens when the machine that reads from Lambda is lost: see `joinInvocation`. @defaultValue `'error'` */
  readonly afterProducerLoss?: 'error' | 'restart' | 'replay' | 'continue';
  /** Says that the function may run twice for one key: see `joinInvocation`. @defaultValue `false` */
  readonly idempotent?: boolean;
}

/** Options of {@link createRelay}. */
export interface RelayOptions<Context = unknown> {
  /** The log that shares keyed invocations. Several processes need `redisLog`. @defaultValue `memoryLog()` */
  readonly log?: InvocationLog;
  /**
   * Decides on each request, a DELETE too: returns a grant, or throws a `RelayRefusal`. Nothing runs without a grant. A
   * SyntaxError, such as that of `request.json()`, is answered with 400, and any other error with 500.
   */
  readonly authorize: (call: RelayCall<Context>) => RelayGrant | PromiseLike<RelayGrant>;
  /**
   * Decides on a request's headers, before its body is read: throws a `RelayRefusal`, or returns false for 403.
   *
   * @defaultValue every body is read
   */
  readonly admit?: (request: Request) => unknown;
  /** The other origins whose pages may call, exactly as browsers write them. @defaultValue none */
  readonly origins?: readonly string[];
  /**
   * The only values of the Host header that are let in, with the port if there is one. It stops DNS rebinding, which
   * endangers a relay that lets people in by their address alone.
   *
   * @defaultValue all
   */
  readonly hosts?: readonly string[];
  /**
   * Called with each failure of an invocation, each dropped client, and each bug of the relay or of `authorize`. After
   * `authorize` has decided, `request` has no body. What it throws is reported as RxJS reports an error of any
   * subscriber (`config.onUnhandledError`).
   *
   * @defaultValue `console.error` for the relay's own failures
   */
  readonly onError?: (error: unknown, about: { readonly request: Request; readonly key?: string }) => void;
  /** The largest body, in bytes; a larger one is a 413. @defaultValue 6,291,456 (6 MiB), AWS's limit */
  readonly maxBodyBytes?: number;
  /** The most bytes that all unfinished bodies may hold; one more is a 503. @defaultValue 67,108,864 (64 MiB) */
  readonly maxPendingBodyBytes?: number;
  /** How long a body may take to arrive, in milliseconds; a slower one is a 400. @defaultValue 10,000 */
  readonly bodyTimeoutMs?: number;
  /** The most streams at a time; a further one is a 429. @defaultValue 10,000 */
  readonly maxStreams?: number;
  /** The most streams at a time of one `client`; a further one is a 429. @defaultValue 100 */
  readonly maxStreamsPerClient?: number;
  /** How long a stream may be silent before the relay sends a ping, in milliseconds. @defaultValue 15,000 */
  readonly pingMs?: number;
  /** How long a client may take no byte before it is dropped, in milliseconds. @defaultValue 60,000 */
  readonly stalledMs?: number;
  /** How long the last client of a key has to come back, in milliseconds. @defaultValue 30,000 */
  readonly lingerMs?: number;
  /** How long the log keeps a key after its end, in milliseconds. @defaultValue 600,000 */
  readonly ttlMs?: number;
  /** The most payload that the log holds of each key, in bytes. @defaultValue 16,777,216 (16 MiB) */
  readonly maxReplayBytes?: number;
}

/** A relay, made by {@link createRelay}. Its functions need no `this`. */
export interface Relay<Context = unknown> {
  /** Answers a web Request: for Hono, Next, Bun, Deno, workers. `context` is handed to `authorize`. */
  readonly fetch: (request: Request, context?: Context) => Promise<Response>;
  /** Answers a request of node:http, node:http2, Express, Fastify or NestJS. */
  readonly listener: (request: RelayRequest, response: RelayResponse) => void;
  /** Cuts all streams, so that clients go on at another process, and refuses requests. Does not wait for clients. */
  readonly close: () => Promise<void>;
}

/** The options with their defaults. */
export type Settings<Context> = Required<Omit<RelayOptions<Context>, 'admit' | 'onError' | 'log' | 'hosts'>> &
  Pick<RelayOptions<Context>, 'admit' | 'hosts'>;

/** The rule of an origin as browsers write it: a scheme, a host, a port unless it is the default. No `null` or `*`. */
function isOrigin(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[a-z][a-z\d+.-]*:\/\/[^\s/?#*@]+$/.test(value)) return false;
  return !/^https?:/.test(value) || (URL.canParse(value) && new URL(value).origin === value);
}

const rules: Readonly<Record<string, OptionRule>> = {
  authorize: callback,
  admit: callback,
  onError: callback,
  log: {
    expected: 'a log, such as memoryLog()',
    isValid: (value) => typeof (Object(value) as { append?: unknown }).append === 'function',
  },
  origins: {
    expected: "a list of exact origins, such as ['https://app.example.com']",
    isValid: (value) => Array.isArray(value) && value.every(isOrigin),
  },
  hosts: {
    expected: "a list of hosts, such as ['localhost:3000']",
    isValid: (value) =>
      Array.isArray(value) && value.every((host) => typeof host === 'string' && /^[^\s/@*]+$/.test(host)),
  },
  maxBodyBytes: limitFrom(0),
  maxPendingBodyBytes: limitFrom(0),
  maxStreams: limitFrom(1),
  maxStreamsPerClient: limitFrom(1),
  maxReplayBytes: limitFrom(1),
  bodyTimeoutMs: timeLimitMs,
  pingMs: timeLimitMs,
  stalledMs: timeLimitMs,
  lingerMs: delayMs,
  ttlMs: durationFrom(1_000),
};

/** Checks the options and fills the defaults in. @throws TypeError or RangeError with the option's name. */
export function toSettings<Context>(options: RelayOptions<Context>): Settings<Context> {
  checkOptions('createRelay', options, rules);
  if (typeof (Object(options) as Partial<RelayOptions>).authorize !== 'function') {
    throw new TypeError('createRelay: authorize must be a function: nothing runs that it did not allow');
  }
  const { admit, hosts } = options;
  const settings = {
    authorize: options.authorize,
    ...(admit && { admit }),
    ...(hosts && { hosts: hosts.map((host) => host.toLowerCase()) }),
    origins: options.origins ?? [],
    maxBodyBytes: options.maxBodyBytes ?? 6 * 1024 * 1024,
    maxPendingBodyBytes: options.maxPendingBodyBytes ?? 64 * 1024 * 1024,
    bodyTimeoutMs: options.bodyTimeoutMs ?? 10_000,
    maxStreams: options.maxStreams ?? 10_000,
    maxStreamsPerClient: options.maxStreamsPerClient ?? 100,
    pingMs: options.pingMs ?? 15_000,
    stalledMs: options.stalledMs ?? 60_000,
    lingerMs: options.lingerMs ?? 30_000,
    ttlMs: options.ttlMs ?? 600_000,
    maxReplayBytes: options.maxReplayBytes ?? 16 * 1024 * 1024,
  };
  if (settings.lingerMs > settings.ttlMs) {
    throw new RangeError(`createRelay: lingerMs (${settings.lingerMs}) is over ttlMs (${settings.ttlMs})`);
  }
  return settings;
}
