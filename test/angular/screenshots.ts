/**
 * `npx tsx test/angular/screenshots.ts`, after `npm run test:angular`: the pictures of the README, from the demo's
 * own functions. With a folder as its argument, every state at both widths, into that.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';
import { createFunctions } from '../../examples/angular/demo/functions.js';
import { launchChromium, startApp } from './start-app.js';

const shown = ['stream', 'retry', 'table', 'failed-phone'];
const [lookAt] = process.argv.slice(2);
const directory = lookAt ?? fileURLToPath(new URL('../../examples/angular/screenshots/', import.meta.url));
const desktop = { width: 820, height: 520 };
const phone = { width: 375, height: 667 };

await mkdir(directory, { recursive: true });
const app = await startApp('zoneless', createFunctions({ retryAfterSeconds: 4 }));
const browser = await launchChromium();
try {
  for (const [suffix, viewport] of [
    ['', desktop],
    ['-phone', phone],
  ] as const) {
    const context = await browser.newContext({
      viewport,
      colorScheme: suffix === '' ? 'light' : 'dark',
      hasTouch: suffix !== '',
      isMobile: suffix !== '',
    });
    const page = await context.newPage();
    const save = async (state: string): Promise<void> => {
      const name = `${state}${suffix}`;
      if (lookAt === undefined && !shown.includes(name)) return;
      await page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
    };

    await page.goto(app.origin);
    await page.getByRole('heading').waitFor();
    await save('welcome');
    await page.getByRole('button', { name: 'What is a response stream?' }).click();
    await page.locator('.answer pre').filter({ hasText: 'retry' }).waitFor();
    await save('stream');

    await page.getByLabel('Your question').fill('What if the service is busy?');
    await submit(page);
    await status(page, /Retrying in 3 s, attempt 2 of 4/);
    await save('retry');

    await page.getByLabel('Your question').fill('What if the connection breaks?');
    await submit(page);
    await status(page, 'The connection broke');
    await save('failed');

    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByRole('cell', { name: '7', exact: true }).waitFor();
    await save('table');
    await context.close();
  }
} finally {
  await browser.close();
  await app.close();
}

/** On a phone Enter breaks the line, and the button stops the answer that still comes. */
async function submit(page: Page): Promise<void> {
  await page.locator('form').evaluate((form: HTMLFormElement) => form.requestSubmit());
}

async function status(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('.state').last().filter({ hasText: text }).waitFor();
}
