import { refusals } from './relay-refusal.js';

/** What of a request the doors look at. */
export interface RequestHead {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: Headers;
}

/** Who is let in besides the relay's own origin. */
export interface DoorRules {
  readonly origins: readonly string[];
  /** In lower case. */
  readonly hosts?: readonly string[];
}

/** What every answer says. Compressed, or kept by a proxy, a stream would wait. */
export const commonHeaders: Readonly<Record<string, string>> = {
  vary: 'origin',
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no',
};

/** What a page of a listed origin may read. */
const exposedHeaders = [
  'x-rx-invocation',
  'x-amzn-requestid',
  'x-amzn-errortype',
  'x-amz-executed-version',
  'x-amzn-remapped-content-type',
  'retry-after',
].join(', ');

/** CORS headers: for the origins that are listed, and for nobody else. */
export function corsHeaders({ headers }: RequestHead, { origins }: DoorRules): Record<string, string> {
  const origin = headers.get('origin');
  if (origin === null || !origins.includes(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': exposedHeaders,
  };
}

/** The headers of a preflight's answer. What the page asks for is reflected: `*` does not hold with credentials. */
export function preflightHeaders({ headers }: RequestHead): Record<string, string> {
  const requested = headers.get('access-control-request-headers');
  return {
    'access-control-allow-methods': 'POST, GET, DELETE',
    ...(requested !== null && { 'access-control-allow-headers': requested }),
    'access-control-max-age': '600',
  };
}

/**
 * Refuses a request whose host or path makes no URL. A host with a user, a path or a query in it would make one of
 * another meaning, and no Request can be made of one with a user.
 *
 * @throws a refusal
 */
export function assertHead({ headers, url }: RequestHead): void {
  if (/[\s/?#@\\]/.test(headers.get('host') ?? '') || !URL.canParse(url)) {
    throw refusals.malformed('The host or the path');
  }
}

/**
 * Lets a request in, or throws a refusal. Browsers set the headers that are read here; a page cannot.
 *
 * 1. The host is one of `hosts`, where that is given.
 * 2. An origin of `origins` is let in.
 * 3. Sec-Fetch-Site `same-origin` is let in; `none`, the address bar, where there is no Origin; other sites are not.
 * 4. Any other Origin is let in only if its host is the request's own.
 * 5. A request with neither header comes from no browser and is let in.
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

/** Whether the Host header names the origin's host. Either may spell the scheme's own port out. */
function isHost(host: string, origin: URL): boolean {
  const spelled = `${origin.protocol}//${host}`;
  return URL.canParse(spelled) && new URL(spelled).host === origin.host;
}

/** The Host header; in a Request that has none, the URL's host. */
function hostOf({ headers, url }: RequestHead): string {
  return (headers.get('host') ?? new URL(url).host).toLowerCase();
}
