import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { ProtocolError } from '../errors.js';
import { emptyWebStream } from './body-source.js';
import type { InvokeCommandInput } from './invoke-input.js';

/** A 2xx response whose body nobody has read. */
export interface RawResponse {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /**
   * Lets the SDK build the exception that it builds for such an error in an HTTP response, so that `instanceof` and all
   * fields hold.
   *
   * @param members - The error's members.
   * @param json - The members as the bytes of the frame.
   */
  readonly toException: (
    errorType: string,
    members: Readonly<Record<string, unknown>>,
    json: Uint8Array,
  ) => Promise<unknown>;
}

/** The HTTP response of the SDK's handlers. */
export interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body?: unknown;
}

/** The header with the name of an exception. */
export const errorTypeHeader = 'x-amzn-errortype';

interface SeamedCommandOptions {
  readonly input: InvokeCommandInput;
  readonly abortSignal: AbortSignal;
  /** Leaves the SDK's own retries on. */
  readonly sdkRetries: boolean;
}

/**
 * Makes the command with the seams that `openResponse` draws. A mocked command may have no middleware stack, and then
 * has no seams.
 *
 * @param onResponse - Takes a 2xx response at its headers.
 */
export function createSeamedCommand(
  { input, abortSignal, sdkRetries }: SeamedCommandOptions,
  onResponse: (response: RawResponse) => void,
): InvokeWithResponseStreamCommand {
  const command = newCommand(input);
  const stack = command.middlewareStack as Stack | undefined;
  if (typeof stack?.addRelativeTo !== 'function') return command;
  if (!sdkRetries) sendOnce(stack);
  takeBody(stack, abortSignal, repeatDeserializer(stack), onResponse);
  return command;
}

type Stack = InvokeWithResponseStreamCommand['middlewareStack'];
/** A middleware of the same step as its neighbour. The SDK's types know only absolute steps. */
type Middleware = Parameters<Stack['addRelativeTo']>[0];
type Handler = (args: unknown) => Promise<unknown>;

/** Seam 1: replaces the SDK's retries by a middleware that passes the request on. */
function sendOnce(stack: Stack): void {
  stack.add((next) => next, {
    step: 'finalizeRequest',
    name: 'retryMiddleware',
    priority: 'high',
    override: true,
  });
}

/** Seam 2: takes the body of a 2xx and leaves an empty one for the SDK. */
function takeBody(
  stack: Stack,
  abortSignal: AbortSignal,
  deserialize: (simulated: HttpResponse) => Promise<unknown>,
  onResponse: (response: RawResponse) => void,
): void {
  stack.add(
    (next) => async (args) => {
      // React Native's signals have neither `throwIfAborted` nor a reason.
      if (abortSignal.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' });
      const result = await next(args);
      const response = result.response as HttpResponse;
      const { statusCode, headers, body } = response;
      if (statusCode < 200 || statusCode > 299) return result;
      // All of the SDK's event-stream readers take a web stream, whatever the HTTP handler's own body is.
      response.body = emptyWebStream();
      onResponse({
        statusCode,
        headers: textHeaders(headers),
        body,
        async toException(errorType, { retryAfterSeconds }, json) {
          const simulated = {
            ...response,
            // Any failing status makes the SDK read an exception. The real status is put back below.
            statusCode: 400,
            headers: {
              ...headers,
              'content-type': 'application/json',
              [errorTypeHeader]: errorType,
              // In an HTTP response this value is a header. In a frame it can only be a member of the body.
              ...(isTextOrNumber(retryAfterSeconds) && { 'retry-after': String(retryAfterSeconds) }),
            },
            body: json,
          };
          const exception: unknown = await deserialize(simulated).catch((error: unknown) => error);
          // The exception has this object as its `$response`.
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
}

interface SdkException {
  readonly $fault: string;
  readonly $metadata: { httpStatusCode?: number };
}

/**
 * Lets the SDK's deserializer run once more, on a response that did not come from the network.
 *
 * The two middlewares stand directly before and after the deserializer, so that no other one sees that response.
 */
function repeatDeserializer(stack: Stack): (simulated: HttpResponse) => Promise<unknown> {
  let repeat: () => Promise<unknown>;
  let response: HttpResponse | undefined;
  const toMiddleware = 'deserializerMiddleware';
  const remember = (next: Handler) => (args: unknown) => (repeat = () => next(args))();
  const simulate = (next: Handler) => (args: unknown) => (response ? Promise.resolve({ response }) : next(args));
  stack.addRelativeTo(remember as unknown as Middleware, { relation: 'before', toMiddleware });
  stack.addRelativeTo(simulate as unknown as Middleware, { relation: 'after', toMiddleware });
  return (simulated) => {
    response = simulated;
    return repeat();
  };
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

function isTextOrNumber(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
