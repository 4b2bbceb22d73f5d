/** The animated picture of the README in Chromium, at moments of its nine seconds. */
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.js';

const picture = new URL('../../docs/pictures/streams.svg', import.meta.url);

async function open(reducedMotion: 'reduce' | 'no-preference'): Promise<Page> {
  const browser = await chromium.launch(chromiumLaunchOptions);
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ reducedMotion });
  await page.goto(`file://${fileURLToPath(picture)}`);
  return page;
}

/** The texts that can be seen at a moment, each with the number of chunks that are under way. */
const seenAt = (page: Page, ms: number): Promise<{ texts: string[]; chunks: number }> =>
  page.evaluate((time) => {
    for (const animation of document.getAnimations()) {
      animation.pause();
      animation.currentTime = time;
    }
    const isSeen = (node: Element): boolean => Number(getComputedStyle(node).opacity) > 0.9;
    return {
      texts: Array.from(document.querySelectorAll('.moving text'))
        .filter((node) => node.closest('.moving') !== null && isSeen(node.closest('.moving') ?? node))
        .map(({ textContent }) => textContent.trim()),
      chunks: Array.from(document.querySelectorAll('.chunk')).filter(isSeen).length,
    };
  }, ms);

test('text grows, a cut becomes an error, and the server sees a close after the consumer has left', async () => {
  const page = await open('no-preference');
  expect(await seenAt(page, 0)).toEqual({ texts: [], chunks: 0 });
  const early = await seenAt(page, 1_500);
  expect(early.texts).toEqual(['Hello', 'tick 1']);
  expect(early.chunks).toBeGreaterThan(0);
  expect((await seenAt(page, 2_480)).texts).toEqual(['Hello', 'from', 'half of', 'tick 1', 'tick 2']);
  const cut = (await seenAt(page, 4_000)).texts;
  expect(cut).toEqual(expect.arrayContaining(['connection lost', 'error: cut after 15 bytes', 'InvokeComplete']));
  expect(cut).not.toContain('unsubscribed');
  const left = (await seenAt(page, 4_700)).texts;
  expect(left).toContain('unsubscribed');
  expect(left).not.toContain('the server sees the close');
  const end = await seenAt(page, 8_000);
  expect(end.texts).toHaveLength(15);
  expect(end.texts).toContain('the server sees the close');
  expect(end.chunks).toBe(0);
});

test('for readers who want less motion, all of it stands still', async () => {
  const page = await open('reduce');
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  const { texts, chunks } = await seenAt(page, 0);
  expect([texts.length, chunks]).toEqual([15, 0]);
});
