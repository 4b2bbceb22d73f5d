import type { Palette } from './look.js';
import type { Mark, MarbleRow } from './marble-row.js';
import { element, text } from './svg.js';

/** Where things are across the picture. */
export interface Scale {
  /** Where a column begins. */
  readonly edge: (column: number) => number;
  /** Where time axes end. */
  readonly end: number;
  readonly labelX: number;
  /** A marble's radius. */
  readonly radius: number;
}

/** A row of the picture. */
export interface DrawnRow extends MarbleRow {
  readonly label: string;
  readonly role: 'input' | 'output' | 'subscription';
}

/** From one marble to the next in the same frame. */
const stackStep = (radius: number): number => 2 * radius + 3;

const middle = ({ edge }: Scale, column: number): number => edge(column + 0.5);

/** How much height a row takes. */
export function rowHeight({ marks, role }: DrawnRow, { radius }: Scale): number {
  const deepest = Math.max(0, ...marks.filter(({ kind }) => kind === 'value').map(({ depth }) => depth));
  return role === 'subscription' ? 32 : 2 * radius + 20 + deepest * stackStep(radius);
}

/** Draws a row whose top is at `top`: its axis, then what happens on it; marks of one frame stand below each other. */
export function drawRow(row: DrawnRow, top: number, scale: Scale, palette: Palette): string {
  const y = top + scale.radius + 8;
  const values = row.marks.filter(({ kind }) => kind === 'value');
  const terminals = row.marks.filter(({ kind }) => kind === 'complete' || kind === 'error');
  return [
    element('text', { class: 'label', x: scale.labelX, y: y + 4.5 }, text(row.label)),
    ...(row.role === 'subscription' ? drawLifetime(row, y, scale) : drawAxis(row, y, scale)),
    ...terminals.map((mark) => drawTerminal(mark, values, y, scale)),
    ...values.map((mark) => drawValue(mark, y, scale, palette)),
  ].join('\n');
}

/** The axis: dotted where it stands for more time than it has room for, faint from the end of the stream on. */
function drawAxis({ begin, jumps, end }: DrawnRow, y: number, scale: Scale): string[] {
  const line = (from: number, to: number, look = ''): string =>
    from < to ? element('path', { class: `axis${look}`, d: path(['M', from, y], ['H', to]) }) : '';
  const parts: string[] = [];
  let from = scale.edge(begin);
  for (const jump of jumps) {
    const [start, stop] = [scale.edge(jump.from), scale.edge(jump.to)];
    parts.push(
      line(from, start),
      line(start, stop, ' jumping'),
      element('text', { class: 'jump', x: (start + stop) / 2, y: y - 7 }, text(jump.text.replace(/(?=[a-z])/, ' '))),
    );
    from = stop;
  }
  const over = end === undefined ? '' : ' over';
  const stop = end === undefined ? scale.end : middle(scale, end);
  parts.push(line(from, stop), line(stop, scale.end, ' over'));
  const head = path(['M', scale.end - 7, y - 4.5], ['L', scale.end, y], ['L', scale.end - 7, y + 4.5]);
  return [...parts, element('path', { class: `head-of-axis${over}`, d: head })].filter(Boolean);
}

/** A subscription, from its beginning to its end. */
function drawLifetime({ marks, end }: DrawnRow, y: number, scale: Scale): string[] {
  const from = middle(scale, marks.find(({ kind }) => kind === 'subscribe')?.column ?? 0);
  const to = end === undefined ? scale.end : middle(scale, end);
  const tick = (x: number): string => path(['M', x, y - 7], ['V', y + 7]);
  const d = `${tick(from)}${path(['M', from, y], ['H', to])}${end === undefined ? '' : tick(to)}`;
  return [element('path', { class: 'lifetime', d })];
}

/** The end of a stream: a bar across all that comes with it, or a cross below. */
function drawTerminal({ kind, column }: Mark, values: readonly Mark[], y: number, scale: Scale): string {
  const { radius } = scale;
  const together = values.filter((value) => value.column === column).length;
  const x = middle(scale, column);
  if (kind === 'complete') {
    const bottom = y + Math.max(0, together - 1) * stackStep(radius) + radius + 6;
    return element('path', { class: 'terminal', d: path(['M', x, y - radius - 6], ['V', bottom]) });
  }
  const cy = y + together * stackStep(radius);
  const strokes = [path(['M', x - 7, cy - 7], ['L', x + 7, cy + 7]), path(['M', x - 7, cy + 7], ['L', x + 7, cy - 7])];
  return element('path', { class: 'error', d: strokes.join('') });
}

function drawValue({ column, depth, key }: Mark, y: number, scale: Scale, palette: Palette): string {
  const x = middle(scale, column);
  const cy = y + depth * stackStep(scale.radius);
  // Hangs on the marble above it.
  const stem = depth === 0 ? '' : element('path', { class: 'axis', d: path(['M', x, cy - scale.radius], ['v', -3]) });
  return stem + drawMarble(key, x, cy, scale.radius, palette);
}

/** A marble with its letter. */
export function drawMarble(key: string, cx: number, cy: number, radius: number, palette: Palette): string {
  return [
    element('circle', { class: `marble ${palette(key)}`, cx, cy, r: radius }),
    element('text', { class: 'key', x: cx, y: cy + 4.5 }, text(key)),
  ].join('');
}

function path(...steps: readonly (readonly [command: string, ...numbers: number[]])[]): string {
  return steps
    .map(([command, ...numbers]) => `${command}${numbers.map((n) => Math.round(n * 10) / 10).join(' ')}`)
    .join('');
}
