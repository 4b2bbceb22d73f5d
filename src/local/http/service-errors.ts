import type { ServerResponse } from 'node:http';

/** An answer that the service gives instead of running the function. */
export interface ServiceError {
  readonly statusCode: number;
  /** Without the name, no `x-amzn-errortype` is sent, as from a proxy on the way. */
  readonly name?: string | undefined;
  readonly message?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** An object is added to the JSON members `Type` and `Message`; a string is the whole body. */
  readonly body?: object | string | undefined;
}

/** Those exceptions of this operation whose member the model names `message`; it is `Message` for all others. */
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

/** The JSON body of a service error, its members named as AWS's model has them. */
export function serviceErrorBody(error: ServiceError): string {
  if (typeof error.body === 'string') return error.body;
  const messageMember = error.name !== undefined && lowerCaseMessage.has(error.name) ? 'message' : 'Message';
  return JSON.stringify({
    Type: error.statusCode < 500 ? 'User' : 'Service',
    ...(error.message !== undefined && { [messageMember]: error.message }),
    ...error.body,
  });
}

/** Sends a service error as a whole response. */
export function sendServiceError(response: ServerResponse, error: ServiceError): void {
  const body = Buffer.from(serviceErrorBody(error));
  response.statusCode = error.statusCode;
  response.setHeader('content-type', 'application/json');
  // A stream's head may be there already, of a script that failed.
  response.removeHeader('transfer-encoding');
  response.setHeader('content-length', body.length);
  if (error.name !== undefined) response.setHeader('x-amzn-errortype', error.name);
  for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
  response.end(body);
}

export function resourceNotFound(arn: string): ServiceError {
  return { statusCode: 404, name: 'ResourceNotFoundException', message: `Function not found: ${arn}` };
}

export function requestTooLarge(maxBytes: number): ServiceError {
  return {
    statusCode: 413,
    name: 'RequestTooLargeException',
    message: `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`,
  };
}

export function invalidRequestContent(reason: string): ServiceError {
  return {
    statusCode: 400,
    name: 'InvalidRequestContentException',
    message: `Could not parse request body into json: ${reason}`,
  };
}

export function invalidParameter(message: string): ServiceError {
  return { statusCode: 400, name: 'InvalidParameterValueException', message };
}

export function serviceFailure(message: string): ServiceError {
  return { statusCode: 500, name: 'ServiceException', message };
}

export function unknownOperation(): ServiceError {
  return { statusCode: 404, name: 'UnknownOperationException', message: 'No such operation at this endpoint' };
}

export function reservedConcurrencyExceeded(retryAfterSeconds: number): ServiceError {
  return {
    statusCode: 429,
    name: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    headers: { 'retry-after': String(retryAfterSeconds) },
    body: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
  };
}
