import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { ResponseHead } from '../http/response-writer.js';
import { commonHead, type Invocation } from '../invocation/invocation.js';
import type { Prelude } from '../runtime/http-prelude.js';

/** The status, headers and cookies that a function gave its HTTP response, or why they are not valid. */
export type HttpHead = Omit<Prelude, 'rest'>;

/** The head of a response for which the function has set no head. */
export const plainHead: HttpHead = { statusCode: 200, headers: new Map(), cookies: [] };

/** Headers that belong to the connection. The endpoint's own HTTP server sets them. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Makes the headers of a function URL's response.
 *
 * @param contentType - The type of a response for which the function has set no type.
 */
export function urlHeaders(
  { headers, cookies }: HttpHead,
  contentType: string,
  invocation: Invocation,
): Record<string, string | readonly string[] | undefined> {
  const all: Record<string, string | readonly string[] | undefined> = {
    ...commonHead(invocation),
    'content-type': contentType,
  };
  // The endpoint's own CORS headers replace the function's.
  const origin = invocation.settings.cors === false ? undefined : invocation.record.headers.origin;
  for (const [name, values] of headers) {
    if (connectionHeaders.has(name) || (origin !== undefined && name.startsWith('access-control-'))) continue;
    all[name] = name === 'set-cookie' ? values : values.join(', ');
  }
  if (cookies.length > 0) all['set-cookie'] = [...(headers.get('set-cookie') ?? []), ...cookies];
  if (origin !== undefined) {
    all['vary'] = ['origin', ...(headers.get('vary') ?? [])].join(', ');
    // A page may read every header of the function. The names are listed, because `*` does not count beside cookies.
    all['access-control-expose-headers'] = [...Object.keys(all), 'x-amzn-requestid', 'date'].join(', ');
  }
  return all;
}

/** Tells which header HTTP does not allow, or returns undefined. */
export function headerFault(headers: ResponseHead): string | undefined {
  for (const [name, given] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      for (const value of [given ?? []].flat()) validateHeaderValue(name, value);
    } catch {
      return `HTTP does not allow its header ${JSON.stringify(name.slice(0, 100))}`;
    }
  }
  return undefined;
}
