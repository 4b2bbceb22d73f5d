import { randomUUID } from 'node:crypto';
import { UsageError } from '../command-line.js';
import type { TextSource } from './invoke-arguments.js';

/** The HTTP request that `--request`, `--data` and `--header` describe. */
export interface HttpRequestArguments {
  readonly method: string;
  /** With its leading slash, percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names in lower case; several values of one name joined with a comma. */
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
    if (key === 'cookie') cookies.push(...value.split(/;\s*/).filter(Boolean));
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

/**
 * The payload-2.0 event that a function URL makes of a request.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
 */
export function toUrlEvent(request: HttpRequestArguments, body: Uint8Array | undefined): object {
  const { method, path, query, headers, cookies } = request;
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = Object.hasOwn(parameters, name) ? `${parameters[name] ?? ''},${value}` : value;
  }
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookies.length > 0 && { cookies }),
    headers: body === undefined ? headers : { ...headers, 'content-length': String(body.length) },
    ...(query !== '' && { queryStringParameters: parameters }),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'function',
      domainName: headers['host'],
      domainPrefix: 'function',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: headers['user-agent'] },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...toBody(body),
  };
}

function toBody(body: Uint8Array | undefined): { body?: string; isBase64Encoded: boolean } {
  if (body === undefined) return { isBase64Encoded: false };
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body), isBase64Encoded: false };
  } catch {
    return { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  }
}

/** In the form of access logs, as AWS writes it: `12/Mar/2026:19:03:58 +0000`. */
function clfTime(date: Date): string {
  const [, day = '', month = '', year = '', time = ''] = /(\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}
