import type { CorsOption } from './http/doors.js';
import type { LocalRequest } from './http/local-request.js';
import type { Bandwidth } from './invocation/bandwidth.js';
import type { LocalFunction } from './runtime/local-function.js';

/** What the endpoint serves, and how. */
export interface LocalLambdaOptions {
  /**
   * The functions by name. They are looked up for each request, so that a change of this object takes effect at once.
   */
  readonly functions: Readonly<Record<string, LocalFunction>>;
  /**
   * The address to listen on. Credentials are not checked, so that any address except loopback gives a warning.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /** The port to listen on. With 0 it is a free one. @defaultValue `0` */
  readonly port?: number;
  /**
   * Opens a function URL for each function, on a port of its own. An HTTP request becomes an event of payload format
   * 2.0, and the function's answer becomes the HTTP response. With `{ port }` the first function has this port, and
   * each further function the next one, in the order of `functions`. Otherwise every port is a free one.
   * @defaultValue `false`
   */
  readonly functionUrls?: boolean | { readonly port?: number };
  /**
   * Allows pages in browsers to call: all pages (true), or those of these origins. Any other request with an `Origin`,
   * `null` included, is refused with a 403 before its body is read. Only pages send an `Origin`. A page may always call
   * the origin that it was loaded from. @defaultValue `false`
   */
  readonly cors?: CorsOption;
  /**
   * Further host names, without a port, by which clients may reach the endpoint on a loopback address, such as
   * `host.docker.internal` or a tunnel's name. `localhost` and the loopback addresses are always allowed. Any other
   * `Host` is refused with a 403, because an attacker can make a foreign name lead here (DNS rebinding). @defaultValue
   * `[]`
   */
  readonly allowedHosts?: readonly string[];
  /**
   * How a handler's throw or time-out is reported: in `ErrorCode` and `ErrorDetails` of the InvokeComplete, or not at
   * all. AWS has been seen to do both. @defaultValue `'error-code'`
   */
  readonly errorReporting?: 'error-code' | 'silent';
  /**
   * How an accepted DryRun is answered: by a 204 without a body, as AWS's model says, or by the whole stream of a real
   * run, as AWS has been seen to do. Scripted functions always play their script. @defaultValue `'no-content'`
   */
  readonly dryRun?: 'no-content' | 'run';
  /** How fast responses may be sent. `'aws'` is 6 MB without a limit, then 2 MB a second. @defaultValue no limit */
  readonly bandwidth?: Bandwidth | 'aws';
  /**
   * The longest payload of a response, in bytes. A longer one is cut there, and the response ends as if it were whole.
   * `Infinity` sets no limit.
   * @defaultValue 209,715,201
   */
  readonly maxResponseBytes?: number;
  /**
   * The longest body of a request, in bytes. A longer one gets a RequestTooLargeException. `Infinity` sets no limit.
   * @defaultValue 6,291,456
   */
  readonly maxRequestBytes?: number;
  /**
   * How long a request may take to arrive, in milliseconds. A slower one is refused. `Infinity` sets no limit.
   * @defaultValue 60,000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Keeps the record of each request, with its payload, in `requests`. Set it to false for an endpoint that runs for
   * days. Then `request(n)` resolves only for later requests. @defaultValue `true`
   */
  readonly keepRequests?: boolean;
  /** Called when an invocation's response is over, with its record. */
  readonly onInvocation?: (invocation: FinishedInvocation) => void;
  /**
   * Called with a problem that no response can tell: an error that nobody caught, `process.exit`, a write after the
   * end, a page that was refused. @defaultValue prints one line to stderr
   */
  readonly onProblem?: (problem: LocalProblem) => void;
}

/** An invocation that is over, for logs. */
export interface FinishedInvocation {
  readonly request: LocalRequest;
  /** From the arrival of the request's headers to the end of the response, in milliseconds. */
  readonly durationMs: number;
  readonly closedEarly: boolean;
  /** What the handler threw, or its time-out. */
  readonly failure?: { readonly errorType: string; readonly errorMessage: string; readonly trace: readonly string[] };
}

/** A problem that no response can tell. */
export interface LocalProblem {
  readonly kind:
    | 'uncaught' // nobody caught an error of the invocation, which fails at once
    | 'unhandled-rejection' // nobody handled a rejection of the invocation, which fails at once
    | 'exit' // the handler called `process.exit`: the invocation fails at once, and the process goes on
    | 'thrown-after-end' // the handler threw after the end of its stream: the response is whole
    | 'write-after-end' // the handler wrote to its stream after the end: the bytes are lost
    | 'destroyed' // the handler destroyed its stream: the client sees a broken connection
    | 'invalid-response' // the function's answer is not an HTTP response: its URL answers 502
    | 'refused'; // a page or a host name that is not allowed
  /** One sentence, without control characters, payload or credentials. */
  readonly message: string;
  /** The invocation's request. Absent for a refusal. */
  readonly request?: LocalRequest;
  readonly error?: unknown;
}
