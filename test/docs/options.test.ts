import { expect, it } from 'vitest';
import { readInterfaces } from '../../docs/options/option-interfaces.js';
import { limitOf } from '../../docs/options/option-limits.js';
import { writeOptions } from '../../docs/write-options.js';
import { read, root } from './markdown-page.js';

const page = read('docs/options.md');

it('docs/options.md is what `npm run docs:options` writes now', async () => {
  expect(await writeOptions()).toBe(page);
});

it('has a meaning for every option', () => {
  const cells = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  expect(cells.length).toBeGreaterThan(60);
  expect(cells.filter(([, , type, fallback, , meaning]) => !type || !fallback || !meaning)).toEqual([]);
});

it('takes a limit from the function that holds it', async () => {
  expect(await limitOf('SplitLinesOptions', 'maxLineBytes')).toBe('a whole number from 1 on, or Infinity');
});

it('gives an option that is declared anew the words of the one that it overrides', () => {
  const fields = readInterfaces(root).get('ParseSseJsonOptions')?.fields;
  const [schema] = fields?.filter(({ name }) => name === 'schema') ?? [];
  expect(schema).toMatchObject({ isRequired: true, meaning: expect.stringContaining('Standard Schema') as string });
});
