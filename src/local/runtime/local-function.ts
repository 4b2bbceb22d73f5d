import { checkValue, limitFrom, positive, show, timeLimitMs, type OptionRule } from '../../shared/check-options.js';
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
 * `streamifyResponse`), an async generator function, or a script. Handlers typed by `@types/aws-lambda` are accepted.
 */
export type LocalHandler = RunnableHandler | ScriptedFunction;

/**
 * A handler with code in it. `CallableFunction` accepts the `StreamifyHandler` of `@types/aws-lambda`. It has no call
 * signature on purpose: with a second one, TypeScript would no longer infer the parameters of a handler written inline.
 */
export type RunnableHandler = PlainHandler | StreamingMark | CallableFunction;

/** A handler with the settings that a function has on AWS. */
export interface LocalFunctionConfig {
  /** The code that answers, as Lambda would call it. */
  readonly handler: LocalHandler;
  /**
   * The function's time-out in milliseconds: its stream is ended then. `Infinity` is no time-out.
   * @defaultValue 900,000
   */
  readonly timeoutMs?: number;
  /** How many invocations may run at once. One more gets a 429. `Infinity` sets no limit. @defaultValue `Infinity` */
  readonly reservedConcurrency?: number;
  /** What `context.memoryLimitInMB` says; nothing is limited. @defaultValue 128 */
  readonly memoryMb?: number;
  /**
   * The tenant of calls that name none, such as those to the function's URL: `context.tenantId`. A call's own
   * `TenantId` wins. @defaultValue no tenant
   */
  readonly tenantId?: string;
  /**
   * The function's own environment variables. During its invocations, and in all that they start, `process.env` holds
   * them and Lambda's (`AWS_LAMBDA_FUNCTION_NAME` and so on) over the process's own. A name that Lambda sets can be set
   * here too: this one wins.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** Alias names and the version each leads to. Where given, any other alias is unknown; else all lead to `$LATEST`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The published versions. Where given, any other version is unknown; else each number is one. */
  readonly versions?: readonly string[];
}

/** A function of the local endpoint. */
export type LocalFunction = LocalHandler | LocalFunctionConfig;

/**
 * Gives a bare handler its settings, and checks them.
 *
 * @throws TypeError for a value that is not a function, RangeError for a number out of range. The message names the
 * function.
 */
export function toFunctionConfig(name: string, value: unknown): LocalFunctionConfig {
  const path = `functions.${name}`;
  const config = hasHandler(value) ? value : { handler: value as LocalHandler };
  if (typeof config.handler !== 'function' && !isScripted(config.handler)) {
    const place = hasHandler(value) ? `${path}.handler` : path;
    const expected = 'a handler, scripted([…]) or { handler: … }';
    throw new TypeError(`startLocalLambda: ${place} must be ${expected}, not ${show(config.handler)}`);
  }
  for (const [option, rule] of Object.entries(rules)) {
    const given = config[option as keyof LocalFunctionConfig];
    if (given !== undefined) checkValue('startLocalLambda', `${path}.${option}`, given, rule);
  }
  return config;
}

/** Checks the functions that are there when the endpoint starts. Throws as {@link toFunctionConfig}. */
export function checkFunctions(functions: unknown): void {
  checkValue('startLocalLambda', 'functions', functions, {
    expected: 'an object with functions by name',
    isValid: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  });
  for (const [name, fn] of Object.entries(functions as object)) toFunctionConfig(name, fn);
}

export function isScripted(handler: unknown): handler is ScriptedFunction {
  return typeof handler === 'object' && handler !== null && 'kind' in handler && handler.kind === 'scripted';
}

function hasHandler(value: unknown): value is LocalFunctionConfig {
  return typeof value === 'object' && value !== null && 'handler' in value;
}

const textsByName: OptionRule = {
  expected: 'an object with strings as values',
  isValid: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && isTexts(Object.values(value)),
};

/** AWS takes 1 to 256 of these characters. */
export const tenant: OptionRule = {
  expected: 'a tenant ID: 1 to 256 letters, digits, spaces and any of _ . : / = + - @',
  isValid: (value) => typeof value === 'string' && /^[a-zA-Z0-9._:/=+\-@ ]{1,256}$/.test(value),
};

const rules: Readonly<Record<Exclude<keyof LocalFunctionConfig, 'handler'>, OptionRule>> = {
  timeoutMs: timeLimitMs,
  reservedConcurrency: limitFrom(0),
  memoryMb: positive,
  tenantId: tenant,
  environment: textsByName,
  aliases: textsByName,
  versions: { expected: 'an array of strings', isValid: isTexts },
};

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
