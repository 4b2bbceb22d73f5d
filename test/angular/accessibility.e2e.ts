import axe from 'axe-core';
import type { Browser, Page } from 'playwright';
import { scripted, type LocalFunction } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium, startApp } from './start-app.js';

/** An answer with everything that the page shows of Markdown. */
const markdown =
  '# Title\nText with **strong**, *emphasis*, `code` and a [link](https://example.test/).\n' +
  '- one\n- two\n\n1. first\n\n' +
  '```\nconst line = "a line of code that is longer than the screen of a phone is wide, and scrolls";\n```\n';

const chat: LocalFunction = scripted(({ payload }) => {
  const { prompt } = JSON.parse(new TextDecoder().decode(payload)) as { prompt: string };
  switch (prompt) {
    case 'connecting':
      return ['stall'];
    case 'streaming':
      return [{ chunk: markdown }, 'stall'];
    case 'retrying':
      return [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '9' } } }];
    case 'failed':
      return [{ chunk: markdown }, 'reset'];
    case 'long':
      return [{ chunk: markdown.repeat(6) }, { complete: {} }];
    default:
      return [{ chunk: markdown }, { complete: {} }];
  }
});

const row = `${JSON.stringify({ id: 1, customer: 'Grove', city: 'Lyon', total: 1 })}\n`;
const orders: LocalFunction = scripted(({ payload }) => {
  const { country } = JSON.parse(new TextDecoder().decode(payload)) as { country: string };
  if (country === 'Germany') return [{ chunk: row }, 'stall'];
  return [{ chunk: row.repeat(1) }, country === 'France' ? { complete: {} } : 'reset'];
});

const status = (page: Page, text: string): Promise<void> =>
  page.locator('.state').last().filter({ hasText: text }).waitFor();

/** How the page comes into each of its states. Each goes on from the one before. */
const states: readonly (readonly [name: string, enter: (page: Page) => Promise<unknown>])[] = [
  ['welcome', (page) => page.getByRole('heading', { name: 'Ask a Lambda function' }).waitFor()],
  ['connecting', async (page) => (await ask(page, 'connecting'), status(page, 'Connecting'))],
  ['streaming', async (page) => (await ask(page, 'streaming'), status(page, 'Answering'))],
  ['stopped', async (page) => (await page.keyboard.press('Escape'), status(page, 'Stopped'))],
  ['retrying', async (page) => (await ask(page, 'retrying'), status(page, 'attempt 2 of 4'))],
  ['failed', async (page) => (await ask(page, 'failed'), status(page, 'The connection broke'))],
  ['complete', async (page) => (await ask(page, 'complete'), status(page, 'Complete'))],
  ['details', (page) => page.locator('summary').last().click()],
  ['copied', async (page) => (await copy(page), page.locator('.copied').filter({ hasText: 'Copied' }).waitFor())],
  ['scrolled up', async (page) => (await ask(page, 'long'), await scrollUp(page), latest(page).waitFor())],
  ['orders that load', async (page) => (await toOrders(page), page.getByText('1.00 €').waitFor())],
  ['orders that were stopped', async (page) => (await press(page, 'Stop'), page.getByText('Stopped after').waitFor())],
  ['orders that are complete', async (page) => (await country(page, 'France'), page.getByText('Complete:').waitFor())],
  ['orders that failed', async (page) => (await country(page, 'Italy'), page.getByText('broke before').waitFor())],
];

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  // On a phone Enter breaks the line.
  await page.locator('form').evaluate((form: HTMLFormElement) => form.requestSubmit());
}

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
const copy = (page: Page): Promise<void> => page.getByRole('button', { name: 'Copy' }).last().click();
const latest = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('button', { name: 'Jump to latest' });
const toOrders = (page: Page): Promise<void> => page.getByRole('link', { name: 'Orders' }).click();
async function country(page: Page, name: string): Promise<void> {
  await page.getByLabel('Country').selectOption(name);
}

async function scrollUp(page: Page): Promise<void> {
  await status(page, 'Complete');
  await page.getByLabel('Conversation').evaluate((element) => (element.scrollTop = 0));
}

/** What axe finds, in words: rule, help, and where. */
async function violations(page: Page): Promise<string[]> {
  // Colours are compared as they come to rest.
  const found = await page.evaluate(async () => {
    for (const animation of document.getAnimations()) animation.cancel();
    const { axe: checker } = globalThis as unknown as { axe: typeof axe };
    return checker.run(document);
  });
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

const cases = (['zoneless', 'zone'] as const).flatMap((build) =>
  (['light', 'dark'] as const).map((scheme) => [build, scheme] as const),
);

describe.each(cases)('the Angular application, %s, %s,', (build, colorScheme) => {
  let browser: Browser;
  beforeAll(async () => (browser = await launchChromium()));
  afterAll(() => browser.close());

  it.each([
    ['a desktop', { viewport: { width: 900, height: 600 } }],
    ['a phone', { viewport: { width: 375, height: 667 }, hasTouch: true, isMobile: true }],
  ])('has no fault that axe finds, in any of its states, on %s', async (_name, device) => {
    const app = await startApp(build, { chat, orders });
    const context = await browser.newContext({ ...device, colorScheme, permissions: ['clipboard-write'] });
    onTestFinished(async () => {
      await context.close();
      await app.close();
    });
    const page = await context.newPage();
    await page.goto(app.origin);
    await page.addScriptTag({ content: axe.source });
    const found: Record<string, string[]> = {};
    for (const [name, enter] of states) {
      await enter(page);
      found[name] = await violations(page);
    }
    expect(found).toEqual(Object.fromEntries(states.map(([name]) => [name, []])));
  });
});
