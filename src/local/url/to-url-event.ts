import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from '../http/local-request.js';

/** Types whose bodies reach the event as text. AWS sends every other body as base64, HTML forms too. */
const textTypes = /^(text\/.*|application\/(json|javascript|xml|.*\+json|.*\+xml))$/;

/**
 * Makes the event that a function URL gives its function: payload format 2.0.
 *
 * - **Headers** have lower-case names; several of one name are joined by commas. Cookies are in `cookies` alone.
 * - **Query parameters** are decoded; several of one name are joined by commas.
 * - **A body** is text where its type is text and its bytes are UTF-8, else base64; absent where it is empty.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
 */
export function toUrlEvent(request: IncomingMessage, record: RequestRecord, traceId: string): Record<string, unknown> {
  const { method = 'GET', url = '/', httpVersion, socket } = request;
  const [rawPath = '/', ...query] = url.split('?');
  const rawQueryString = query.join('?');
  const { cookie, ...headers } = joinedHeaders(request);
  const host = headers['host'] ?? 'localhost';
  const domainName = host.replace(/:\d+$/, '');
  const now = new Date();
  const cookies = (cookie ?? '')
    .split(/;\s*/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers: {
      ...headers,
      'x-amzn-trace-id': traceId,
      'x-forwarded-for': socket.remoteAddress ?? '127.0.0.1',
      'x-forwarded-port': String(socket.localPort ?? 80),
      'x-forwarded-proto': 'http',
    },
    ...(rawQueryString !== '' && { queryStringParameters: joinedQuery(rawQueryString) }),
    requestContext: {
      accountId: 'anonymous',
      apiId: record.functionName,
      domainName,
      domainPrefix: domainName.split('.')[0] ?? domainName,
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${httpVersion}`,
        sourceIp: socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: record.requestId,
      routeKey: '$default',
      stage: '$default',
      time: logTime(now),
      timeEpoch: now.getTime(),
    },
    ...bodyOf(record.payload, headers),
  };
}

function bodyOf(
  payload: Uint8Array,
  headers: Readonly<Record<string, string>>,
): { body?: string; isBase64Encoded: boolean } {
  if (payload.length === 0) return { isBase64Encoded: false };
  const mediaType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (textTypes.test(mediaType) && headers['content-encoding'] === undefined) {
    try {
      const body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
      return { body, isBase64Encoded: false };
    } catch {
      // The bytes are not UTF-8, whatever the type says: only base64 keeps them.
    }
  }
  return { body: Buffer.from(payload).toString('base64'), isBase64Encoded: true };
}

function joinedHeaders({ headersDistinct }: IncomingMessage): Record<string, string> {
  const joined = Object.entries(headersDistinct).map(([name, values = []]): [string, string] => [
    name,
    values.join(name === 'cookie' ? '; ' : ','),
  ]);
  return Object.fromEntries(joined);
}

function joinedQuery(rawQueryString: string): Record<string, string> {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return Object.fromEntries([...values].map(([name, all]): [string, string] => [name, all.join(',')]));
}

/** In the form of a web server's log: `12/Mar/2020:19:03:58 +0000`. */
function logTime(time: Date): string {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
}
