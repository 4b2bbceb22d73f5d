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
  /** The request. Its body can be read, though the relay has read it: `await request.json()`. */
  readonly request: Request;
  /** The function's name, decoded from Lambda's path; undefined on any other path. May be an ARN: compare it whole. */
  readonly functionName?: string;
  /** The body's bytes; empty for a GET. */
  readonly payload: Uint8Array;
  /** What the client asks for, decoded: the function's name, payload, qualifier, tenant, log type, context. */
  readonly input: InvokeInput;
  /** The second argument of `fetch`; the IncomingMessage where the request came through `listener`. */
  readonly context: Context;
}

/** What `authorize` allows. */
export interface RelayGrant {
  /**
   * Names the invocation that is shared: whoever is given the same key gets the first one's answer. So it names
   * everything that changes the answer, the user included. An array is joined so that no part can pose as two.
   * At most 512 bytes: a long prompt goes in as a hash.
   *
   * @defaultValue none: the invocation belongs to this client alone, and ends with its connection
   */
  readonly key?: string | readonly string[];
  /**
   * Makes the invocation, at most once a key: subscribed to by the first client. Pass the Observable on as
   * `pauseWhile`. Without `open`, the client only follows what others have begun.
   */
  readonly open?: (pauseWhile: Observable<boolean>) => Observable<LambdaStreamEvent>;
  /** Who this is, for `maxStreamsPerClient`: a user, a session, an address. @defaultValue not counted */
  readonly client?: string;
  /**
   * `'all'` tells the client of a failure also message, errorMessage, trace, log tail and request id.
   *
   * @defaultValue the kind alone: name, code, errorType, ErrorCode, Reason, retryAfterSeconds, chunks, bytes
   */
  readonly expose?: 'all';
  /** What happens where the machine that reads from Lambda is lost: see `joinInvocation`. @defaultValue `'error'` */
  readonly afterProducerLoss?: 'error' | 'restart' | 'replay' | 'continue';
  /** Says that the function may run twice for one key: see `joinInvocation`. @defaultValue `false` */
  readonly idempotent?: boolean;
}

/** Options of {@link createRelay}. */
export interface RelayOptions<Context = unknown> {
  /** Where keyed invocations are shared: `redisLog` for several processes. @defaultValue `memoryLog()` */
  readonly log?: InvocationLog;
  /**
   * Decides on each request, a DELETE too: returns what is allowed, or throws a `RelayRefusal`. Nothing runs that it
   * did not allow. A SyntaxError, as from `request.json()`, is answered with 400, any other error with 500.
   */
  readonly authorize: (call: RelayCall<Context>) => RelayGrant | PromiseLike<RelayGrant>;
  /**
   * Decides on a request's headers, before its body is read: throws a `RelayRefusal`, or returns false for 403.
   *
   * @defaultValue everybody's body is read
   */
  readonly admit?: (request: Request) => unknown;
  /** The origins of pages that may call from elsewhere, exactly as browsers write them. @defaultValue none */
  readonly origins?: readonly string[];
  /**
   * The only values of the Host header that are let in, with the port where there is one. For relays that let people
   * in by their address alone: it defends against DNS rebinding.
   *
   * @defaultValue all
   */
  readonly hosts?: readonly string[];
  /**
   * Hears of everything that is not told to the client. Once `authorize` has decided, `request` has no body any more.
   * What it throws is reported as RxJS reports an error of any subscriber (`config.onUnhandledError`).
   *
   * @defaultValue `console.error` for the relay's own failures
   */
  readonly onError?: (error: unknown, about: { readonly request: Request; readonly key?: string }) => void;
  /** The largest body, in bytes; more is 413. @defaultValue 6,291,456 (6 MiB), AWS's limit */
  readonly maxBodyBytes?: number;
  /** Bytes of unfinished bodies, of all requests together; past it 503. @defaultValue 67,108,864 (64 MiB) */
  readonly maxPendingBodyBytes?: number;
  /** How long a body may take to arrive, in milliseconds; then 400. @defaultValue 10,000 */
  readonly bodyTimeoutMs?: number;
  /** Streams at a time; more are 429. @defaultValue 10,000 */
  readonly maxStreams?: number;
  /** Streams at a time of one `client`; more are 429. @defaultValue 100 */
  readonly maxStreamsPerClient?: number;
  /** After so long without anything to send, a ping is sent, in milliseconds. @defaultValue 15,000 */
  readonly pingMs?: number;
  /** A client that takes nothing of what waits for it for so long is dropped, in milliseconds. @defaultValue 60,000 */
  readonly stalledMs?: number;
  /** How long the last client of a key has to come back, in milliseconds. @defaultValue 30,000 */
  readonly lingerMs?: number;
  /** How long a key is kept after its end, in milliseconds. @defaultValue 600,000 */
  readonly ttlMs?: number;
  /** Payload that is held of each key, in bytes. @defaultValue 16,777,216 (16 MiB) */
  readonly maxReplayBytes?: number;
}

/** A relay, made by {@link createRelay}. Its functions need no `this`. */
export interface Relay<Context = unknown> {
  /** Answers a web Request: for Hono, Next, Bun, Deno, workers. `context` is handed to `authorize`. */
  readonly fetch: (request: Request, context?: Context) => Promise<Response>;
  /** Answers a request of node:http, node:http2, Express, Fastify or NestJS. */
  readonly listener: (request: RelayRequest, response: RelayResponse) => void;
  /** Cuts all streams, so that clients go on at another process, and lets nobody in. Resolves though clients hang. */
  readonly close: () => Promise<void>;
}

/** The options with their defaults. */
export type Settings<Context> = Required<Omit<RelayOptions<Context>, 'admit' | 'onError' | 'log' | 'hosts'>> &
  Pick<RelayOptions<Context>, 'admit' | 'hosts'>;

/** An origin as browsers serialise it: a scheme, a host, a port that is not the scheme's own. Never `null` or `*`. */
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
