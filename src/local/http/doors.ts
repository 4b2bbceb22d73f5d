import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { accessDenied } from './service-errors.js';

/** Which pages may call: all pages, no page, or the pages of these origins. */
export type CorsOption = boolean | readonly string[];

/** The options that say who may call. */
export interface DoorSettings {
  readonly cors: CorsOption;
  readonly allowedHosts: readonly string[];
}

/** The headers that the SDK sends. They are named one by one, because `*` does not include `authorization`. */
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

/** The headers that a page has to read. Without `x-amzn-errortype` every exception would be `Unknown` to the SDK. */
const responseHeaders = [
  'date',
  'retry-after',
  'x-amz-executed-version',
  'x-amz-function-error',
  'x-amz-log-result',
  'x-amzn-errortype',
  'x-amzn-remapped-content-type',
  'x-amzn-requestid',
];

/**
 * Checks who sends the request, before anything in it is used.
 *
 * - **Host**: a foreign name on a loopback address may come from DNS rebinding.
 * - **Origin**: a page that is not allowed could send a simple POST and run a function, although it could not read the
 *   answer.
 * - **Sec-Fetch-Site**: the images and scripts of another site send no Origin. Following a link from another site is
 *   allowed, because a login page leads back by a link.
 *
 * @throws ServiceRefusal with status 403.
 */
export function checkDoors({ cors, allowedHosts }: DoorSettings, request: IncomingMessage): void {
  const host = hostNameOf(request.headers.host);
  if (host !== undefined && isLoopbackAddress(request.socket.localAddress ?? '')) {
    const isAllowed = isLoopbackName(host) || allowedHosts.some((allowed) => allowed.toLowerCase() === host);
    if (!isAllowed) {
      throw accessDenied(`The host name ${quote(host)} is not allowed here: list it in the option allowedHosts`);
    }
  }
  const { origin } = request.headers;
  if (origin !== undefined && !isAllowedOrigin(cors, request)) {
    throw accessDenied(`Pages of ${quote(origin)} may not call this endpoint: list the origin in the option cors`);
  }
  if (origin === undefined && cors !== true && isForeignSubresource(request)) {
    throw accessDenied('Pages of other sites may not load from this endpoint: the option cors allows origins');
  }
}

/**
 * Adds the CORS headers for an allowed origin, and answers its preflight. Call it after {@link checkDoors}.
 *
 * @returns Whether the request was a preflight and is answered.
 */
export function answerCors({ cors }: DoorSettings, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (cors === false || origin === undefined) return false;
  addCorsHeaders(origin, response);
  response.setHeader('access-control-expose-headers', responseHeaders.join(', '));
  const wantedMethod = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || wantedMethod === undefined) return false;
  response.setHeader('access-control-allow-methods', 'POST');
  response.setHeader('access-control-allow-headers', requestHeaders);
  answerPreflight(response);
  return true;
}

/** Names the origin that may read the response. `vary` makes caches keep a response for each origin. */
export function addCorsHeaders(origin: string, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
}

/** Ends the response to a preflight, whose other headers are set. */
export function answerPreflight(response: ServerResponse): void {
  response.setHeader('access-control-max-age', '600');
  // Chromium asks before a page of the open web may reach this machine.
  response.setHeader('access-control-allow-private-network', 'true');
  response.statusCode = 204;
  response.end();
}

function isAllowedOrigin(cors: CorsOption, request: IncomingMessage): boolean {
  const { origin = '', host = '' } = request.headers;
  if (cors === true || (cors !== false && cors.includes(origin))) return true;
  // A page may call the origin that it was loaded from. Its host must be an address or a loopback name, because any
  // other DNS name can be rebound.
  const name = hostNameOf(host) ?? '';
  return origin === `http://${host}` && (isLoopbackName(name) || isIP(name.replaceAll(/[[\]]/g, '')) !== 0);
}

/** Tells a part of a page of another site: an image, a script, a frame. Only browsers send these headers. */
function isForeignSubresource({ headers }: IncomingMessage): boolean {
  if (headers['sec-fetch-site'] !== 'cross-site') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}

/** Returns the name in a Host header, in lower case and without the port. Returns undefined without a header. */
function hostNameOf(host: string | undefined): string | undefined {
  return host?.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** Tells whether only this machine can reach an endpoint that listens on this host. */
export function isLoopbackHost(host: string): boolean {
  return isLoopbackName(host.toLowerCase());
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replaceAll(/[[\]]/g, ''));
}

/** Recognises 127.0.0.0/8 and ::1. An IPv4 address may be written as an IPv6 address. */
function isLoopbackAddress(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** Quotes a foreign text for a message: at most 100 characters on one line, without control characters. */
function quote(foreign: string): string {
  return JSON.stringify(foreign.slice(0, 100)).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, '?');
}
