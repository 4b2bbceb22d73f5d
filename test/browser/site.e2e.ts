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
import { searchWords } from '../../docs/typedoc/search-words.js';
import { buildSite } from '../docs/build-site.js';
import { chromiumLaunchOptions } from '../support/chromium.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-site-'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const types: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' },
};
const fromFile = (page: string): string => pathToFileURL(join(folder, page)).href;
/** One page of every kind. */
const pages = [
  'index.html',
  'modules.html',
  'documents/Records_and_schemas.html',
  'documents/Retries.html',
  'documents/Benchmark.html',
  'documents/Options_by_function.html',
  'modules/rx-lambda-stream.html',
  'modules/rx-lambda-stream_relay.html',
  'functions/rx-lambda-stream.retryInvocation.html',
  'classes/rx-lambda-stream.TruncatedStreamError.html',
  'interfaces/rx-lambda-stream.RetryInvocationOptions.html',
  'types/rx-lambda-stream.LambdaStreamEvent.html',
  'variables/rx-lambda-stream_testing.invocationLogCases.html',
];
const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 800 };

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

/** What the site's own search finds, best first, without white space. */
async function search(page: Page, words: string): Promise<string[]> {
  await page.keyboard.press('Control+k');
  const results = page.locator('#tsd-search-results li');
  await page.locator('#tsd-search-input').fill('');
  await results.first().waitFor({ state: 'detached' });
  await page.locator('#tsd-search-input').fill(words);
  await results.first().waitFor();
  return results.evaluateAll((found) => found.map(({ textContent }) => textContent.replaceAll(/\s+/g, '')));
}

describe('the search, from a file', () => {
  test('finds the guide first and the function second', async () => {
    const page = await open(fromFile('index.html'));
    expect((await search(page, 'cancel'))[0]).toBe('Cancellingandtime-outs');
    expect((await search(page, 'backpressure')).slice(0, 2)).toEqual([
      'Backpressure',
      'rx-lambda-stream.createFlowControl',
    ]);
    expect((await search(page, 'angular')).slice(0, 2)).toEqual(['Angular', 'rx-lambda-stream/angular.streamResource']);
    expect((await search(page, 'retry')).slice(0, 2)).toEqual(['Retries', 'rx-lambda-stream.retryInvocation']);
  });

  test('finds the pages of every word that the site adds to its index', async () => {
    const page = await open(fromFile('index.html'));
    const found: Record<string, string[]> = {};
    for (const [word, answers] of Object.entries(searchWords)) {
      const names = (await search(page, word)).slice(0, answers.length);
      found[word] = names.map((name) => name.replace(/^rx-lambda-stream[/\w]*\./, ''));
    }
    const expected = Object.entries(searchWords).map(([word, answers]) => [
      word,
      answers.map((name) => name.replaceAll(' ', '')),
    ]);
    expect(found).toEqual(Object.fromEntries(expected));
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

describe.each(pages)('%s', (path) => {
  let page: Page;
  beforeAll(async () => {
    page = await browser.newPage({ viewport: phone });
    await page.goto(fromFile(path));
    await page.locator('.tsd-navigation a').first().waitFor({ state: 'attached' });
  });
  afterAll(() => page.close());

  test('is legible on a phone: the page does not scroll sideways, its texts and drawings keep their size', async () => {
    const { width, size, narrow, drawings } = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      size: parseFloat(getComputedStyle(document.querySelector('.col-content') ?? document.body).fontSize),
      // A cell that is narrower than this shows a few letters a line.
      narrow: Array.from(document.querySelectorAll('.tsd-typography td'), (cell) => ({
        text: cell.textContent,
        width: cell.clientWidth,
      })).filter(({ text, width }) => text.length > 6 && width < 64),
      // As wide as they were drawn for, in a line that scrolls.
      drawings: Array.from(document.querySelectorAll<HTMLImageElement>('img[src$=".svg"]'), (image) => ({
        shrunk: image.clientWidth < image.naturalWidth,
        scrolls: getComputedStyle(image.parentElement ?? image).overflowX,
      })),
    }));
    expect(width).toBeLessThanOrEqual(phone.width);
    expect(size).toBeGreaterThanOrEqual(16);
    expect(narrow).toEqual([]);
    expect(drawings).toEqual(drawings.map(() => ({ shrunk: false, scrolls: 'auto' })));
  });

  test('has nothing that axe-core finds, light and dark, on a phone and on a desk', { timeout: 180_000 }, async () => {
    await page.evaluate(axe);
    const found: Record<string, unknown> = {};
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [phone, desktop]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        const { violations, passes } = await page.evaluate(() =>
          (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
        );
        expect(passes.length).toBeGreaterThan(20);
        if (violations.length > 0)
          found[`${colorScheme}, ${viewport.width}`] = violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
      }
    }
    expect(found).toEqual({});
  });
});
