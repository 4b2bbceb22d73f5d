import type { LocalRequest } from './local-request.js';

/** What the path and the query of a request ask for. */
export interface Route {
  readonly operation: LocalRequest['operation'];
  /** The path as it was sent, without the query. */
  readonly path: string;
  /** The function's bare name. Where the path holds no valid name, the text that was sent. */
  readonly functionName: string;
  /** The alias or version in the query, or else in the name. */
  readonly qualifier?: string;
  /** What is wrong with the name or the qualifier. */
  readonly fault?: string;
}

const routes: readonly [RegExp, LocalRequest['operation']][] = [
  [/^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/, 'InvokeWithResponseStream'],
  [/^\/2015-03-31\/functions\/([^/]+)\/invocations$/, 'Invoke'],
];

/** Finds the operation that a request is for. Returns undefined for an unknown path or method. */
export function matchRoute(method: string | undefined, url: string | undefined): Route | undefined {
  const [path = '', query = ''] = (url ?? '').split('?', 2);
  if (method !== 'POST') return undefined;
  for (const [pattern, operation] of routes) {
    const reference = decode(pattern.exec(path)?.[1]);
    if (reference !== undefined) return { operation, path, ...nameIn(reference, query) };
  }
  return undefined;
}

function nameIn(reference: string, query: string): Omit<Route, 'operation' | 'path'> {
  const named = parseFunctionReference(reference);
  const qualifier = new URLSearchParams(query).get('Qualifier') ?? named?.qualifier;
  const common = { functionName: named?.functionName ?? reference, ...(qualifier !== undefined && { qualifier }) };
  if (named === undefined) {
    return { ...common, fault: `The function name is not valid: ${reference.slice(0, 200)}` };
  }
  if (named.qualifier === undefined || named.qualifier === qualifier) return common;
  const fault = 'The derived qualifier from the function name does not match the specified qualifier.';
  return { ...common, fault };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    // The text is not percent-encoded, so no operation has this path.
    return undefined;
  }
}

/** The parts of a function reference. */
interface FunctionReference {
  readonly functionName: string;
  readonly qualifier?: string;
}

const namePattern = /^[A-Za-z0-9_.-]{1,140}$/;
const qualifierPattern = /^(\$LATEST|[A-Za-z0-9_-]{1,128})$/;
const fullArn = /^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([^:]+)(?::([^:]+))?$/;
const partialArn = /^(?:\d{12}:)?function:([^:]+)(?::([^:]+))?$/;
const nameAndQualifier = /^([^:]+)(?::([^:]+))?$/;

/** Parses a name, an ARN or a partial ARN, with or without a qualifier. Returns undefined for other text. */
function parseFunctionReference(text: string): FunctionReference | undefined {
  const [, functionName, qualifier] = fullArn.exec(text) ?? partialArn.exec(text) ?? nameAndQualifier.exec(text) ?? [];
  if (functionName === undefined || !namePattern.test(functionName)) return undefined;
  if (qualifier === undefined) return { functionName };
  return qualifierPattern.test(qualifier) ? { functionName, qualifier } : undefined;
}
