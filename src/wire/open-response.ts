import {
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCommandInput,
  type InvokeWithResponseStreamCommandOutput,
} from '@aws-sdk/client-lambda';
import { readBody, emptyWebStream } from './read-body.js';

/** What of a `LambdaClient` is used: its `send`. A mock needs nothing more. */
export interface LambdaStreamClient {
  send(
    command: InvokeWithResponseStreamCommand,
    options?: { abortSignal?: AbortSignal },
  ): Promise<InvokeWithResponseStreamCommandOutput>;
}

/** A 2xx response whose body nobody has read. */
export interface RawResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /**
   * Has the SDK build the exception that it would have built had this error come as an HTTP response, so that
   * `instanceof` and all fields hold.
   */
  toException(errorType: string, error: Readonly<Record<string, unknown>>): Promise<unknown>;
}

export interface OpenResponseObserver {
  /** Called at the HTTP headers of a 2xx response. Its body is now the caller's to read and to close. */
  response(response: RawResponse): void;
  /** Called instead of `response` where the client ran no middleware: a mock. */
  output(output: InvokeWithResponseStreamCommandOutput): void;
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
 * middleware stack are used, both on the command's own stack, so that the shared client is not touched: `retryMiddleware`
 * is replaced by one that sends once, and next to the HTTP handler a middleware puts an empty body in the place of the
 * one that it takes.
 */
export function openResponse(
  client: LambdaStreamClient,
  input: InvokeWithResponseStreamCommandInput,
  options: { signal: AbortSignal; sdkRetries: boolean },
  observer: OpenResponseObserver,
): void {
  const command = new InvokeWithResponseStreamCommand(input);
  let taken = false;
  /** The SDK's deserializer, and what it is to read instead of a response from the network. */
  let deserialize = (_error: HttpResponse): Promise<unknown> => Promise.reject(new TypeError('Nothing was sent yet'));
  let simulated: HttpResponse | undefined;

  if (!options.sdkRetries) {
    command.middlewareStack.add((next) => (args) => next(args), {
      step: 'finalizeRequest',
      name: 'retryMiddleware',
      priority: 'high',
      override: true,
    });
  }

  // Outside of the deserializer.
  command.middlewareStack.add(
    (next) => (args) => {
      deserialize = (error) => {
        simulated = error;
        return next(args);
      };
      return next(args);
    },
    { step: 'deserialize', name: 'rxLambdaStreamDeserializer', priority: 'high' },
  );

  // Inside of it, next to the HTTP handler.
  command.middlewareStack.add(
    (next) => async (args) => {
      if (simulated !== undefined) return { response: simulated, output: undefined as never };
      options.signal.throwIfAborted();
      const result = await next(args);
      const response = result.response as HttpResponse;
      if (response.statusCode < 200 || response.statusCode > 299) return result;

      const { statusCode, headers, body } = response;
      if (options.signal.aborted) {
        readBody(body, { next: ignore, complete: ignore, error: ignore }).cancel();
        options.signal.throwIfAborted();
      }
      taken = true;
      response.body = emptyBodyLike(body);
      observer.response({
        statusCode,
        headers,
        body,
        toException: (errorType, error) => toException(response, deserialize, errorType, error),
      });
      return result;
    },
    { step: 'deserialize', name: 'rxLambdaStreamBody', priority: 'low' },
  );

  void send();

  async function send(): Promise<void> {
    try {
      const output = await client.send(command, { abortSignal: options.signal });
      if (!taken) observer.output(output);
    } catch (error) {
      explainNamelessException(error);
      observer.error(error);
    }
  }
}

const errorTypeHeader = 'x-amzn-errortype';

/**
 * An exception's name is in a header. Where CORS hides that from a page, the SDK calls every exception `Unknown`: the
 * exception stays the object and what it says stays, and its `cause` tells what to do.
 */
function explainNamelessException(error: unknown): void {
  const { $response, cause } = Object(error) as { $response?: Partial<HttpResponse>; cause?: unknown };
  const { headers } = $response ?? {};
  if (!headers || Object.hasOwn(headers, errorTypeHeader) || cause !== undefined || !('location' in globalThis)) return;
  const hint = `The response has no ${errorTypeHeader}: does its origin send "Access-Control-Expose-Headers: ${errorTypeHeader}"?`;
  // Unlike an assignment, this cannot throw, whatever object a middleware of the client's has made of it.
  Reflect.set(error as object, 'cause', new Error(hint));
}

function ignore(): void {
  // Nobody is subscribed any more.
}

/** What the SDK reads in the place of the body taken; each of its event-stream readers accepts only its own kind. */
function emptyBodyLike(body: unknown): unknown {
  if (typeof (body as ReadableStream | undefined)?.getReader === 'function') return emptyWebStream();
  // A Blob stands for "no body" in the fetch handler.
  if (typeof (body as Blob | undefined)?.stream === 'function') return emptyWebStream();
  return {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
  };
}

async function toException(
  response: HttpResponse,
  deserialize: (error: HttpResponse) => Promise<unknown>,
  errorType: string,
  error: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { statusCode, headers } = response;
  // In an HTTP response the retry delay is a header; in a frame it can only be a member of the body.
  const { retryAfterSeconds, ...body } = error;
  const simulated = Object.assign(Object.create(Object.getPrototypeOf(response) as object) as HttpResponse, response, {
    // Any failure will do to make the SDK read it as one; the real status is put back below.
    statusCode: 400,
    headers: {
      ...headers,
      'content-type': 'application/json',
      [errorTypeHeader]: errorType,
      ...(isText(retryAfterSeconds) && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: new TextEncoder().encode(JSON.stringify(body)),
  });
  try {
    await deserialize(simulated);
  } catch (exception) {
    const metadata = (exception as { $metadata?: { httpStatusCode?: number } }).$metadata;
    if (metadata !== undefined) metadata.httpStatusCode = statusCode;
    return exception;
  }
  throw new TypeError('The SDK read an error response as a success');
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
