import { checkValue, limitFrom, positive, show, timeLimitMs, type OptionRule } from '../../shared/check-options.js';
import { isTexts } from '../../shared/json.js';
import type { InvocationContext } from '../invocation/invocation-context.js';
import type { ScriptedFunction } from '../script/scripted.js';
import type { StreamingMark } from './streamify-response.js';

/** Ends an invocation with an error or a result. This is Lambda's old way, before promises. */
export type HandlerCallback = (error?: unknown, result?: unknown) => void;

/**
 * A handler without a response stream. Its result is awaited and sent as JSON in one chunk.
 *
 * An async generator function, or any handler that returns an async iterable, makes one write for each string, byte
 * array or object (as JSON). A handler that declares three parameters gets a callback, as in Lambda's old way.
 */
export type PlainHandler = (event: never, context: InvocationContext, callback: HandlerCallback) => unknown;

/**
 * The code of a function: a handler as it is written for AWS, an async generator function, or a script. A streaming
 * handler has to go through `streamifyResponse`. Handlers typed by `@types/aws-lambda` are accepted.
 */
export type LocalHandler = RunnableHandler | ScriptedFunction;

/**
 * A handler that is code and no script. `CallableFunction` accepts the `StreamifyHandler` of `@types/aws-lambda`. It
 * has no call signature: with a second call signature, TypeScript would not infer the parameters of an inline handler.
 */
export type RunnableHandler = PlainHandler | StreamingMark | CallableFunction;

/** A handler with the settings that a function has on AWS. */
export interface LocalFunctionConfig {
  /** The code that answers, as Lambda would call it. */
  readonly handler: LocalHandler;
  /**
   * The function's time-out in milliseconds. After it the response stream is ended. `Infinity` sets no limit.
   * @defaultValue 900,000
   */
  readonly timeoutMs?: number;
  /**
   * How many invocations may run at once. A further one gets a 429. `Infinity` sets no limit. @defaultValue `Infinity`
   */
  readonly reservedConcurrency?: number;
  /** What `context.memoryLimitInMB` says. The memory is not limited. @defaultValue 128 */
  readonly memoryMb?: number;
  /**
   * The `context.tenantId` of calls without a `TenantId`, such as those to the function's URL. A call's own `TenantId`
   * replaces it. @defaultValue no tenant
   */
  readonly tenantId?: string;
  /**
   * The function's own environment variables. During an invocation, and in all that it starts, `process.env` holds
   * them, the variables that Lambda sets (`AWS_LAMBDA_FUNCTION_NAME` and others), and the process's own. A variable
   * that is set here replaces one of the same name.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** The version of each alias. Any other alias is then unknown. @defaultValue every alias leads to `$LATEST` */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The published versions. Any other version is then unknown. @defaultValue every number is a version */
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
  for (const [option, rule] of Object.entries(functionRules)) {
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

/** AWS allows 1 to 256 of these characters. */
const tenant: OptionRule = {
  expected: 'a tenant ID: 1 to 256 letters, digits, spaces and any of _ . : / = + - @',
  isValid: (value) => typeof value === 'string' && /^[a-zA-Z0-9._:/=+\-@ ]{1,256}$/.test(value),
};

/** The rules of {@link LocalFunctionConfig}. The command's options obey them too. */
export const functionRules: Readonly<Record<Exclude<keyof LocalFunctionConfig, 'handler'>, OptionRule>> = {
  timeoutMs: timeLimitMs,
  reservedConcurrency: limitFrom(0),
  memoryMb: positive,
  tenantId: tenant,
  environment: textsByName,
  aliases: textsByName,
  versions: { expected: 'an array of strings', isValid: isTexts },
};
