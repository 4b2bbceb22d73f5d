import { checkValue, text, type OptionRule } from '../shared/check-options.js';

const refusalStatus: OptionRule = {
  expected: 'an HTTP status from 400 to 599',
  isValid: (value) => Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599,
  isNumber: true,
};

/**
 * Thrown by `authorize` and `admit` to refuse a request. Nothing is invoked. The client gets the status and message.
 *
 * @example
 * if (user === undefined) throw new RelayRefusal(401, 'Sign in first');
 */
export class RelayRefusal extends Error {
  override readonly name = 'RelayRefusal';
  /** The HTTP status of the answer. */
  readonly status: number;

  /**
   * @param status - From 400 to 599. The relay answers 503 where it is 408, which Chromium would send again by itself.
   * @param message - The text that the client reads. It leaves the server.
   */
  constructor(status: number, message: string) {
    checkValue('RelayRefusal', 'status', status, refusalStatus);
    checkValue('RelayRefusal', 'message', message, text);
    super(message);
    this.status = status;
  }
}

/** Tells a refusal of any copy of this package. */
export function isRelayRefusal(error: unknown): error is RelayRefusal {
  const { name, status, message } = Object(error) as Partial<RelayRefusal>;
  return name === 'RelayRefusal' && refusalStatus.isValid(status) && typeof message === 'string';
}

/** A refusal that the relay makes itself. Each kind has one fixed sentence as its message. */
export class Refusal extends Error {
  /** @param type - The `x-amzn-errortype`, by which clients know the kind. */
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly code?: string,
  ) {
    super(message);
  }
}

export const refusals = {
  origin: () => new Refusal(403, 'AccessDeniedException', 'Requests of this origin are not allowed'),
  host: () => new Refusal(403, 'AccessDeniedException', 'Requests for this host are not allowed'),
  admission: () => new Refusal(403, 'AccessDeniedException', 'The request is not admitted'),
  method: () =>
    new Refusal(405, 'MethodNotAllowedException', 'The relay takes POST, GET and DELETE', {
      allow: 'POST, GET, DELETE, OPTIONS',
    }),
  notAcceptable: () => new Refusal(406, 'NotAcceptableException', 'A GET needs the header "accept: text/event-stream"'),
  malformed: (what: string) => new Refusal(400, 'InvalidParameterValueException', `${what} is malformed`),
  bodyNotJson: () => new Refusal(400, 'InvalidRequestContentException', 'The body is not what was expected'),
  tooLarge: () => new Refusal(413, 'RequestTooLargeException', 'The body is over the limit', { connection: 'close' }),
  tooSlow: () =>
    new Refusal(400, 'RequestTimeoutException', 'The body took too long to arrive', { connection: 'close' }),
  busyBodies: () =>
    new Refusal(503, 'ServiceUnavailableException', 'Too many bodies are on their way', {
      'retry-after': '1',
      connection: 'close',
    }),
  tooMany: () => new Refusal(429, 'TooManyRequestsException', 'There are too many streams', { 'retry-after': '5' }),
  closed: () =>
    new Refusal(503, 'ServiceUnavailableException', 'The relay is closing', {
      'retry-after': '1',
      connection: 'close',
    }),
  unknownInvocation: () =>
    new Refusal(404, 'UnknownInvocationError', 'There is no such invocation', {}, 'unknown-invocation'),
  nothingToStop: () => new Refusal(404, 'ResourceNotFoundException', 'There is no invocation to stop'),
  internal: () => new Refusal(500, 'InternalServerError', ''),
};
