/**
 * Resolves with a module that is being loaded. Rejects where its top-level await does not settle within the time limit.
 * Rejects at once where nothing is left in the process that could settle it.
 */
export function settledLoad<Module>(loading: Promise<Module>, timeoutMs: number): Promise<Module> {
  return new Promise((resolve, reject) => {
    const onIdle = (): void => fail('its top-level await never settles: nothing is left that it could wait for');
    // The timer does not keep the process alive. So Node emits `beforeExit` where nothing else does either.
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            fail(`its top-level await has not settled after ${timeoutMs} ms (--init-timeout)`);
          }, timeoutMs).unref();
    const release = (): void => {
      clearTimeout(timer);
      process.off('beforeExit', onIdle);
    };
    const fail = (reason: string): void => {
      release();
      reject(new UnsettledLoadError(reason));
    };
    process.once('beforeExit', onIdle);
    loading.then(resolve, reject).finally(release);
  });
}

/** Thrown for a module whose top-level await did not settle. */
export class UnsettledLoadError extends Error {
  override readonly name = 'UnsettledLoadError';
}
