import { mediaTypeOf } from '../../shared/media-type.js';

/** The types of bodies that the event holds as text. AWS sends every other body as base64, HTML forms too. */
const textTypes = /^(text\/.*|application\/(json|javascript|xml|.*\+json|.*\+xml))$/;

/** The parts of an HTTP request that its event shows. */
export interface UrlRequest {
  readonly method: string;
  readonly rawPath: string;
  /** The query without its question mark. */
  readonly rawQueryString: string;
  /** Names in lower case. Several values of one name are joined by commas. Without `cookie`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Uint8Array;
  readonly protocol: string;
  readonly sourceIp: string;
  /** Names the function URL. */
  readonly apiId: string;
  readonly requestId: string;
}

/**
 * Makes the event that a function URL gives its function: payload format 2.0.
 *
 * - **Query parameters** are decoded. Several of one name are joined by commas.
 * - **A body** is text where its type is text and its bytes are UTF-8, and base64 otherwise. An empty body is absent.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
 */
export function urlEvent(request: UrlRequest): Record<string, unknown> {
  const { method, rawPath, rawQueryString, headers, cookies, body, protocol, sourceIp, apiId, requestId } = request;
  const domainName = (headers['host'] ?? 'localhost').replace(/:\d+$/, '');
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(rawQueryString !== '' && { queryStringParameters: joinedQuery(rawQueryString) }),
    requestContext: {
      accountId: 'anonymous',
      apiId,
      domainName,
      domainPrefix: domainName.split('.')[0] ?? domainName,
      http: { method, path: rawPath, protocol, sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: logTime(now),
      timeEpoch: now.getTime(),
    },
    ...bodyOf(body, headers),
  };
}

/** Splits a `cookie` header into its cookies. */
export function splitCookies(cookie: string): string[] {
  return cookie
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function bodyOf(
  payload: Uint8Array,
  headers: Readonly<Record<string, string>>,
): { body?: string; isBase64Encoded: boolean } {
  if (payload.length === 0) return { isBase64Encoded: false };
  if (textTypes.test(mediaTypeOf(headers['content-type'])) && headers['content-encoding'] === undefined) {
    try {
      const body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
      return { body, isBase64Encoded: false };
    } catch {
      // The bytes are not UTF-8, although the type says text. Base64 keeps them.
    }
  }
  return { body: Buffer.from(payload).toString('base64'), isBase64Encoded: true };
}

function joinedQuery(rawQueryString: string): Record<string, string> {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return Object.fromEntries([...values].map(([name, all]): [string, string] => [name, all.join(',')]));
}

/** Formats a time as web servers' logs do: `12/Mar/2020:19:03:58 +0000`. */
function logTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}
