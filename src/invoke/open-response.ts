import type { InvokeCommandInput } from './invoke-input.js';
import type { LambdaStreamClient, LambdaStreamCommand, LambdaStreamOutput } from './lambda-stream-client.js';
import { createSeamedCommand, errorTypeHeader, type HttpResponse, type RawResponse } from './seamed-command.js';

export interface OpenResponseObserver {
  /** Called at the HTTP headers of a 2xx, also after an abort. The caller has to read the body or to close it. */
  response(response: RawResponse): void;
  /** Called instead of `response` where the client ran no middleware, because it is a mock. */
  output(output: LambdaStreamOutput): void;
  /** Called with what `send` rejected with, unchanged. May follow `response`, where a middleware failed later. */
  error(error: unknown): void;
}

export interface OpenResponseOptions {
  readonly client: LambdaStreamClient;
  readonly input: InvokeCommandInput;
  readonly abortSignal: AbortSignal;
  /** Leaves the SDK's own retries on. */
  readonly sdkRetries: boolean;
  readonly observer: OpenResponseObserver;
}

/**
 * Sends the command and takes the body of its response at the HTTP headers. Only this file and `seamed-command.ts` know
 * the SDK.
 *
 * The SDK resolves the endpoint and the credentials, signs, sends, and builds its exceptions. The two seams are on the
 * command's own middleware stack, so that the shared client is not changed:
 *
 *     client.send(command)
 *       │  initialize, serialize, build
 *       │  finalizeRequest
 *       │    retryMiddleware ◄────── seam 1: replaced by one that sends once
 *       │    signing
 *       │  deserialize
 *       │    the application's own middleware
 *       │    deserializerMiddleware ◄ for an exception within the stream it runs once more, alone
 *       │    rxLambdaStream ◄─────── seam 2: takes the body of a 2xx, leaves an empty one
 *       ▼
 *     HTTP handler
 */
export async function openResponse(options: OpenResponseOptions): Promise<void> {
  const { client, abortSignal, observer } = options;
  // The type is widened because the compiler cannot see that the middleware changes the value.
  let isTaken = false as boolean;
  try {
    const command = createSeamedCommand(options, (response) => {
      isTaken = true;
      observer.response(response);
    });
    // The SDK's type of the payload is wider than the bytes that are sent.
    const output: unknown = await client.send(command as LambdaStreamCommand, { abortSignal });
    if (isTaken) return;
    if (output !== Object(output)) throw new TypeError('The mocked client answered without an output');
    observer.output(output as LambdaStreamOutput);
  } catch (error) {
    explainNamelessException(error);
    observer.error(error);
  }
}

/**
 * An exception's name is in a header. Where CORS hides the header from a page, the SDK calls every exception `Unknown`.
 * The exception stays the object that it is, and gets a `cause` that says what to do.
 */
function explainNamelessException(error: unknown): void {
  const { $response, cause } = Object(error) as { $response?: Partial<HttpResponse>; cause?: unknown };
  const headers = $response?.headers;
  if (!headers || errorTypeHeader in headers || cause !== undefined || !('location' in globalThis)) return;
  const hint =
    `The response shows no ${errorTypeHeader}: its origin must send ` +
    `"Access-Control-Expose-Headers: ${errorTypeHeader}"`;
  // Unlike an assignment, this cannot throw. A middleware of the client may have frozen the error.
  Reflect.set(error as object, 'cause', new Error(hint));
}
