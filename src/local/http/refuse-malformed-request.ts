import type { Duplex } from 'node:stream';
import { serviceErrorBody, type ServiceError } from './service-errors.js';

const byCode: Readonly<Record<string, ServiceError>> = {
  HPE_HEADER_OVERFLOW: {
    statusCode: 431,
    name: 'RequestHeaderSectionTooLargeException',
    message: 'The request headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    statusCode: 408,
    name: 'RequestTimeoutException',
    message: 'The request took too long to arrive',
  },
};

const malformed: ServiceError = {
  statusCode: 400,
  name: 'InvalidRequestException',
  message: 'The request is not valid HTTP',
};

/** Answers what Node's parser refuses, in AWS's shape, and closes the connection. */
export function refuseMalformedRequest(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const answer = (error.code === undefined ? undefined : byCode[error.code]) ?? malformed;
  const body = serviceErrorBody(answer);
  socket.end(
    [
      `HTTP/1.1 ${answer.statusCode} Refused`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-amzn-errortype: ${answer.name ?? ''}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}
