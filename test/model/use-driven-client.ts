import { config } from 'rxjs';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { createDrivenClient, type DrivenClient } from './driven-client.js';

/** A client for the tests of a file, whose timers are vitest's. */
export function useDrivenClient(): DrivenClient {
  const driven = createDrivenClient();

  beforeAll(async () => {
    // The SDK reads its configuration files at the first request; after it all is done without input or output.
    const warm = invokeWithResponseStream(driven.client, { FunctionName: 'warm' }).subscribe();
    while (driven.exchanges.length === 0) await turnOfTheEventLoop();
    warm.unsubscribe();
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    config.onUnhandledError = null;
  });

  return driven;
}

/** Waits until everything has ended that has begun and needs neither input nor output. */
export async function turnOfTheEventLoop(): Promise<void> {
  // Twice: a stream may need one turn, and what follows from it another.
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
