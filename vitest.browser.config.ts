import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumLaunchOptions } from './test/support/chromium.js';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The core in headless Chromium, with the SDK's browser build, against the local endpoint. Needs a Chromium. */
export default defineConfig({
  resolve: { alias: { 'rx-lambda-stream': source('./src/index.ts') } },
  // Found in the middle of a run, they would reload the page under the tests.
  optimizeDeps: {
    include: ['@aws-sdk/client-lambda', '@smithy/eventstream-codec', 'eventsource-parser', 'fast-check', 'rxjs'],
  },
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/global-setup.ts'],
    testTimeout: 20_000,
    api: { host: '127.0.0.1' },
    // Chromium opens six connections to a host, whatever the number of pages: files at once would wait for each other.
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: 'chromium' }],
      provider: playwright({ launchOptions: chromiumLaunchOptions }),
    },
  },
});
