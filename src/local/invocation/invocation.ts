import { randomBytes } from 'node:crypto';
import type { RequestRecord } from '../http/local-request.js';
import type { ResponseHead, ResponseWriter } from '../http/response-writer.js';
import {
  functionNotFound,
  reservedConcurrencyExceeded,
  resourceNotFound,
  serviceFailure,
} from '../http/service-errors.js';
import type { LocalProblem } from '../local-lambda-options.js';
import type { Settings } from '../settings.js';
import { toFunctionConfig, type LocalFunctionConfig } from '../runtime/local-function.js';

/** A request that asks for a function, through any door. */
export interface IncomingInvocation {
  readonly settings: Settings;
  readonly record: RequestRecord;
  readonly writer: ResponseWriter;
  readonly gate: ConcurrencyGate;
  /** Aborted when the endpoint closes. */
  readonly closing: AbortSignal;
  /** Reports what no response can tell. Adds the function and the request to the message. */
  readonly report: (kind: LocalProblem['kind'], what: string, error?: unknown) => void;
}

/** An invocation that was accepted. The run and the answer read all facts from it. */
export interface Invocation extends IncomingInvocation {
  readonly config: LocalFunctionConfig;
  /** `$LATEST`, or the version that the qualifier led to. */
  readonly version: string;
  readonly arn: string;
  readonly event: unknown;
  /** In the form of `x-amzn-trace-id`. */
  readonly traceId: string;
  /** Gives back the function's place under its reserved concurrency. May be called more than once. */
  readonly release: () => void;
}

/**
 * Looks the function up and takes a place under its reserved concurrency.
 *
 * @throws ServiceRefusal where the function or the version does not exist, and where no place is free.
 */
export function acceptInvocation(
  incoming: IncomingInvocation,
  eventFor: (config: LocalFunctionConfig) => unknown,
): Invocation {
  const { functionName, qualifier } = incoming.record;
  const { functions } = incoming.settings;
  const arn = arnOf(functionName, qualifier);
  // Own members only: a function of the name `__proto__` or `constructor` does not exist.
  if (!Object.hasOwn(functions, functionName) || functions[functionName] === undefined) {
    throw functionNotFound(arn, Object.keys(functions));
  }
  const config = configOf(functionName, functions[functionName]);
  const version = resolveVersion(config, qualifier);
  if (version === undefined) throw resourceNotFound(arn);
  const event = eventFor(config);
  const release = incoming.gate.enter(functionName, config.reservedConcurrency);
  return { ...incoming, config, version, arn, event, traceId: newTraceId(), release };
}

/** Returns the headers of every answer to an invocation that ran. */
export function commonHead({ version, traceId }: Invocation): ResponseHead {
  return { 'x-amz-executed-version': version, 'x-amzn-trace-id': traceId };
}

/** Returns the headers of a response that is a stream of frames. */
export function streamHead(invocation: Invocation, contentType: string): ResponseHead {
  return {
    ...commonHead(invocation),
    'content-type': 'application/vnd.amazon.eventstream',
    'transfer-encoding': 'chunked',
    'x-amzn-remapped-content-type': contentType,
  };
}

/** Counts the running invocations of each function. */
export class ConcurrencyGate {
  readonly #running = new Map<string, number>();

  /** Lets an invocation in. Returns the function that lets it out again. @throws ServiceRefusal with status 429. */
  enter(functionName: string, limit = Infinity): () => void {
    const running = this.#running.get(functionName) ?? 0;
    // Lambda asks clients to wait for a second.
    if (running >= limit) throw reservedConcurrencyExceeded(1);
    this.#running.set(functionName, running + 1);
    let isIn = true;
    return () => {
      if (isIn) this.#leave(functionName);
      isIn = false;
    };
  }

  #leave(functionName: string): void {
    const left = (this.#running.get(functionName) ?? 1) - 1;
    if (left === 0) this.#running.delete(functionName);
    else this.#running.set(functionName, left);
  }
}

/**
 * Reads a function's settings.
 *
 * @throws ServiceRefusal for a value that was added to `functions` later and is not a function.
 */
function configOf(functionName: string, fn: unknown): LocalFunctionConfig {
  try {
    return toFunctionConfig(functionName, fn);
  } catch (error) {
    throw serviceFailure((error as Error).message);
  }
}

/** Returns the version that a qualifier leads to, or undefined for an unknown alias or version. */
function resolveVersion(config: LocalFunctionConfig, qualifier: string | undefined): string | undefined {
  if (qualifier === undefined || qualifier === '$LATEST') return '$LATEST';
  if (/^\d+$/.test(qualifier)) {
    return config.versions === undefined || config.versions.includes(qualifier) ? qualifier : undefined;
  }
  if (config.aliases === undefined) return '$LATEST';
  return Object.hasOwn(config.aliases, qualifier) ? config.aliases[qualifier] : undefined;
}

/** Makes the ARN of a function of the local endpoint. */
function arnOf(functionName: string, qualifier?: string): string {
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}

function newTraceId(): string {
  const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
  const seconds = Math.floor(Date.now() / 1_000).toString(16);
  return `Root=1-${seconds}-${hex(12)};Parent=${hex(8)};Sampled=0;Lineage=1:${hex(4)}:0`;
}
