import { toTable } from './results-table.js';
import { describeRun } from './results-page.js';
import type { Surroundings } from './machine.js';
import type { Row } from './row.js';

const begin = '<!-- benchmark: written by npm run bench -->';
const end = '<!-- /benchmark -->';

/** What docs/benchmark.md shows: the plot, and the rows that are marked for it, as they are on the page of results. */
export function toPageBlock(rows: readonly Row[], surroundings: Surroundings): string {
  return `${begin}

![Events per second by event size, on a logarithmic scale](../bench/results.svg)

${toTable(rows.filter(({ inReadme }) => inReadme))}
${describeRun(surroundings)}

${end}`;
}

/** The page with its block replaced; undefined where it has none. */
export function replacePageBlock(page: string, block: string): string | undefined {
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  return from < 0 || to < 0 ? undefined : page.slice(0, from) + block + page.slice(to + end.length);
}
