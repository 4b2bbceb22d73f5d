import { callback, checkOptions, flag, limitFrom, oneOf, text, timeLimitMs } from '../shared/check-options.js';
import type { CorsOption } from './http/doors.js';
import type { LocalRequest } from './http/local-request.js';
import type { Bandwidth } from './invocation/bandwidth.js';
import { checkFunctions, type LocalFunction } from './runtime/local-function.js';

/** What the endpoint serves, and how. */
export interface LocalLambdaOptions {
  /** By name. Looked up anew for each request: what is added to or replaced in this object takes effect at once. */
  readonly functions: Readonly<Record<string, LocalFunction>>;
  /**
   * The address to listen on. Credentials are not checked: any other than loopback gives a warning. @defaultValue
   * `'127.0.0.1'`
   */
  readonly host?: string;
  /** The port to listen on; 0 takes a free one. @defaultValue `0` */
  readonly port?: number;
  /**
   * Opens a function URL for each function, on a port of its own: an HTTP request becomes an event of payload format
   * 2.0, and what the function answers becomes the HTTP response. `{ port }` is the first function's port, and each
   * further function takes the next one, in the order of `functions`; without it every port is a free one.
   * @defaultValue `false`
   */
  readonly functionUrls?: boolean | { readonly port?: number };
  /**
   * Lets pages in browsers call: all (true), or those of these origins. Any other request with an `Origin`, `null`
   * included, is refused with a 403 before its body is read. A client that is no page sends no `Origin`.
   * A page may always call the origin that it was loaded from. @defaultValue `false`
   */
  readonly cors?: CorsOption;
  /**
   * Host names, without a port, by which clients may reach the endpoint on a loopback address besides `localhost` and
   * the loopback addresses: such as `host.docker.internal`, or a tunnel's name. Any other `Host` is refused with a 403,
   * since a foreign name can be made to lead here (DNS rebinding). @defaultValue `[]`
   */
  readonly allowedHosts?: readonly string[];
  /**
   * How a handler's throw or time-out is reported: in `ErrorCode` and `ErrorDetails` of the InvokeComplete, or not at
   * all. Real Lambda has been seen to do either. @defaultValue `'error-code'`
   */
  readonly errorReporting?: 'error-code' | 'silent';
  /**
   * What an accepted DryRun answers: a 204 without a body, as AWS's model says, or the whole stream of a real run, as
   * AWS has been seen to. Scripted functions always play their script. @defaultValue `'no-content'`
   */
  readonly dryRun?: 'no-content' | 'run';
  /** How fast responses may go: `'aws'` is 6 MB uncapped, then 2 MB a second. @defaultValue no limit */
  readonly bandwidth?: Bandwidth | 'aws';
  /**
   * A response's payload is cut after this many bytes, and ends as if it were whole. `Infinity` sets no limit.
   * @defaultValue 209,715,201
   */
  readonly maxResponseBytes?: number;
  /** A longer request body gets a RequestTooLargeException. `Infinity` sets no limit. @defaultValue 6,291,456 */
  readonly maxRequestBytes?: number;
  /**
   * How long a request may take to arrive, in milliseconds. A slower one is refused. `Infinity` sets no limit.
   * @defaultValue 60,000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Keeps each request's record with its payload in `requests`. Set it to false for an endpoint that runs for days:
   * `request(n)` then resolves only for requests that are still to come. @defaultValue `true`
   */
  readonly keepRequests?: boolean;
  /** Called when an invocation's response is over, with its record. */
  readonly onInvocation?: (invocation: FinishedInvocation) => void;
  /**
   * Called with what no response can tell: an error that nobody caught, `process.exit`, a write after the end, a page
   * that was refused. @defaultValue prints one line to stderr
   */
  readonly onProblem?: (problem: LocalProblem) => void;
}

/** An invocation that is over, for logs. */
export interface FinishedInvocation {
  readonly request: LocalRequest;
  /** From the arrival of the request's headers to the end of the response, in milliseconds. */
  readonly durationMs: number;
  readonly closedEarly: boolean;
  /** What a handler threw, or its time-out. */
  readonly failure?: { readonly errorType: string; readonly errorMessage: string; readonly trace: readonly string[] };
}

/** Something that went wrong without a response that could say so. */
export interface LocalProblem {
  readonly kind:
    | 'uncaught' // nobody caught an error of the invocation: it fails at once
    | 'unhandled-rejection' // nobody handled a rejection of the invocation: it fails at once
    | 'exit' // the handler called `process.exit`: the invocation fails at once, the process goes on
    | 'thrown-after-end' // the handler threw after its stream had ended: the response is whole
    | 'write-after-end' // the handler wrote to its stream after the end: the bytes are lost
    | 'destroyed' // the handler destroyed its stream: the client sees a broken connection
    | 'invalid-response' // what the function answered is no HTTP response: its URL answers 502
    | 'refused'; // a page or a host name that is not allowed
  /** One sentence, without control characters, payload or credentials. */
  readonly message: string;
  /** The invocation; absent for a refusal. */
  readonly request?: LocalRequest;
  readonly error?: unknown;
}

/** The options with their defaults. */
export type Settings = Required<Omit<LocalLambdaOptions, 'bandwidth' | 'onInvocation'>> &
  Pick<LocalLambdaOptions, 'bandwidth' | 'onInvocation'>;

const defaults = {
  host: '127.0.0.1',
  port: 0,
  functionUrls: false,
  cors: false,
  allowedHosts: [],
  errorReporting: 'error-code',
  dryRun: 'no-content',
  /** AWS cuts a streamed response after this many bytes. */
  maxResponseBytes: 209_715_201,
  /** AWS's limit for the request body of a synchronous invocation. */
  maxRequestBytes: 6_291_456,
  requestTimeoutMs: 60_000,
  keepRequests: true,
  onProblem: printProblem,
} as const;

const port = {
  expected: 'a whole number from 0 to 65535',
  isValid: (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
  isNumber: true,
};

const origin = /^(null|[a-z][a-z0-9+.-]*:\/\/[^/?#@\s,*]+)$/i;
const isListOf = (value: unknown, isItem: (item: string) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && isItem(item));

/** Checks the options and fills in the defaults. @throws TypeError or RangeError that names the option. */
export function toSettings(options: LocalLambdaOptions): Settings {
  const given: unknown = options;
  if (given === undefined) throw new TypeError('startLocalLambda: options must be an object such as { functions }');
  checkOptions('startLocalLambda', options, {
    host: text,
    port,
    functionUrls: oneOf([], {
      expected: 'true, false or { port }',
      isValid: (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    }),
    cors: {
      expected: "true, false or an array of origins such as 'https://app.example'",
      isValid: (value) => typeof value === 'boolean' || isListOf(value, (item) => origin.test(item)),
    },
    allowedHosts: {
      expected: "an array of host names without a port, such as 'host.docker.internal'",
      isValid: (value) => isListOf(value, (item) => /^[^\s/:@,*]+$/.test(item)),
    },
    errorReporting: oneOf(['error-code', 'silent']),
    dryRun: oneOf(['no-content', 'run']),
    bandwidth: oneOf(['aws'], { expected: '{ freeBytes, bytesPerSecond }', isValid: isBandwidth }),
    maxResponseBytes: limitFrom(0),
    maxRequestBytes: limitFrom(0),
    requestTimeoutMs: timeLimitMs,
    keepRequests: flag,
    onInvocation: callback,
    onProblem: callback,
  });
  if (typeof options.functionUrls === 'object') {
    checkOptions('startLocalLambda: functionUrls', options.functionUrls, { port });
  }
  checkFunctions(options.functions);
  const chosen = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...(chosen as unknown as LocalLambdaOptions) };
}

function isBandwidth(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { freeBytes, bytesPerSecond } = value as Partial<Record<string, unknown>>;
  const isAmount = (amount: unknown): boolean => typeof amount === 'number' && amount >= 0;
  return isAmount(freeBytes) && isAmount(bytesPerSecond) && bytesPerSecond !== 0;
}

function printProblem({ message }: LocalProblem): void {
  process.stderr.write(`rx-lambda-stream/local: ${message}\n`);
}
