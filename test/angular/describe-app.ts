import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { createFunctions } from '../../examples/angular/demo/functions.js';
import { scripted, type LocalFunction, type LocalLambda } from 'rx-lambda-stream/local';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { gate } from '../support/live.js';
import { launchChromium, startApp, type Build } from './start-app.js';

const row = (id: number): string => `${JSON.stringify({ id, customer: 'Grove', city: 'Lyon', total: id })}\n`;

/** Writes one text, and then nothing until the client goes. */
const writesAndStalls = (text: string): LocalFunction => scripted([{ chunk: text }, 'stall']);

const phone: BrowserContextOptions = { viewport: { width: 375, height: 600 }, hasTouch: true, isMobile: true };

/** The end-to-end tests of one build. A file for each runs them, because files run at the same time. */
export function describeApp(build: Build): void {
  describe(`the Angular application, ${build}`, () => {
    let browser: Browser;
    beforeAll(async () => (browser = await launchChromium()));
    afterAll(() => browser.close());

    /** Opens the application in a page of its own; its uncaught errors fail the test. */
    async function open(
      functions: Record<string, LocalFunction>,
      path = '/',
      { configOf, ...device }: BrowserContextOptions & { configOf?: (local: LocalLambda) => object } = {},
    ): Promise<{ page: Page; local: LocalLambda }> {
      const app = await startApp(build, functions, configOf);
      const context = await browser.newContext({
        viewport: { width: 900, height: 500 },
        permissions: ['clipboard-read', 'clipboard-write'],
        ...device,
      });
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
      page.locator('.state').last().filter({ hasText: text }).waitFor();

    /** Reads the details, which are there though they are closed. */
    const seesCounts = (page: Page, text: string | RegExp): Promise<void> =>
      page.locator('.counts').last().filter({ hasText: text }).waitFor({ state: 'attached' });

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
      await seesCounts(page, /bytes? in 1 chunk,/);
      first.open();
      await seesText(page, 'One two\n\nthr');
      await seesCounts(page, 'in 2 chunks');
      second.open();
      await seesText(page, 'One two\n\nthree €');
      await seesStatus(page, 'Complete');
      await seesCounts(page, '18 bytes in 3 chunks');
      expect(local.requests).toHaveLength(1);
      expect(JSON.parse(new TextDecoder().decode(local.requests[0]?.payload))).toMatchObject({ prompt: 'How much?' });
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
      // The conversation outlived its page.
      await seesStatus(page, 'Stopped');
      expect(await textOf(page)).toBe('Half');
      expect(local.requests).toHaveLength(2);
    });

    it('shows when it tries again, and then the answer', async () => {
      const chat = scripted((_request, attempt) =>
        attempt === 1
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '2' } } }]
          : [{ chunk: 'At last' }, { complete: {} }],
      );
      const { page, local } = await open({ chat });
      await ask(page, 'Hello?');
      await seesStatus(page, 'Too many requests right now. Retrying in 2 s, attempt 2 of 4');
      await seesStatus(page, 'Retrying in 1 s');
      await seesText(page, 'At last');
      await seesStatus(page, 'Complete');
      expect(local.requests).toHaveLength(2);
    });

    // The relay's page holds no credentials, so that only the builds with the SDK have this test.
    const ofTheSdk = build !== 'relay';
    if (ofTheSdk)
      it('signs with the credentials of a Cognito identity pool where the configuration names one', async () => {
        const identityPoolId = 'us-east-1:00000000-0000-4000-8000-000000000001';
        const chat = scripted([{ chunk: 'Welcome' }, { complete: {} }]);
        const { page, local } = await open({ chat }, '/', {
          configOf: ({ endpoint }) => ({ region: 'us-east-1', endpoint, identityPoolId }),
        });
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
      await seesStatus(page, 'Answering…');
      await page.keyboard.type('still typing', { delay: 20 });
      const text = Array.from({ length: 10_000 }, (_, index) => token(index)).join('');
      await seesCounts(page, `${text.length.toLocaleString('en')} bytes`);
      expect(await page.getByLabel('Your question').inputValue()).toBe('still typing');
      last.open();
      await seesStatus(page, 'Complete');

      expect(await textOf(page)).toBe(`${text}the end`);
      const { elapsedMs, typedAt } = await page.evaluate(() => {
        const { seen } = globalThis as unknown as { seen: { startedAt: number; typedAt: string[] } };
        return { elapsedMs: performance.now() - seen.startedAt, typedAt: seen.typedAt };
      });
      // What was typed was handled while tokens came, between others; the first entry is the question.
      expect(new Set(typedAt.slice(1)).size).toBeGreaterThan(1);
      const counts = await page.locator('.counts').textContent();
      const updates = Number(/in ([\d,]+) updates/.exec(counts ?? '')?.[1]?.replace(',', ''));
      console.log(`${build}: 10,001 chunks in ${updates} signal writes, ${elapsedMs.toFixed(0)} ms with the typing`);
      // One in 16 ms; the first, the last, and the one that the status itself is.
      expect(updates).toBeLessThanOrEqual(elapsedMs / 16 + 3);
      // Connecting, the first text and the end are three: the text grew in between.
      expect(updates).toBeGreaterThan(3);
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
      await seesCounts(page, /bytes? in 1 chunk,/);
      expect(await fromEnd()).toBeLessThan(2);
      pieces[0]?.open();
      await seesCounts(page, 'in 2 chunks');
      expect(await fromEnd()).toBeLessThan(2);

      const scrolled = thread.evaluate((element) => new Promise((done) => element.addEventListener('scroll', done)));
      await thread.evaluate((element) => (element.scrollTop = 300));
      await scrolled;
      const line = page.getByText('Line 20', { exact: true }).first();
      const before = await line.boundingBox();
      pieces[1]?.open();
      await seesCounts(page, 'in 3 chunks');
      pieces[2]?.open();
      await seesStatus(page, 'Complete');
      expect(await line.boundingBox()).toEqual(before);
      expect(await fromEnd()).toBeGreaterThan(300);

      await page.getByRole('button', { name: 'Jump to latest' }).click();
      expect(await fromEnd()).toBeLessThan(2);
      await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'detached' });
    });

    it('fits a phone, also a small one, with nothing to scroll sideways and the composer in sight', async () => {
      const { page } = await open({ chat: writesAndStalls(`${'Long '.repeat(500)}${'x'.repeat(500)}`) });
      await ask(page, `${'Long '.repeat(20)}${'x'.repeat(100)}?`);
      await seesStatus(page, 'Answering…');
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

    it('keeps the end of the conversation in sight while the composer grows, on a phone', async () => {
      const half = 'Half of the answer. '.repeat(60);
      const { page } = await open({ chat: scripted([{ chunk: half }, 'reset']) }, '/', phone);
      await page.getByLabel('Your question').fill('Hello?');
      await page.getByRole('button', { name: 'Send' }).click();
      const again = page.getByRole('button', { name: 'Try again' });
      await again.waitFor();
      const composer = page.locator('form');
      const before = (await composer.boundingBox())?.height ?? 0;
      await page.getByLabel('Your question').fill('One\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine');
      await page.waitForFunction(
        (height) => (document.querySelector('form')?.clientHeight ?? 0) > height + 50,
        Math.round(before),
      );
      const [button, form] = [await again.boundingBox(), await composer.boundingBox()];
      expect((button?.y ?? Infinity) + (button?.height ?? 0)).toBeLessThanOrEqual(form?.y ?? 0);
      // Not covered by anything: the click arrives.
      await again.click({ trial: true });
      // The conversation keeps more than the composer takes.
      expect((await page.getByLabel('Conversation').boundingBox())?.height).toBeGreaterThan(form?.height ?? Infinity);
    });

    it('breaks the line with Enter on a phone, and leaves the keyboard closed', async () => {
      const { page, local } = await open({ chat: writesAndStalls('Half') }, '/', phone);
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
      await page.getByLabel('Your question').tap();
      await page.keyboard.type('One');
      await page.keyboard.press('Enter');
      await page.keyboard.type('two?');
      expect(local.requests).toHaveLength(0);
      await page.getByRole('button', { name: 'Send' }).tap();
      await seesText(page, 'Half');
      expect(await page.locator('.question').textContent()).toContain('One\ntwo?');
    });

    it('has the focus in the prompt on a desktop, from the start', async () => {
      const { page } = await open({});
      await page.locator('#prompt:focus').waitFor();
    });

    it('shows the retries of every busy question, whatever was asked before', async () => {
      const { page, local } = await open(createFunctions({ retryAfterSeconds: 1 }));
      await ask(page, 'What if it is busy?');
      await seesStatus(page, 'attempt 2 of 4');
      await stop(page);
      for (let time = 0; time < 2; time++) {
        await ask(page, 'What if it is busy now?');
        await seesStatus(page, 'attempt 2 of 4');
        await seesStatus(page, 'attempt 3 of 4');
        await seesStatus(page, 'Complete');
      }
      expect(local.requests).toHaveLength(7);
    });

    it('shows Markdown while it comes, copies it as it was written, and regenerates it', async () => {
      const chat = scripted((_request, attempt) => [
        { chunk: `# Answer ${attempt}\n- **one**\n- \`two()\`\n\n<img src=x onerror=alert(1)>` },
        { complete: {} },
      ]);
      const { page, local } = await open({ chat });
      await ask(page, 'Hello?');
      await page.getByRole('heading', { name: 'Answer 1', level: 3 }).waitFor();
      expect(await page.locator('.answer li strong').textContent()).toBe('one');
      expect(await page.locator('.answer li code').textContent()).toBe('two()');
      expect(await page.locator('.answer img').count()).toBe(0);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.locator('.copied').filter({ hasText: 'Copied' }).waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('- **one**\n- `two()`');
      await page.getByRole('button', { name: 'Regenerate' }).click();
      await page.getByRole('heading', { name: 'Answer 2' }).waitFor();
      expect([await page.locator('app-turn').count(), local.requests.length]).toEqual([1, 2]);
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
      const orders = scripted((_request, attempt) =>
        attempt === 1 ? [{ chunk: row(1) }, 'stall'] : [{ complete: {} }],
      );
      const { page, local } = await open({ orders }, '/orders');
      await page.getByText('1.00 €').waitFor();
      await page.getByLabel('Country').selectOption('Italy');
      expect(await local.requests[0]?.closedEarly).toBe(true);
      await page.getByText('Complete: 0 orders.').waitFor();
      expect(await page.locator('tbody tr').count()).toBe(0);
    });
  });
}
