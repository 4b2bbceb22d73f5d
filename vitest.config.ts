import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^rx-lambda-stream$/, replacement: source('./src/index.ts') },
      { find: /^rx-lambda-stream\/(testing|local)$/, replacement: source('./src/$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/package/**'],
    // Leak tests force a garbage collection; the flag only adds globalThis.gc.
    execArgv: ['--expose-gc'],
    testTimeout: 20_000,
    typecheck: { enabled: false },
  },
});
