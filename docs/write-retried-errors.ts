/** `npm run docs:errors`: writes the table of docs/retried-errors.md from the exception table. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exceptionTable } from '../src/retry/exception-table.js';

const path = fileURLToPath(new URL('retried-errors.md', import.meta.url));
const begin = '<!-- exceptions: written by npm run docs:errors -->';
const end = '<!-- /exceptions -->';

/** The page with its table as the exception table has it. */
export function withExceptions(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error('docs/retried-errors.md has no place for the table');
  return `${page.slice(0, from)}${begin}\n\n${toTable()}\n\n${page.slice(to)}`;
}

/** In the layout that Prettier gives a table. */
function toTable(): string {
  const rows = [
    ['exception', 'tried again', 'may have run'],
    ...Object.entries(exceptionTable).map(([name, { verdict, mayHaveRun }]) => [
      `\`${name}\``,
      verdict,
      mayHaveRun ? '**yes**' : 'no',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((c, i) => c.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, withExceptions(readFileSync(path, 'utf8')));
