import type { Browser, Page } from 'playwright';
import { scripted, type LocalFunction, type LocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { gate } from '../support/live.js';
import { launchChromium, startApp, type Build } from './start-app.js';

const row = (id: number): string => `${JSON.stringify({ id, customer: 'Grove', city: 'Lyon', total: id })}\n`;

/** Writes one text, and then nothing until the client goes. */
const writesAndStalls = (text: string): LocalFunction => scripted([{ chunk: text }, 'stall']);

describe.each<Build>(['zoneless', 'zone'])('the Angular application, %s', (build) => {
  let browser: Browser;
  beforeAll(async () => (browser = await launchChromium()));
  afterAll(() => browser.close());

  /** Opens the application in a page of its own; its uncaught errors fail the test. */
  async function open(
    functions: Record<string, LocalFunction>,
    path = '/',
    configOf?: (local: LocalLambda) => object,
  ): Promise<{ page: Page; local: LocalLambda }> {
    const app = await startApp(build, functions, configOf);
    const context = await browser.newContext({ viewport: { width: 900, height: 500 } });
    const page = await context.newPage();
    const uncaught: Error[] = [];
    page.on('pageerror', (error) => uncaught.push(error));
    onTestFinished(async () => {
      await context.close();
      await app.close();
      expect(uncaught).toEqual([]);
    });
    await page.goto(`${app.origin}${path}`);
    await page.locator('app-chat, app-orders').waitFor();
    return { page, local: app.local };
  }

  async function ask(page: Page, question: string): Promise<void> {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  }

  const stop = (page: Page): Promise<void> => page.getByRole('button', { name: 'Stop', exact: true }).click();

  /** The answer's text, exactly: one element a line. */
  const textOf = (page: Page, turn = 0): Promise<string> =>
    page
      .locator('.answer')
      .nth(turn)
      .locator('p')
      .allTextContents()
      .then((lines) => lines.join('\n'));

  const seesText = (page: Page, text: string): Promise<unknown> =>
    page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll('app-turn:last-of-type .answer p')].map((p) => p.textContent).join('\n') ===
        wanted,
      text,
    );

  const seesStatus = (page: Page, text: string | RegExp): Promise<void> =>
    page.locator('.status').last().filter({ hasText: text }).waitFor();

  it('is the build that it says', async () => {
    const { page } = await open({});
    expect(await page.evaluate(() => 'Zone' in globalThis)).toBe(build === 'zone');
  });

  it('shows the text while the function still writes it', async () => {
    const [first, second] = [gate(), gate()];
    async function* chat(): AsyncGenerator<string> {
      yield 'One';
      await first.opened;
      yield ' two\n\nthr';
      await second.opened;
      yield 'ee €';
    }
    const { page, local } = await open({ chat });
    await ask(page, 'How much?');
    await seesText(page, 'One');
    await seesStatus(page, 'Streaming · 1 chunk in');
    first.open();
    await seesText(page, 'One two\n\nthr');
    await seesStatus(page, 'Streaming · 2 chunks');
    second.open();
    await seesText(page, 'One two\n\nthree €');
    await seesStatus(page, 'Complete · 3 chunks');
    expect(local.requests).toHaveLength(1);
    expect(JSON.parse(new TextDecoder().decode(local.requests[0]?.payload))).toEqual({ prompt: 'How much?' });
  });

  it('closes the connection at the server on Stop, and keeps the text', async () => {
    const { page, local } = await open({ chat: writesAndStalls('Half') });
    await ask(page, 'Hello?');
    await seesText(page, 'Half');
    await stop(page);
    expect(await local.requests[0]?.closedEarly).toBe(true);
    await seesStatus(page, 'Stopped');
    expect(await textOf(page)).toBe('Half');
  });

  it('closes the connection on Stop while it is still connecting', async () => {
    const { page, local } = await open({ chat: scripted(['stall']) });
    await ask(page, 'Hello?');
    const request = await local.request(0);
    await seesStatus(page, 'Connecting…');
    await stop(page);
    expect(await request.closedEarly).toBe(true);
  });

  it('closes the connection on a new question', async () => {
    const { page, local } = await open({ chat: writesAndStalls('Half') });
    await ask(page, 'First?');
    await seesText(page, 'Half');
    await ask(page, 'Second?');
    expect(await local.requests[0]?.closedEarly).toBe(true);
    await local.request(1);
    await page.locator('app-turn').nth(1).waitFor();
    expect(await textOf(page, 0)).toBe('Half');
  });

  it('closes the connection when the reader goes to another page, and back', async () => {
    const { page, local } = await open({ chat: writesAndStalls('Half'), orders: writesAndStalls(row(1)) });
    await ask(page, 'Hello?');
    await seesText(page, 'Half');
    await page.getByRole('link', { name: 'Orders' }).click();
    expect(await local.requests[0]?.closedEarly).toBe(true);
    await page.getByRole('cell', { name: 'Lyon' }).waitFor();
    await page.getByRole('link', { name: 'Chat' }).click();
    expect(await local.requests[1]?.closedEarly).toBe(true);
  });

  it('shows when it tries again, and then the answer', async () => {
    const chat = scripted((_request, attempt) =>
      attempt === 1
        ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '2' } } }]
        : [{ chunk: 'At last' }, { complete: {} }],
    );
    const { page, local } = await open({ chat });
    await ask(page, 'Hello?');
    await seesStatus(page, 'Too many requests right now. Retrying in 2 s, attempt 2');
    await seesStatus(page, 'Retrying in 1 s');
    await seesText(page, 'At last');
    await seesStatus(page, 'Complete');
    expect(local.requests).toHaveLength(2);
  });

  it('signs with the credentials of a Cognito identity pool where the configuration names one', async () => {
    const identityPoolId = 'us-east-1:00000000-0000-4000-8000-000000000001';
    const chat = scripted([{ chunk: 'Welcome' }, { complete: {} }]);
    const { page, local } = await open({ chat }, '/', ({ endpoint }) => ({
      region: 'us-east-1',
      endpoint,
      identityPoolId,
    }));
    // Cognito's two operations, answered by the browser itself: nothing leaves this machine.
    const asked: unknown[] = [];
    await page.route('https://cognito-identity.us-east-1.amazonaws.com/', async (route) => {
      const operation = route.request().headers()['x-amz-target']?.split('.').at(-1);
      asked.push([operation, route.request().postDataJSON()]);
      const credentials = {
        AccessKeyId: 'VISITOR',
        SecretKey: 'secret',
        SessionToken: 'session',
        Expiration: Date.now() / 1_000 + 3_600,
      };
      await route.fulfill({
        contentType: 'application/x-amz-json-1.1',
        headers: { 'access-control-allow-origin': '*' },
        json: operation === 'GetId' ? { IdentityId: 'me' } : { IdentityId: 'me', Credentials: credentials },
      });
    });
    await ask(page, 'Hello?');
    await seesText(page, 'Welcome');
    await ask(page, 'Again?');
    await local.request(1);
    expect(asked).toEqual([
      ['GetId', { IdentityPoolId: identityPoolId }],
      ['GetCredentialsForIdentity', { IdentityId: 'me' }],
    ]);
    expect(local.requests).toHaveLength(2);
    for (const { headers } of local.requests) {
      expect(headers.authorization).toContain('Credential=VISITOR/');
      expect(headers['x-amz-security-token']).toBe('session');
    }
  });

  it('keeps the partial text of an answer that breaks', async () => {
    const broken = gate();
    const chat = scripted([{ chunk: 'Half of the ans' }, { waitFor: broken.opened }, 'reset']);
    const { page } = await open({ chat });
    await ask(page, 'Hello?');
    await seesText(page, 'Half of the ans');
    broken.open();
    await seesStatus(page, 'The connection broke before the end. What arrived is kept.');
    expect(await textOf(page)).toBe('Half of the ans');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
  });

  it('stays responsive under 10,000 chunks a second, written to the signal once a frame', async () => {
    const last = gate();
    const token = (index: number): string => `token ${index}${index % 20 === 19 ? '\n' : ' '}`;
    async function* chat(): AsyncGenerator<string> {
      for (let index = 0; index < 10_000; index++) {
        yield token(index);
        if (index % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await last.opened;
      yield 'the end';
    }
    const { page } = await open({ chat });
    await page.evaluate(() => {
      const lines = (): string => document.querySelector('.answer')?.textContent ?? '';
      const seen = { startedAt: performance.now(), typedAt: [] as string[] };
      document.querySelector('textarea')?.addEventListener('input', () => seen.typedAt.push(lines().slice(-12)));
      Object.assign(globalThis, { seen });
    });
    await ask(page, 'Much?');
    await seesStatus(page, /Streaming · \d/);
    await page.keyboard.type('still typing', { delay: 20 });
    await seesStatus(page, 'Streaming · 10,000 chunks');
    expect(await page.getByLabel('Your question').inputValue()).toBe('still typing');
    last.open();
    await seesStatus(page, 'Complete · 10,001 chunks');

    expect(await textOf(page)).toBe(Array.from({ length: 10_000 }, (_, index) => token(index)).join('') + 'the end');
    const { elapsedMs, typedAt } = await page.evaluate(() => {
      const { seen } = globalThis as unknown as { seen: { startedAt: number; typedAt: string[] } };
      return { elapsedMs: performance.now() - seen.startedAt, typedAt: seen.typedAt };
    });
    // What was typed was handled while tokens came, between others; the first entry is the question.
    expect(new Set(typedAt.slice(1)).size).toBeGreaterThan(1);
    const status = await page.locator('.status').textContent();
    const updates = Number(/in ([\d,]+) updates/.exec(status ?? '')?.[1]?.replace(',', ''));
    console.log(`${build}: 10,001 chunks in ${updates} signal writes, ${elapsedMs.toFixed(0)} ms with the typing`);
    // One in 16 ms; the first, the last, and the one that the status itself is.
    expect(updates).toBeLessThanOrEqual(elapsedMs / 16 + 3);
    expect(updates).toBeGreaterThan(10);
  });

  it('stays at the end while the reader is there, and does not move while he reads above', async () => {
    const pieces = [gate(), gate(), gate()];
    const long = Array.from({ length: 60 }, (_, line) => `Line ${line}\n`).join('');
    async function* chat(): AsyncGenerator<string> {
      yield long;
      for (const piece of pieces) {
        await piece.opened;
        yield `${long}more`;
      }
    }
    const { page } = await open({ chat });
    const thread = page.getByLabel('Conversation');
    const fromEnd = (): Promise<number> =>
      thread.evaluate((element) => Math.abs(element.scrollHeight - element.clientHeight - element.scrollTop));
    await ask(page, 'Long?');
    await seesStatus(page, 'Streaming · 1 chunk in');
    expect(await fromEnd()).toBeLessThan(2);
    pieces[0]?.open();
    await seesStatus(page, 'Streaming · 2 chunks');
    expect(await fromEnd()).toBeLessThan(2);

    const scrolled = thread.evaluate((element) => new Promise((done) => element.addEventListener('scroll', done)));
    await thread.evaluate((element) => (element.scrollTop = 300));
    await scrolled;
    const line = page.getByText('Line 20', { exact: true }).first();
    const before = await line.boundingBox();
    pieces[1]?.open();
    await seesStatus(page, 'Streaming · 3 chunks');
    pieces[2]?.open();
    await seesStatus(page, 'Complete');
    expect(await line.boundingBox()).toEqual(before);
    expect(await fromEnd()).toBeGreaterThan(300);
  });

  it('fits a phone, also a small one, with nothing to scroll sideways and the composer in sight', async () => {
    const { page } = await open({ chat: writesAndStalls(`${'Long '.repeat(500)}${'x'.repeat(500)}`) });
    await ask(page, `${'Long '.repeat(20)}${'x'.repeat(100)}?`);
    await seesStatus(page, 'Streaming');
    for (const width of [375, 320]) {
      await page.setViewportSize({ width, height: 560 });
      const { scrollWidth, scrollHeight } = await page.evaluate(() => ({
        scrollWidth: document.documentElement.scrollWidth,
        scrollHeight: document.documentElement.scrollHeight,
      }));
      expect([scrollWidth, scrollHeight]).toEqual([width, 560]);
      expect(await page.getByLabel('Conversation').evaluate((e) => e.scrollWidth - e.clientWidth)).toBe(0);
      const send = await page.getByRole('button', { name: 'Stop', exact: true }).boundingBox();
      expect((send?.y ?? 560) + (send?.height ?? 0)).toBeLessThan(560);
      // The header keeps to its place: the conversation takes what is left, and scrolls.
      expect((await page.getByLabel('Conversation').boundingBox())?.y).toBeLessThan(110);
    }
  });

  it('works by keyboard alone, and never loses the focus', async () => {
    const { page, local } = await open({ chat: writesAndStalls('Half') });
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id ?? '');
    await page.getByLabel('Your question').focus();
    await page.keyboard.type('One');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two?');
    await page.keyboard.press('Enter');
    await seesText(page, 'Half');
    expect(await page.locator('.question').textContent()).toContain('One\ntwo?');
    await page.keyboard.press('Escape');
    expect(await local.requests[0]?.closedEarly).toBe(true);
    expect(await focused()).toBe('prompt');
    await page.keyboard.type('Again?');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await local.request(1);
    await seesText(page, 'Half');
    // The same button, which says Stop now.
    await page.keyboard.press('Enter');
    expect(await local.requests[1]?.closedEarly).toBe(true);
    await page.getByRole('button', { name: 'Send', exact: true }).and(page.locator(':focus')).waitFor();
  });

  it('announces whole sentences in a polite live region', async () => {
    const more = gate();
    async function* chat(): AsyncGenerator<string> {
      yield 'One is whole. Two is n';
      await more.opened;
      yield 'ot.';
    }
    const { page } = await open({ chat });
    const log = page.getByRole('log');
    expect(await log.getAttribute('aria-live')).toBe('polite');
    await ask(page, 'Hello?');
    await log.getByText('One is whole.').waitFor();
    expect(await log.locator('p').allTextContents()).toEqual(['One is whole.']);
    more.open();
    await log.getByText('Answer complete.').waitFor();
    expect(await log.locator('p').allTextContents()).toEqual(['One is whole.', 'Two is not.', 'Answer complete.']);
  });

  it('fills a table while the function writes records, and stops', async () => {
    const more = gate();
    async function* orders(): AsyncGenerator<string> {
      yield row(1) + row(2).slice(0, 10);
      await more.opened;
      yield row(2).slice(10);
      await new Promise(() => undefined);
    }
    const { page, local } = await open({ orders }, '/orders');
    await page.getByText('1.00 €').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(1);
    more.open();
    await page.getByText('2.00 €').waitFor();
    await stop(page);
    expect(await local.requests[0]?.closedEarly).toBe(true);
    await page.getByText('Stopped after 2 orders.').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(2);
  });

  it('closes the connection for another country, and shows an empty answer as an empty table', async () => {
    const orders = scripted((_request, attempt) => (attempt === 1 ? [{ chunk: row(1) }, 'stall'] : [{ complete: {} }]));
    const { page, local } = await open({ orders }, '/orders');
    await page.getByText('1.00 €').waitFor();
    await page.getByLabel('Country').selectOption('Italy');
    expect(await local.requests[0]?.closedEarly).toBe(true);
    await page.getByText('Complete: 0 orders.').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(0);
  });
});
