import { describeFailure, describeRejection } from './describe-failure.js';
import { currentScope } from './invocation-scope.js';

/** Thrown to leave a handler that called `process.exit`. Its invocation has ended before. */
class ProcessExit extends Error {
  override readonly name = 'ProcessExit';
}

/**
 * Gives errors that nobody caught, and calls of `process.exit`, to the invocation whose code caused them. Without an
 * invocation they have their ordinary effect: other listeners decide, and without a listener the process ends.
 *
 * @returns The function that undoes it.
 */
export function captureFailures(): () => void {
  const onUncaught = (error: unknown): void => {
    const scope = currentScope();
    if (scope !== undefined) {
      if (!(error instanceof ProcessExit)) scope.abort('uncaught', describeFailure(error), error);
    } else if (process.listenerCount('uncaughtException') === 1) {
      // Thrown once more without a listener, so that Node prints it and ends the process.
      process.off('uncaughtException', onUncaught);
      process.nextTick(() => {
        throw error;
      });
    }
  };
  const onRejection = (reason: unknown): void => {
    const scope = currentScope();
    if (scope !== undefined) {
      if (!(reason instanceof ProcessExit)) scope.abort('unhandled-rejection', describeRejection(reason), reason);
    } else if (process.listenerCount('unhandledRejection') === 1) {
      process.off('unhandledRejection', onRejection);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the same reason, for Node to judge
      void Promise.reject(reason);
    }
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onRejection);
  const restoreExit = captureExit();
  return () => {
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onRejection);
    restoreExit();
  };
}

function captureExit(): () => void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was; called with the process below
  const original = process.exit;
  const patched = (code?: number | string | null): never => {
    const scope = currentScope();
    if (scope === undefined) return original.call(process, code);
    const status = String(code ?? process.exitCode ?? 0);
    const errorMessage =
      status === '0'
        ? 'Runtime exited without providing a reason'
        : `Runtime exited with error: exit status ${status.slice(0, 20)}`;
    scope.abort('exit', { errorType: 'Runtime.ExitError', errorMessage, trace: [] });
    throw new ProcessExit('The function called process.exit(); the local endpoint goes on');
  };
  process.exit = patched;
  return () => {
    if (process.exit === patched) process.exit = original;
  };
}
