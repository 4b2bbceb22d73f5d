import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The Angular application, as it is built, in headless Chromium against the local endpoint. Needs both builds. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^rx-lambda-stream$/, replacement: source('./src/index.ts') },
      { find: /^rx-lambda-stream\/(testing|local)$/, replacement: source('./src/$1/index.ts') },
    ],
  },
  test: { include: ['test/angular/**/*.e2e.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
