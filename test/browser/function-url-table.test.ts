/** The example in examples/function-url-table: its function behind a function URL, its page in Chromium. */
import { expect, inject, it, onTestFinished } from 'vitest';
import { fetchFailed } from '../support/browser-platform.js';
import { showTable } from '../../examples/function-url-table/table.js';
import { controlFunction } from '../support/browser-lambda.js';

/** The page, with the function's URL and this query. */
function open(query: string) {
  const root = document.createElement('main');
  document.body.append(root);
  const subscription = showTable(root, `${inject('functionUrls')['orders'] ?? ''}?${query}`);
  onTestFinished(() => {
    subscription.unsubscribe();
    root.remove();
  });
  const seen: string[] = [];
  /** Resolves when the output reads like this; all that it read until then is in `seen`. */
  function says(pattern: RegExp): Promise<void> {
    const output = root.querySelector('output')!;
    return new Promise((resolve) => {
      const look = (): void => {
        const text = output.textContent;
        if (seen.at(-1) !== text) seen.push(text);
        if (!pattern.test(text)) return;
        observer.disconnect();
        resolve();
      };
      const observer = new MutationObserver(look);
      observer.observe(root, { childList: true, subtree: true, characterData: true });
      look();
    });
  }
  return {
    seen,
    says,
    click: (name: string) => root.querySelector<HTMLButtonElement>(`[name=${name}]`)?.click(),
    rows: () => Array.from(root.querySelectorAll('tbody tr'), (row) => row.firstElementChild?.textContent),
  };
}

it('streams the rows into the table', async () => {
  const page = open('count=5');
  page.click('load');
  await page.says(/orders$/);
  expect(page.rows()).toEqual(['1', '2', '3', '4', '5']);
  expect(page.seen).toEqual(['loading', '5 orders']);
});

it('cancels: the server sees the connection close', async () => {
  const { requests, closedEarly } = controlFunction('orders');
  const index = (await requests(0)).length;
  const page = open('count=300');
  page.click('load');
  await expect.poll(() => page.rows().length).toBeGreaterThan(2);
  page.click('cancel');
  expect(await closedEarly(index)).toBe(true);
  const count = page.rows().length;
  await page.says(/^cancelled after/);
  expect(page.seen).toEqual([`cancelled after ${count} orders`]);
});

it('tries a busy function again, after its Retry-After', async () => {
  const page = open(`count=3&trouble=busy&run=${crypto.randomUUID()}`);
  page.click('load');
  await page.says(/orders$/);
  expect(page.seen).toEqual(['loading', 'trying again (2)', '3 orders']);
  expect(page.rows()).toEqual(['1', '2', '3']);
});

it('goes on after the last row where the connection was cut', async () => {
  const page = open(`count=5&trouble=cut&run=${crypto.randomUUID()}`);
  page.click('load');
  await page.says(/orders$/);
  expect(page.seen).toEqual(['loading', 'trying again (2)', '5 orders']);
  expect(page.rows()).toEqual(['1', '2', '3', '4', '5']);
});

it('says what failed', async () => {
  const root = document.createElement('main');
  const subscription = showTable(root, 'http://127.0.0.1:1/');
  onTestFinished(() => subscription.unsubscribe());
  root.querySelector<HTMLButtonElement>('[name=load]')?.click();
  await expect
    .poll(() => root.querySelector('output')?.textContent, { timeout: 10_000 })
    .toContain(`failed: ${fetchFailed}`);
});
