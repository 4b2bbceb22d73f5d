import type { IncomingMessage } from 'node:http';
import { originForm } from '../../shared/origin-form.js';
import type { RequestRecord } from '../http/local-request.js';
import { splitCookies, urlEvent } from './url-event.js';

/**
 * Makes the event of a request to a function URL. Its headers are the request's own, in lower case, and those that AWS
 * adds. Several headers of one name are joined by commas. Cookies are only in `cookies`.
 */
export function toUrlEvent(request: IncomingMessage, record: RequestRecord, traceId: string): Record<string, unknown> {
  const { method = 'GET', url, httpVersion, socket } = request;
  const [rawPath = '/', ...query] = originForm(url).split('?');
  const { cookie = '', ...headers } = joinedHeaders(request);
  const sourceIp = socket.remoteAddress ?? '127.0.0.1';
  return urlEvent({
    method,
    rawPath,
    rawQueryString: query.join('?'),
    headers: {
      ...headers,
      'x-amzn-trace-id': traceId,
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': String(socket.localPort ?? 80),
      'x-forwarded-proto': 'http',
    },
    cookies: splitCookies(cookie),
    body: record.payload,
    protocol: `HTTP/${httpVersion}`,
    sourceIp,
    apiId: record.functionName,
    requestId: record.requestId,
  });
}

function joinedHeaders({ headersDistinct }: IncomingMessage): Record<string, string> {
  const joined = Object.entries(headersDistinct).map(([name, values = []]): [string, string] => [
    name,
    values.join(name === 'cookie' ? '; ' : ','),
  ]);
  return Object.fromEntries(joined);
}
