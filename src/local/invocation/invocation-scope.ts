import { AsyncLocalStorage } from 'node:async_hooks';
import type { FunctionFailure } from './describe-failure.js';
import type { InvocationLog } from './invocation-log.js';

/** What one invocation's code sees and may do, in timers, promises and callbacks too. */
export interface InvocationScope {
  /** Takes what the code prints. */
  readonly log: InvocationLog;
  /** Variables that `process.env` holds for this code only. */
  readonly environment: Record<string, string>;
  /** Fails the invocation at once, for a reason that no response may tell: `error` is what caused it. */
  readonly abort: (
    kind: 'uncaught' | 'unhandled-rejection' | 'exit',
    failure: FunctionFailure,
    error?: unknown,
  ) => void;
}

const current = new AsyncLocalStorage<InvocationScope | undefined>();

/** Runs a function so that it, and whatever it starts, belongs to an invocation. */
export function runInScope<Result>(scope: InvocationScope | undefined, run: () => Result): Result {
  return current.run(scope, run);
}

/** Returns the invocation that the running code belongs to; undefined where it belongs to none. */
export function currentScope(): InvocationScope | undefined {
  return current.getStore();
}
