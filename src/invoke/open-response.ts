import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { ProtocolError } from '../errors.js';
import { emptyWebStream } from './body-source.js';
import type { InvokeCommandInput } from './invoke-input.js';
import type { LambdaStreamClient, LambdaStreamCommand, LambdaStreamOutput } from './lambda-stream-client.js';

/** A 2xx response whose body nobody has read. */
export interface RawResponse {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /**
   * Has the SDK build the exception that it would have built had this error come as an HTTP response, so that
   * `instanceof` and all fields hold.
   *
   * @param members - The error's members.
   * @param json - The same as the frame has them.
   */
  readonly toException: (
    errorType: string,
    members: Readonly<Record<string, unknown>>,
    json: Uint8Array,
  ) => Promise<unknown>;
}

export interface OpenResponseObserver {
  /** Called at the HTTP headers of a 2xx, also after an abort. The body is the caller's to read and to close. */
  response(response: RawResponse): void;
  /** Called instead of `response` where the client ran no middleware: a mock. */
  output(output: LambdaStreamOutput): void;
  /** What `send` rejected with, as it is. May follow `response`, where a middleware of the client's failed later. */
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

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body?: unknown;
}

const errorTypeHeader = 'x-amzn-errortype';

/**
 * Sends the command and takes the body of its response at the HTTP headers: the only place that knows the SDK.
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
  // As a boolean: narrowing cannot see that the middleware changes it.
  let isTaken = false as boolean;
  try {
    const command = createCommand(options, () => (isTaken = true));
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

/** Makes the command with both seams. A mocked command may have no middleware stack: then there is nothing to seam. */
function createCommand(
  { input, abortSignal, sdkRetries, observer }: OpenResponseOptions,
  onTaken: () => void,
): InvokeWithResponseStreamCommand {
  const command = newCommand(input);
  const middlewareStack = command.middlewareStack as typeof command.middlewareStack | undefined;
  if (typeof middlewareStack?.addRelativeTo !== 'function') return command;
  /** Runs the SDK's deserializer again. */
  let deserialize: () => Promise<unknown>;
  /** What the deserializer reads then, instead of a response from the network. */
  let simulated: HttpResponse | undefined;

  if (!sdkRetries) {
    middlewareStack.add((next) => next, {
      step: 'finalizeRequest',
      name: 'retryMiddleware',
      priority: 'high',
      override: true,
    });
  }

  // On both sides of the deserializer, so that no other middleware sees the simulated response.
  const toMiddleware = 'deserializerMiddleware';
  const remember = (next: Handler) => (args: unknown) => (deserialize = () => next(args))();
  const simulate = (next: Handler) => (args: unknown) =>
    simulated ? Promise.resolve({ response: simulated }) : next(args);
  middlewareStack.addRelativeTo(remember as unknown as Middleware, { relation: 'before', toMiddleware });
  middlewareStack.addRelativeTo(simulate as unknown as Middleware, { relation: 'after', toMiddleware });

  middlewareStack.add(
    (next) => async (args) => {
      // React Native's signals have neither `throwIfAborted` nor a reason.
      if (abortSignal.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' });
      const result = await next(args);
      const response = result.response as HttpResponse;
      const { statusCode, headers, body } = response;
      if (statusCode < 200 || statusCode > 299) return result;
      onTaken();
      // All of the SDK's event-stream readers take a web stream, whatever the HTTP handler's own is.
      response.body = emptyWebStream();
      observer.response({
        statusCode,
        headers: textHeaders(headers),
        body,
        async toException(errorType, { retryAfterSeconds }, json) {
          simulated = {
            ...response,
            // Any failure makes the SDK read it as one. The real status is put back below.
            statusCode: 400,
            headers: {
              ...headers,
              'content-type': 'application/json',
              [errorTypeHeader]: errorType,
              // In an HTTP response it is a header; in a frame it can only be a member of the body.
              ...(isText(retryAfterSeconds) && { 'retry-after': String(retryAfterSeconds) }),
            },
            body: json,
          };
          const exception: unknown = await deserialize().catch((error: unknown) => error);
          // Also `$response` of the exception, which is this object.
          simulated.statusCode = statusCode;
          const { $fault, $metadata } = Object(exception) as Partial<SdkException>;
          if ($fault === undefined || !$metadata) {
            throw new ProtocolError(`The SDK cannot read a frame of ${errorType}`, { cause: exception });
          }
          $metadata.httpStatusCode = statusCode;
          return exception;
        },
      });
      return result;
    },
    { step: 'deserialize', name: 'rxLambdaStream', priority: 'low' },
  );
  return command;
}

/** A middleware of whichever step its neighbour has: the types of the SDK know the absolute steps only. */
type Middleware = Parameters<InvokeWithResponseStreamCommand['middlewareStack']['addRelativeTo']>[0];
type Handler = (args: unknown) => Promise<unknown>;

interface SdkException {
  readonly $fault: string;
  readonly $metadata: { httpStatusCode?: number };
}

/**
 * Makes the command, also where a test has mocked the SDK's module.
 *
 * @throws TypeError where the mock has no class of this name.
 */
function newCommand(input: InvokeCommandInput): InvokeWithResponseStreamCommand {
  let command: InvokeWithResponseStreamCommand;
  try {
    command = new InvokeWithResponseStreamCommand(input);
  } catch (cause) {
    throw new TypeError(
      'InvokeWithResponseStreamCommand of @aws-sdk/client-lambda cannot be constructed. ' +
        'Where a test mocks the module, the mock must keep this class',
      { cause },
    );
  }
  // A mocked class stores nothing, and the test's client looks at the command's input.
  if ((command.input as unknown) === undefined) Object.assign(command, { input });
  return command;
}

/** Leaves out HTTP/2's own `:status`, which is a number. */
function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith(':'))
      .map(([name, value]) => [name, String(value)]),
  );
}

/**
 * An exception's name is in a header. Where CORS hides the header from a page, the SDK calls every exception `Unknown`.
 * The exception stays the object that it is, and gets a `cause` that says what to do.
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
