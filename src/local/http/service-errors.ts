import type { ServerResponse } from 'node:http';

/** An answer that the service gives instead of running the function. */
export interface ServiceError {
  readonly statusCode: number;
  /** The exception's name. Without it no `x-amzn-errortype` is sent, as by a proxy before Lambda. */
  readonly name?: string | undefined;
  readonly message?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** An object is added to the JSON members `Type` and `Message`. A string is the whole body. */
  readonly body?: object | string | undefined;
}

/** Thrown to answer a request with a service error. `handleRequest` catches it. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal';
  readonly answer: ServiceError;

  constructor(answer: ServiceError) {
    super(answer.message);
    this.answer = answer;
  }
}

/** The exceptions whose member is called `message` in AWS's model. In all others it is called `Message`. */
const lowerCaseMessage = new Set([
  'CodeArtifactUserDeletedException',
  'CodeArtifactUserFailedException',
  'CodeArtifactUserPendingException',
  'InvalidParameterValueException',
  'InvalidRequestContentException',
  'RequestTooLargeException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'SerializedRequestEntityTooLargeException',
  'TooManyRequestsException',
  'UnsupportedMediaTypeException',
]);

/** Makes the JSON body of a service error, with the member names of AWS's model. */
export function serviceErrorBody(error: ServiceError): string {
  if (typeof error.body === 'string') return error.body;
  const messageMember = error.name !== undefined && lowerCaseMessage.has(error.name) ? 'message' : 'Message';
  return JSON.stringify({
    Type: error.statusCode < 500 ? 'User' : 'Service',
    ...(error.message !== undefined && { [messageMember]: error.message }),
    ...error.body,
  });
}

/** Sends a service error as a whole response. Returns the body's length in bytes, 0 for a HEAD request. */
export function sendServiceError(response: ServerResponse, error: ServiceError): number {
  const body = Buffer.from(serviceErrorBody(error));
  response.statusCode = error.statusCode;
  response.setHeader('content-type', 'application/json');
  // A script that failed may have set the head of a stream before.
  response.removeHeader('transfer-encoding');
  response.setHeader('content-length', body.length);
  if (error.name !== undefined) response.setHeader('x-amzn-errortype', error.name);
  for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
  response.end(body);
  return response.req.method === 'HEAD' ? 0 : body.length;
}

/** @param known - The names of the existing functions, for the message. */
export function functionNotFound(arn: string, known: readonly string[]): ServiceRefusal {
  const shown = known.slice(0, 20).join(', ') + (known.length > 20 ? `, and ${known.length - 20} more` : '');
  const list = known.length === 0 ? 'it has none' : `it has ${shown}`;
  return resourceNotFound(`${arn} is not at this local endpoint; ${list}`);
}

export function resourceNotFound(what: string): ServiceRefusal {
  return new ServiceRefusal({
    statusCode: 404,
    name: 'ResourceNotFoundException',
    message: `Function not found: ${what}`,
  });
}

export function requestTooLarge(maxBytes: number): ServiceRefusal {
  return new ServiceRefusal({
    statusCode: 413,
    name: 'RequestTooLargeException',
    message: `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`,
    // The rest of a much too long body may still be on its way.
    headers: { connection: 'close' },
  });
}

export function invalidRequestContent(reason: string): ServiceRefusal {
  return new ServiceRefusal({ statusCode: 400, name: 'InvalidRequestContentException', message: reason });
}

export function invalidParameter(message: string): ServiceRefusal {
  return new ServiceRefusal({ statusCode: 400, name: 'InvalidParameterValueException', message });
}

export function serviceFailure(message: string): ServiceRefusal {
  return new ServiceRefusal({ statusCode: 500, name: 'ServiceException', message });
}

export function unknownOperation(): ServiceRefusal {
  return new ServiceRefusal({
    statusCode: 404,
    name: 'UnknownOperationException',
    message: 'No such operation at this endpoint',
  });
}

export function accessDenied(message: string): ServiceRefusal {
  // The body is not read, so that the connection serves no further request.
  return new ServiceRefusal({
    statusCode: 403,
    name: 'AccessDeniedException',
    message,
    headers: { connection: 'close' },
  });
}

/** @param retryAfterSeconds - How long Lambda asks a client to wait. */
export function reservedConcurrencyExceeded(retryAfterSeconds: number): ServiceRefusal {
  return new ServiceRefusal({
    statusCode: 429,
    name: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    headers: { 'retry-after': String(retryAfterSeconds) },
    body: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
  });
}
