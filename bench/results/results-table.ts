import { ratioOf, type Row } from './row.js';
import { showFigure } from './show-figure.js';

const headings = ['measured', 'unit', 'this package', 'against', 'its figure', 'better by', 'target'];

/** The rows as a Markdown table. */
export function toTable(rows: readonly Row[]): string {
  const alignments = ['---', '---', '--:', '---', '--:', '--:', '---'];
  return [headings, alignments, ...rows.map(toCells)].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function toCells(row: Row): string[] {
  const { measured, unit, ours, against } = row;
  const ratio = ratioOf(row);
  return [
    measured,
    unit.name,
    showFigure(ours),
    against?.name ?? '',
    against === undefined ? '' : showFigure(against.figure),
    ratio === undefined ? '' : `${showFigure(ratio)}×`,
    verdictOf(row),
  ];
}

/** Tells whether the target was reached, by the exact ratio and not by the rounded one. */
function verdictOf(row: Row): string {
  const { target } = row;
  if (target === undefined) return '';
  return `≥ ${target}× ${(ratioOf(row) ?? 0) >= target ? 'met' : '**missed**'}`;
}
