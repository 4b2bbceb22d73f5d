import { refusals } from './relay-refusal.js';

/** The parts of a request that the doors check. */
export interface RequestHead {
  readonly method: string;
  /** The absolute URL. */
  readonly url: string;
  readonly headers: Headers;
}

/** The rules for who is let in besides the relay's own origin. */
export interface DoorRules {
  readonly origins: readonly string[];
  /** The allowed Host headers, in lower case. */
  readonly hosts?: readonly string[];
}

/** The headers of every answer. They keep a proxy from compressing or buffering a stream, which would delay it. */
export const commonHeaders: Readonly<Record<string, string>> = {
  vary: 'origin',
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no',
};

/** The headers that a page of a listed origin may read. */
const exposedHeaders = [
  'x-rx-invocation',
  'x-amzn-requestid',
  'x-amzn-errortype',
  'x-amz-executed-version',
  'x-amzn-remapped-content-type',
  'retry-after',
].join(', ');

/** Makes the CORS headers. Only a listed origin gets any. */
export function corsHeaders({ headers }: RequestHead, { origins }: DoorRules): Record<string, string> {
  const origin = headers.get('origin');
  if (origin === null || !origins.includes(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': exposedHeaders,
  };
}

/** Makes the headers of a preflight's answer. They name each requested header: credentials rule `*` out. */
export function preflightHeaders({ headers }: RequestHead): Record<string, string> {
  const requested = headers.get('access-control-request-headers');
  return {
    'access-control-allow-methods': 'POST, GET, DELETE',
    ...(requested !== null && { 'access-control-allow-headers': requested }),
    'access-control-max-age': '600',
  };
}

/**
 * Refuses a request whose host or path does not make a URL. A host that holds a user, a path or a query would change
 * the URL's meaning, and a Request refuses a URL with a user.
 *
 * @throws a refusal
 */
export function assertHead({ headers, url }: RequestHead): void {
  if (/[\s/?#@\\]/.test(headers.get('host') ?? '') || !URL.canParse(url)) {
    throw refusals.malformed('The host or the path');
  }
}

/**
 * Lets a request in, or throws a refusal. Only the browser can set the headers that are read here, and not a page.
 *
 * 1. With `hosts`, the host must be one of them.
 * 2. An origin of `origins` is let in.
 * 3. Sec-Fetch-Site `same-origin` is let in. `none` (the address bar) is let in without an Origin. Others are refused.
 * 4. Any other Origin is let in only if its host is the request's own host.
 * 5. A request with neither header does not come from a browser, and is let in.
 */
export function passDoors(head: RequestHead, { origins, hosts }: DoorRules): void {
  const host = hostOf(head);
  if (hosts !== undefined && !hosts.includes(host)) throw refusals.host();
  const origin = head.headers.get('origin');
  if (origin !== null && origins.includes(origin)) return;
  const site = head.headers.get('sec-fetch-site');
  if (site !== null) {
    if (site === 'same-origin' || (site === 'none' && origin === null)) return;
    throw refusals.origin();
  }
  if (origin === null) return;
  if (!URL.canParse(origin) || new URL(origin).host === '' || !isHost(host, new URL(origin))) throw refusals.origin();
}

/** Tells whether the Host header names the origin's host. Either of them may state the default port. */
function isHost(host: string, origin: URL): boolean {
  const spelled = `${origin.protocol}//${host}`;
  return URL.canParse(spelled) && new URL(spelled).host === origin.host;
}

/** Returns the Host header, or the URL's host for a Request without that header. */
function hostOf({ headers, url }: RequestHead): string {
  return (headers.get('host') ?? new URL(url).host).toLowerCase();
}
