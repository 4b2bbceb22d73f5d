import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { writeOptions } from '../../docs/write-options.js';

it('docs/options.md is what `npm run docs:options` writes now', { timeout: 120_000 }, async () => {
  const page = await writeOptions();
  expect(readFileSync('docs/options.md', 'utf8')).toBe(page);
  expect(page.match(/^### /gm)?.length).toBeGreaterThan(15);
  // Every option says what it does.
  expect(page).not.toMatch(/\|\s*\|$/m);
});
