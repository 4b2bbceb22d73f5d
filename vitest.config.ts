import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import type { BrowserProviderOption } from 'vitest/node';
import { chromiumLaunchOptions } from './test/support/chromium.js';
import { firefox } from './test/support/firefox.js';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Examples import the package by its name; here that is the source. */
const alias = [
  { find: /^rx-lambda-stream$/, replacement: source('./src/index.ts') },
  { find: /^rx-lambda-stream\/local\/register$/, replacement: source('./src/local/register.ts') },
  { find: /^rx-lambda-stream\/(\w+)$/, replacement: source('./src/$1/index.ts') },
];

const pageDependencies = [
  '@aws-sdk/client-lambda',
  '@smithy/eventstream-codec',
  'eventsource-parser',
  'fast-check',
  'rxjs',
];

/** Resolves these packages as they are installed in a folder, whoever imports them. */
function installedIn(folder: string, packages: RegExp): Plugin {
  return {
    name: `packages-of-${folder}`,
    enforce: 'pre',
    resolveId: {
      filter: { id: packages },
      handler(id) {
        return this.resolve(id, source(`./${folder}/package.json`), { skipSelf: true });
      },
    },
  };
}

/** The tests that run in pages of a browser. */
function inPages(
  name: string,
  browser: 'chromium' | 'firefox',
  provider: BrowserProviderOption,
): TestProjectInlineConfiguration {
  return {
    resolve: { alias },
    // Found in the middle of a run, they would reload the page under the tests.
    optimizeDeps: { include: pageDependencies },
    test: {
      name,
      include: ['test/browser/**/*.test.ts'],
      globalSetup: ['test/browser/global-setup.ts'],
      testTimeout: 20_000,
      // Chromium opens six connections to a host, whatever the number of pages: files at once would wait for each
      // other.
      fileParallelism: false,
      api: { host: '127.0.0.1' },
      browser: { enabled: true, headless: true, screenshotFailures: false, instances: [{ browser }], provider },
    },
  };
}

export default defineConfig({
  test: {
    coverage: { include: ['src/**'], reporter: ['text-summary', 'html'] },
    projects: [
      {
        // `npm test`: no network, no browser, no Redis.
        resolve: { alias },
        test: {
          name: 'node',
          include: ['test/**/*.test.ts', 'examples/testing/*.test.ts'],
          exclude: ['test/browser/**', 'test/package/**', 'test/redis/**'],
          // Leak tests force a garbage collection; the flag only adds globalThis.gc.
          execArgv: ['--expose-gc'],
          testTimeout: 20_000,
        },
      },
      // The core in headless Chromium, with the SDK's browser build, against the local endpoint.
      inPages('browser', 'chromium', playwright({ launchOptions: chromiumLaunchOptions })),
      // The same tests in the system's Firefox, without a driver.
      inPages('firefox', 'firefox', firefox()),
      {
        // The Angular application, as it is built, in headless Chromium against the local endpoint. Needs both builds.
        resolve: { alias },
        test: { name: 'angular', include: ['test/angular/**/*.e2e.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        // The relay with pages of its own in headless Chromium: reloads, tabs, cut connections.
        resolve: { alias },
        test: { name: 'e2e', include: ['test/browser/**/*.e2e.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        // The relay in NestJS 12, whose packages are in the test's folder. NestJS 11 is the root's.
        resolve: { alias },
        test: { name: 'nest-12', include: ['test/nest-12/*.e2e.ts'], testTimeout: 60_000 },
      },
      {
        // The same tests, and the package as it is installed, under the oldest Angular that it takes. Needs the build.
        plugins: [installedIn('test/angular-21', /^(@angular|rx-lambda-stream)(\/|$)/)],
        test: {
          name: 'angular-21',
          include: ['test/angular/*.test.ts', 'test/angular-21/*.e2e.ts'],
          testTimeout: 20_000,
        },
      },
      {
        // The package as it is published. Needs `npm run build`.
        test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
      },
      {
        // The invocation log on a real server, which the tests start themselves. Needs a redis-server.
        resolve: { alias },
        test: {
          name: 'redis',
          include: ['test/redis/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
