import type { LocalRequest } from './local-request.js';

/** What a request's path and query say. */
export interface Route {
  readonly operation: LocalRequest['operation'];
  /** Name, ARN or partial ARN, decoded. */
  readonly reference: string;
  readonly qualifier?: string;
}

const routes: readonly [RegExp, LocalRequest['operation']][] = [
  [/^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/, 'InvokeWithResponseStream'],
  [/^\/2015-03-31\/functions\/([^/]+)\/invocations$/, 'Invoke'],
];

/** Finds the operation that a request is for; undefined where there is none. */
export function matchRoute(method: string | undefined, url: string | undefined): Route | undefined {
  const [path = '', query = ''] = (url ?? '').split('?', 2);
  if (method !== 'POST') return undefined;
  for (const [pattern, operation] of routes) {
    const reference = decode(pattern.exec(path)?.[1]);
    if (reference === undefined) continue;
    const qualifier = new URLSearchParams(query).get('Qualifier');
    return { operation, reference, ...(qualifier !== null && { qualifier }) };
  }
  return undefined;
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    // Not an encoding of anything, so no path of ours.
    return undefined;
  }
}
