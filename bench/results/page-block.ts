import { toTable } from './results-table.js';
import { describeRun } from './results-page.js';
import type { Surroundings } from './machine.js';
import type { Row } from './row.js';

const begin = '<!-- benchmark: written by npm run bench -->';
const end = '<!-- /benchmark -->';

/** Makes the block of docs/benchmark.md: the plot and the rows that are marked for it. */
export function toPageBlock(rows: readonly Row[], surroundings: Surroundings): string {
  return `${begin}

![Events per second by event size, on a logarithmic scale](../bench/results.svg)

${toTable(rows.filter(({ inReadme }) => inReadme))}
${describeRun(surroundings)}

${end}`;
}

/** Replaces the block of a page. Returns undefined where the page has no block. */
export function replacePageBlock(page: string, block: string): string | undefined {
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  return from < 0 || to < 0 ? undefined : page.slice(0, from) + block + page.slice(to + end.length);
}
