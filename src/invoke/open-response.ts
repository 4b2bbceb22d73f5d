import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import type { InvokeCommandInput } from './invoke-input.js';
import type { LambdaStreamClient, LambdaStreamCommand, LambdaStreamOutput } from './lambda-stream-client.js';
import { emptyWebStream } from './read-body.js';

/** A 2xx response whose body nobody has read. */
export interface RawResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /**
   * Has the SDK build the exception that it would have built had this error come as an HTTP response, so that
   * `instanceof` and all fields hold.
   */
  readonly toException: (errorType: string, error: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export interface OpenResponseObserver {
  /**
   * Called at the HTTP headers of a 2xx response, also after an abort. Its body is the caller's to read and to close.
   */
  response(response: RawResponse): void;
  /** Called instead of `response` where the client ran no middleware: a mock. */
  output(output: LambdaStreamOutput): void;
  /** What `send` rejected with, as it is. May follow `response`, where a middleware of the client's failed later. */
  error(error: unknown): void;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * Sends the command and takes the body of its response at the HTTP headers: the only place that knows the SDK.
 *
 * The SDK resolves the endpoint and the credentials, signs, sends, and builds its exceptions. Two seams of its
 * middleware stack are used, both on the command's own stack, so that the shared client is not touched:
 * `retryMiddleware`
 * is replaced by one that sends once, and next to the HTTP handler a middleware puts an empty body in the place of the
 * one that it takes.
 */
export async function openResponse(
  client: LambdaStreamClient,
  input: InvokeCommandInput,
  abortSignal: AbortSignal,
  sdkRetries: boolean,
  observer: OpenResponseObserver,
): Promise<void> {
  const command = new InvokeWithResponseStreamCommand(input);
  const { middlewareStack } = command;
  // As a boolean: that the middleware changes it is nothing that narrowing can see.
  let taken = false as boolean;
  /** Runs the SDK's deserializer again. */
  let deserialize: () => Promise<unknown>;
  /** What it is to read then, instead of a response from the network. */
  let simulated: HttpResponse | undefined;

  if (!sdkRetries) {
    middlewareStack.add((next) => next, {
      step: 'finalizeRequest',
      name: 'retryMiddleware',
      priority: 'high',
      override: true,
    });
  }

  // Outside of the deserializer.
  middlewareStack.add((next) => (args) => (deserialize = () => next(args))(), {
    step: 'deserialize',
    priority: 'high',
  });

  // Inside of it, next to the HTTP handler.
  middlewareStack.add(
    (next) => async (args) => {
      if (simulated) return { response: simulated, output: undefined as never };
      abortSignal.throwIfAborted();
      const result = await next(args);
      const response = result.response as HttpResponse;
      const { statusCode, headers, body } = response;
      if (statusCode < 200 || statusCode > 299) return result;
      taken = true;
      // All of the SDK's event-stream readers take a web stream, whatever the HTTP handler's own is.
      response.body = emptyWebStream();
      observer.response({
        statusCode,
        headers,
        body,
        toException(errorType, { retryAfterSeconds, ...error }) {
          simulated = {
            ...response,
            // Any failure will do to make the SDK read it as one; the real status is put back below.
            statusCode: 400,
            headers: {
              ...headers,
              'content-type': 'application/json',
              [errorTypeHeader]: errorType,
              // In an HTTP response the retry delay is a header; in a frame it can only be a member of the body.
              ...(isText(retryAfterSeconds) && { 'retry-after': String(retryAfterSeconds) }),
            },
            body: new TextEncoder().encode(JSON.stringify(error)),
          };
          return deserialize().catch((exception: unknown) => {
            const { $metadata } = exception as { $metadata?: { httpStatusCode?: number } };
            if ($metadata) $metadata.httpStatusCode = statusCode;
            return exception;
          });
        },
      });
      return result;
    },
    { step: 'deserialize', name: 'rxLambdaStream', priority: 'low' },
  );

  try {
    // The SDK's type of the payload is wider than the bytes that are sent.
    const output = await client.send(command as LambdaStreamCommand, { abortSignal });
    if (!taken) observer.output(output);
  } catch (error) {
    explainNamelessException(error);
    observer.error(error);
  }
}

const errorTypeHeader = 'x-amzn-errortype';

/**
 * An exception's name is in a header. Where CORS hides that from a page, the SDK calls every exception `Unknown`: the
 * exception stays the object and what it says stays, and its `cause` tells what to do.
 */
function explainNamelessException(error: unknown): void {
  const { $response, cause } = Object(error) as { $response?: Partial<HttpResponse>; cause?: unknown };
  const headers = $response?.headers;
  if (!headers || errorTypeHeader in headers || cause !== undefined || !('location' in globalThis)) return;
  const hint = `The response shows no ${errorTypeHeader}: its origin must send "Access-Control-Expose-Headers: ${errorTypeHeader}"`;
  // Unlike an assignment, this cannot throw, whatever object a middleware of the client's has made of it.
  Reflect.set(error as object, 'cause', new Error(hint));
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
