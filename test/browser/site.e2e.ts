/** The documentation site in Chromium: its search, under a path prefix, on a phone, and what axe-core finds. */
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildSite } from '../docs/build-site.js';
import { chromiumLaunchOptions } from '../support/chromium.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-site-'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const types: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' },
};
const fromFile = (page: string): string => pathToFileURL(join(folder, page)).href;
const pages = [
  'index.html',
  'documents/Retries.html',
  'documents/Options_by_function.html',
  'modules/rx-lambda-stream.html',
  'functions/rx-lambda-stream.retryInvocation.html',
  'interfaces/rx-lambda-stream.RetryInvocationOptions.html',
];

let browser: Browser;
beforeAll(async () => {
  await buildSite(folder);
  browser = await chromium.launch(chromiumLaunchOptions);
}, 300_000);
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** What the site's own search finds, best first. */
async function search(page: Page, words: string): Promise<string[]> {
  await page.keyboard.press('Control+k');
  await page.locator('#tsd-search-input').fill(words);
  const results = page.locator('#tsd-search-results li');
  await results.first().waitFor();
  return results.evaluateAll((found) => found.map(({ textContent }) => textContent.replaceAll(/\s+/g, '')));
}

describe('the search, from a file', () => {
  test.each([
    ['cancel', ['Cancellingandtime-outs']],
    ['backpressure', ['Backpressure', 'rx-lambda-stream.createFlowControl']],
    ['angular', ['Angular']],
    ['retry', ['Retries', 'rx-lambda-stream.retryInvocation']],
  ])('finds the guide and the function first: %s', async (words, expected) => {
    const page = await open(fromFile('index.html'));
    const found = await search(page, words);
    expect(found.slice(0, expected.length).sort()).toEqual(expected);
  });
});

test('works under a path prefix: pages, pictures, navigation and search', async () => {
  const missing: string[] = [];
  const server: Server = createServer((request, response) => {
    const [, path = ''] = /^\/a\/prefix\/([\w./-]+)/.exec(request.url ?? '') ?? [];
    createReadStream(join(folder, path))
      .on('error', () => {
        missing.push(request.url ?? '');
        response.writeHead(404).end();
      })
      .once('open', () => response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream'))
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a/prefix`;
  const page = await open(`${base}/index.html`);
  await page.locator('.tsd-navigation a', { hasText: 'Retries' }).first().click();
  await page.waitForURL(`${base}/documents/Retries.html`);
  expect((await search(page, 'retry')).length).toBeGreaterThan(3);
  await page.goto(`${base}/functions/rx-lambda-stream.decodeText.html`);
  const widths = await page
    .locator('.tsd-typography img')
    .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
  expect(widths.every((width) => width > 0)).toBe(true);
  expect(missing.filter((url) => !url.endsWith('favicon.ico'))).toEqual([]);
});

test.each(pages)(
  '%s is legible on a phone: no line runs out of the screen, and the text is 16 pixels high',
  async (path) => {
    const page = await open(fromFile(path), { viewport: { width: 390, height: 844 } });
    const { width, size } = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      size: parseFloat(getComputedStyle(document.querySelector('.col-content') ?? document.body).fontSize),
    }));
    expect(width).toBeLessThanOrEqual(390);
    expect(size).toBeGreaterThanOrEqual(16);
  },
);

describe.each(['light', 'dark'] as const)('axe-core, %s', (colorScheme) => {
  test.each(pages)('finds nothing in %s', { timeout: 180_000 }, async (path) => {
    const page = await open(fromFile(path), { colorScheme });
    await page.locator('.tsd-navigation a').first().waitFor();
    await page.evaluate(axe);
    const { violations } = await page.evaluate(
      // TypeDoc's sidebar has links within the summaries that unfold it; each can be reached and named.
      () =>
        (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
          rules: { 'nested-interactive': { enabled: false } },
        }),
    );
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });
});
