import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { scripted, startLocalLambda, type LocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from './start-app.js';

const serverFile = fileURLToPath(
  new URL('../../examples/angular/dist/server-rendering/server/server.mjs', import.meta.url),
);
const chat = scripted([{ chunk: 'One ' }, { waitMs: 50 }, { chunk: 'two' }, { complete: {} }]);

describe('a page that @angular/ssr renders', () => {
  let browser: Browser;
  beforeAll(async () => (browser = await launchChromium()));
  afterAll(() => browser.close());

  /** The endpoint, and a process that renders pages and is told of it. */
  async function serve(): Promise<{ origin: string; local: LocalLambda }> {
    const local = await startLocalLambda({ functions: { chat }, cors: true });
    const env = { ...process.env, PORT: '0', LAMBDA_CONFIG: JSON.stringify(local.clientConfig) };
    const server = spawn(process.execPath, [serverFile], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await local.close();
    });
    for await (const line of createInterface({ input: server.stdout })) {
      if (line.startsWith('http://')) return { origin: line, local };
    }
    throw new Error('The server ended without an address');
  }

  /** Opens a page; what it logs as an error or a warning is an error of the test. */
  async function open(url: string): Promise<{ page: Page; texts: () => Promise<string[]> }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    onTestFinished(async () => {
      await page.close();
      expect(complaints).toEqual([]);
    });
    // Everything that the paragraph ever says, from the server's on.
    await page.addInitScript(() => {
      const texts: string[] = [];
      Object.assign(globalThis, { texts });
      new MutationObserver(() => {
        const text = document.querySelector('p')?.textContent;
        if (text !== undefined && text !== texts.at(-1)) texts.push(text);
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    await page.goto(url);
    const texts = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { texts: string[] }).texts);
    return { page, texts };
  }

  const sees = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor();
  const isReady = (page: Page): Promise<unknown> => page.locator('body[data-ready]').waitFor();

  it.each([
    ['hydrated', ''],
    ['not hydrated', '?plain'],
  ])('invokes once, on the server, with an id, and never shows less: %s', async (_how, search) => {
    const { origin, local } = await serve();
    const html = await (await fetch(`${origin}/with-id${search}`)).text();
    expect(html).toContain('>resolved: One two</p>');
    expect(local.requests).toHaveLength(1);

    const { page, texts } = await open(`${origin}/with-id${search}`);
    await isReady(page);
    await sees(page, 'resolved: One two');
    // Where Angular renders anew, the paragraph is empty until its first change detection.
    expect(new Set((await texts()).filter(Boolean))).toEqual(new Set(['resolved: One two']));
    // One for each of the two pages that were asked for.
    expect(local.requests).toHaveLength(2);
  });

  it.each([
    ['hydrated', ''],
    ['not hydrated', '?plain'],
  ])('invokes once, in the page, without an id: %s', async (_how, search) => {
    const { origin, local } = await serve();
    const html = await (await fetch(`${origin}/without-id${search}`)).text();
    expect(html).toContain('>loading: </p>');
    expect(local.requests).toEqual([]);

    const { page } = await open(`${origin}/without-id${search}`);
    await sees(page, 'resolved: One two');
    await isReady(page);
    expect(local.requests).toHaveLength(1);
  });

  it('would be invoked twice by rxResource', async () => {
    const { origin, local } = await serve();
    const { page } = await open(`${origin}/rx-resource`);
    await isReady(page);
    await sees(page, 'resolved: One two');
    expect(local.requests).toHaveLength(2);
  });

  it('would be invoked once by rxResource with an id, and keep its first value for ever', async () => {
    const { origin, local } = await serve();
    const { page } = await open(`${origin}/rx-resource-with-id`);
    await isReady(page);
    // Not even "loading": the snapshot before the first byte counts as the whole value.
    expect(await page.locator('p').textContent()).toBe('resolved: ');
    expect(local.requests).toHaveLength(1);
  });
});
