import { afterAll, beforeAll, expect } from 'vitest';

/** Fails the file where anything was rejected, thrown or logged that nobody asked for. */
export function expectNoStrays(): void {
  const strays: unknown[] = [];
  const collect = (stray: unknown): void => void strays.push(stray);
  const original = { error: console.error, warn: console.warn };

  beforeAll(() => {
    process.on('unhandledRejection', collect);
    process.on('uncaughtException', collect);
    console.error = (...what: unknown[]) => collect(what);
    console.warn = (...what: unknown[]) => collect(what);
  });
  afterAll(async () => {
    // Rejections are reported a turn of the event loop after they happen.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', collect);
    process.off('uncaughtException', collect);
    Object.assign(console, original);
    expect(strays).toEqual([]);
  });
}
