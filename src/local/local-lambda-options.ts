import type { CorsOption } from './http/cors.js';
import type { LocalFunction } from './runtime/local-function.js';
import type { LocalRequest } from './http/local-request.js';
import type { Bandwidth } from './invocation/bandwidth.js';

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
  /** Lets pages in browsers call: all (true), or those of these origins. @defaultValue `false` */
  readonly cors?: CorsOption;
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
  /** A response's payload is cut after this many bytes, and ends as if it were whole. @defaultValue 209,715,201 */
  readonly maxResponseBytes?: number;
  /** A longer request body gets a RequestTooLargeException. @defaultValue 6,291,456 */
  readonly maxRequestBytes?: number;
  /** A request that takes longer to arrive is refused, in milliseconds. @defaultValue 60,000 */
  readonly requestTimeoutMs?: number;
  /**
   * Keeps each request's record in `requests`, its payload with it. Without, `request(n)` only brings those to come:
   * for
   * an endpoint that runs for days. @defaultValue `true`
   */
  readonly keepRequests?: boolean;
  /** Called when an invocation's response is over, with its record. */
  readonly onInvocation?: (invocation: FinishedInvocation) => void;
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
