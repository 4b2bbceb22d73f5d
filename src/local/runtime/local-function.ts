import type { InvocationContext } from '../invocation/invocation-context.js';
import type { ScriptedFunction } from '../script/scripted.js';
import type { StreamingMark } from './streamify-response.js';

/** Ends an invocation the old way, with an error or a result. */
export type HandlerCallback = (error?: unknown, result?: unknown) => void;

/**
 * A handler that does not know of the response stream: its result, awaited, is sent as JSON in one chunk. Where it
 * answers with an async iterable, as an async generator function does, each string, byte array or object (as JSON) in
 * it is one write. With three parameters declared it is called the old way, with a callback.
 */
export type PlainHandler = (event: never, context: InvocationContext, callback: HandlerCallback) => unknown;

/**
 * What can stand behind a function's name: a handler as it is written for AWS (a streaming one went through
 * `streamifyResponse`), an async generator function, or a script.
 */
// The mark alone, not its handler: a second call signature would take the types of a plain handler's parameters away.
export type LocalHandler = RunnableHandler | ScriptedFunction;

/** A handler with code in it. */
export type RunnableHandler = PlainHandler | StreamingMark;

/** A handler with the settings that a function has on AWS. */
export interface LocalFunctionConfig {
  readonly handler: LocalHandler;
  /** The function's time-out in milliseconds: its stream is ended then. @defaultValue 900,000 */
  readonly timeoutMs?: number;
  /** How many invocations may run at once; one more gets a 429. @defaultValue no limit */
  readonly reservedConcurrency?: number;
  /** What `context.memoryLimitInMB` says; nothing is limited. @defaultValue 128 */
  readonly memoryMb?: number;
  /** Alias names and the version each leads to. Where given, any other alias is unknown; else all lead to `$LATEST`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The published versions. Where given, any other version is unknown; else each number is one. */
  readonly versions?: readonly string[];
}

/** A function of the local endpoint. */
export type LocalFunction = LocalHandler | LocalFunctionConfig;

/** Settings for a bare handler. */
export function toFunctionConfig(value: LocalFunction): LocalFunctionConfig {
  return 'handler' in value && typeof value !== 'function' ? value : { handler: value };
}

export function isScripted(handler: LocalHandler): handler is ScriptedFunction {
  return 'kind' in handler && typeof handler !== 'function';
}
