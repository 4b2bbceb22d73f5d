import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.js';
import { printed } from '../support/printed.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

async function startDemo(): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo.ts', '--relay'], {
    cwd: root,
    env: { ...process.env, PORT: '0' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill();
    await exited;
  });
  const [url] = await printed(child, /http:\/\/[\w.]+:\d+\/#\w+/);
  return url;
}

const hasLine = (page: Page, line: string): Promise<unknown> =>
  page.waitForFunction((sought) => document.querySelector('pre')?.textContent.includes(sought), line);
const textOf = (page: Page): Promise<string> => page.locator('pre').innerText();

test('examples/relay: text grows on a page and on a second one, and another report has another text', async () => {
  const url = await startDemo();
  const browser = await chromium.launch(chromiumLaunchOptions);
  onTestFinished(() => browser.close());
  const first = await browser.newPage();
  await first.goto(url);
  await hasLine(first, 'today, line 1\n');
  const second = await browser.newPage();
  await second.goto(url);
  await hasLine(second, 'today, line 3\n');
  await hasLine(first, 'today, line 3\n');
  for (const page of [first, second])
    expect(await textOf(page)).toMatch(/^today, line 1\ntoday, line 2\ntoday, line 3\n/);
  await second.evaluate(() => (location.hash = 'yesterday'));
  await hasLine(second, 'yesterday, line 1\n');
  expect(await textOf(second)).toMatch(/^yesterday, line 1\n/);
});
