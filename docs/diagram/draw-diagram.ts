import type { MarbleDiagram } from './marble-diagram.js';
import { drawLegend, layOutLegend } from './draw-legend.js';
import { drawRow, rowHeight, type Scale } from './draw-row.js';
import { colours, style } from './look.js';
import { parseLegend } from './legend.js';
import { parseMarbles } from './marble-row.js';
import { element, text } from './svg.js';

const width = 760;
const margin = 24;
const boxHeight = 36;
const gap = 14;

/**
 * Draws a diagram as an SVG: what is played above the operator, what comes of it beneath, then what the letters mean.
 *
 * Columns are those of the text. The picture brings its own ground, so that it can be read on a page of any colour.
 */
export function drawDiagram({ sentence, lines, test }: MarbleDiagram): string {
  const rows = lines.map(({ label, indent, marbles }) => ({
    label,
    ...parseMarbles(marbles, indent),
    role: test.lines.find((line) => line.label === label)?.role ?? 'output',
  }));
  const legends = lines.map(({ label, legend }) => ({ label, ...parseLegend(legend) }));
  const palette = colours(
    rows.flatMap(({ marks }) => marks.filter(({ kind }) => kind === 'value').map(({ key }) => key)),
    legends.flatMap(({ entries }) => entries),
  );

  const left = margin + Math.max(...rows.map(({ label }) => label.length)) * 7 + 22;
  const columns = Math.max(...rows.map(({ length }) => length));
  const columnWidth = Math.min(40, (width - margin - 24 - left) / columns);
  const scale: Scale = {
    edge: (column) => left + column * columnWidth,
    labelX: margin,
    end: width - margin,
    radius: Math.min(14, columnWidth / 2 - 1),
  };

  let y = margin;
  const drawn: string[] = [];
  const inputs = rows.filter(({ role }) => role === 'input');
  for (const row of inputs) {
    drawn.push(drawRow(row, y, scale, palette));
    y += rowHeight(row, scale);
  }
  y += gap - 6;
  const boxX = left - 8;
  drawn.push(
    element('rect', { class: 'box', x: boxX, y, width: width - margin - boxX, height: boxHeight, rx: 8 }),
    element('text', { class: 'call', x: (boxX + width - margin) / 2, y: y + boxHeight / 2 + 5 }, text(test.call)),
  );
  y += boxHeight + gap;
  for (const row of rows.filter(({ role }) => role !== 'input')) {
    drawn.push(drawRow(row, y, scale, palette));
    y += rowHeight(row, scale);
  }
  const legend = layOutLegend(legends, { left, right: width - margin });
  if (legend.height > 0) {
    y += 8;
    drawn.push(element('path', { class: 'rule', d: `M${margin} ${Math.round(y)}H${width - margin}` }));
    y += 14;
    drawn.push(drawLegend(legend, y, margin, palette));
    y += legend.height;
  }
  const height = Math.ceil(y + margin - 8);

  const title = element('title', {}, text(sentence));
  const description = element('desc', {}, text(lines.map(describeLine).join('\n')));
  const ground = element('rect', { class: 'ground', x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10 });
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', role: 'img', width, height, viewBox: `0 0 ${width} ${height}` },
    ...[title, description, element('style', {}, style), ground, ...drawn].map((part) => `\n${part}`),
    '\n',
  )}\n`;
}

function describeLine({ label, indent, marbles, legend }: MarbleDiagram['lines'][number]): string {
  return `${label}: ${' '.repeat(indent)}${marbles}${legend && `  ${legend}`}`;
}
