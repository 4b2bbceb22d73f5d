import type { InvokeCommandInput } from '../invoke/invoke-input.js';

/** Sends a request: the global `fetch`, or one that adds to it. */
export type RelayFetch = (url: string, init: RequestInit) => Response | PromiseLike<Response>;

/** The headers of a request, or a function that makes them and is called before each connection. */
export type RelayHeaders = HeadersInit | (() => HeadersInit | PromiseLike<HeadersInit>);

/** Where requests are sent, and with which headers and `fetch`. */
export interface RelayTarget {
  readonly url: string;
  readonly headers: RelayHeaders | undefined;
  readonly fetch: RelayFetch | undefined;
}

/** One request to the relay. */
export interface RelayRequestInit {
  readonly method: 'POST' | 'DELETE';
  readonly input: InvokeCommandInput;
  /** The position to go on after. */
  readonly position: string | undefined;
  readonly signal?: AbortSignal;
}

/** Sends a request in Lambda's protocol. */
export async function sendToRelay(target: RelayTarget, init: RelayRequestInit): Promise<Response> {
  const { method, input, position, signal } = init;
  const { fetch = globalThis.fetch } = target;
  const own = typeof target.headers === 'function' ? await target.headers() : target.headers;
  const headers = toHeaders(own, {
    // Body parsers ignore this type. A browser sends a preflight before a page of another origin may use it.
    'content-type': 'application/octet-stream',
    accept: 'application/vnd.amazon.eventstream; rx=1',
    'last-event-id': position,
    'x-amz-invocation-type': input.InvocationType,
    'x-amz-log-type': input.LogType,
    'x-amz-client-context': input.ClientContext,
    'x-amz-tenant-id': input.TenantId,
  });
  const body = input.Payload as Uint8Array<ArrayBuffer> | undefined;
  return fetch(urlOf(target.url, input), {
    method,
    headers,
    cache: 'no-store',
    ...(body && { body }),
    ...(signal && { signal }),
  });
}

/** Makes the headers of a request. The platform's own error quotes a bad value, which may be a token. */
function toHeaders(own: HeadersInit | undefined, members: Readonly<Record<string, string | undefined>>): Headers {
  try {
    const headers = new Headers(own);
    for (const [name, value] of Object.entries(members)) if (value !== undefined) headers.set(name, value);
    return headers;
  } catch {
    throw new TypeError('relayedInvoke: the headers hold a name or a value that HTTP does not allow');
  }
}

/** Appends Lambda's path to the URL's own path. The URL's query stays. */
function urlOf(url: string, { FunctionName, Qualifier }: InvokeCommandInput): string {
  const [, base = '', query = ''] = /^([^?#]*)(?:\?([^#]*))?/.exec(url) ?? [];
  const path = `/2021-11-15/functions/${encodeURIComponent(String(FunctionName))}/response-streaming-invocations`;
  const search = [query, Qualifier !== undefined && `Qualifier=${encodeURIComponent(Qualifier)}`]
    .filter(Boolean)
    .join('&');
  return `${base.replace(/\/+$/, '')}${path}${search && `?${search}`}`;
}
