import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the SDK sends, each by name: `*` does not cover `authorization`. */
const requestHeaders = [
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'content-type',
  'x-amz-client-context',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-invocation-type',
  'x-amz-log-type',
  'x-amz-security-token',
  'x-amz-tenant-id',
  'x-amz-user-agent',
].join(', ');

/** What a client in a browser has to see; without `x-amzn-errortype` every exception is `Unknown`. */
const responseHeaders = [
  'date',
  'retry-after',
  'x-amz-executed-version',
  'x-amz-function-error',
  'x-amz-log-result',
  'x-amzn-errortype',
  'x-amzn-remapped-content-type',
  'x-amzn-requestid',
].join(', ');

/** Which pages may call: all, or those of these origins. */
export type CorsOption = boolean | readonly string[];

/** Adds the CORS headers for an allowed origin, and answers a preflight: true where the request is answered with it. */
export function answerCors(cors: CorsOption, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (cors === false || origin === undefined) return false;
  const isAllowed = cors === true || cors.includes(origin);
  if (isAllowed) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', responseHeaders);
    response.setHeader('vary', 'origin');
  }
  if (request.method !== 'OPTIONS') return false;
  if (isAllowed) {
    response.setHeader('access-control-allow-methods', 'POST');
    response.setHeader('access-control-allow-headers', requestHeaders);
    response.setHeader('access-control-max-age', '600');
    // Chromium asks before a page of the open web may reach this machine.
    response.setHeader('access-control-allow-private-network', 'true');
  }
  response.statusCode = isAllowed ? 204 : 403;
  response.end();
  return true;
}
