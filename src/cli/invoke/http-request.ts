import { randomUUID } from 'node:crypto';
import { splitCookies, urlEvent } from '../../local/url/url-event.js';
import { UsageError, type TextSource } from '../command-line.js';

/** The HTTP request that `--request`, `--data` and `--header` describe. */
export interface HttpRequestArguments {
  readonly method: string;
  /** The path with its leading slash, percent-encoded, without the query. */
  readonly path: string;
  /** The query without its question mark. */
  readonly query: string;
  /** Names in lower case. Several values of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly data: TextSource | undefined;
}

/** @throws UsageError for a request or a header that HTTP does not allow. */
export function parseRequest(
  request: string | undefined,
  data: string | undefined,
  headerLines: readonly string[],
): HttpRequestArguments | undefined {
  if (request === undefined) {
    if (data !== undefined || headerLines.length > 0) throw new UsageError('--data and --header belong to --request');
    return undefined;
  }
  const [, method = data === undefined ? 'GET' : 'POST', target = ''] =
    /^(?:([A-Za-z]+) +)?(\/\S*)$/.exec(request.trim()) ?? [];
  if (target === '') throw new UsageError(`--request needs 'METHOD /path', such as 'GET /hello?x=1', not ${request}`);
  const url = new URL(`http://function.local${target}`);
  const headers: Record<string, string> = { accept: '*/*', host: url.host, 'user-agent': 'rx-lambda-stream' };
  if (data !== undefined) headers['content-type'] = 'application/json';
  const cookies: string[] = [];
  const named = new Set<string>();
  for (const line of headerLines) {
    const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === '') throw new UsageError(`--header needs 'name: value', not ${line}`);
    const key = name.toLowerCase();
    if (key === 'cookie') cookies.push(...splitCookies(value));
    else headers[key] = named.has(key) ? `${headers[key] ?? ''},${value}` : value;
    named.add(key);
  }
  return {
    method: method.toUpperCase(),
    path: url.pathname,
    query: url.search.slice(1),
    headers,
    cookies,
    data: data === undefined ? undefined : data.startsWith('@') ? { file: data.slice(1) } : { text: data },
  };
}

/** Makes the event that a function URL makes of the request. */
export function toUrlEvent(request: HttpRequestArguments, body: Uint8Array | undefined): object {
  const { method, path, query, headers, cookies } = request;
  return urlEvent({
    method,
    rawPath: path,
    rawQueryString: query,
    headers: body === undefined ? headers : { ...headers, 'content-length': String(body.length) },
    cookies,
    body: body ?? new Uint8Array(),
    protocol: 'HTTP/1.1',
    sourceIp: '127.0.0.1',
    apiId: 'function',
    requestId: randomUUID(),
  });
}
