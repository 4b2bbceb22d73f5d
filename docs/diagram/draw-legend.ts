import { drawMarble } from './draw-row.js';
import type { Legend } from './legend.js';
import type { Palette } from './look.js';
import { element, text } from './svg.js';

const lineHeight = 28;
const marbleStep = 24;
const radius = 10;
const gap = 22;

/** What the lines of a diagram say of their letters, by the line's label. */
export type LabelledLegend = Legend & { readonly label: string };

interface Item {
  readonly keys: readonly string[];
  readonly text: string;
  readonly isCode: boolean;
  readonly x: number;
  readonly line: number;
}

/** A legend with its places. */
export interface LegendLayout {
  readonly items: readonly Item[];
  readonly labels: readonly { readonly label: string; readonly line: number }[];
  readonly height: number;
}

/** Finds a place for everything: each diagram line's legend begins on a line of its own, and flows on. */
export function layOutLegend(
  legends: readonly LabelledLegend[],
  { left, right }: { readonly left: number; readonly right: number },
): LegendLayout {
  const items: Item[] = [];
  const labels: { label: string; line: number }[] = [];
  let line = 0;
  for (const { label, entries, notes } of legends) {
    const parts = [...notes.map((note) => ({ keys: [], text: note })), ...entries];
    if (parts.length === 0) continue;
    labels.push({ label, line });
    let x = left;
    for (const { keys, text: content } of parts) {
      const isCode = /^['{]|^\w+: /.test(content);
      const needed = keys.length * marbleStep + content.length * (isCode ? 7.6 : 7.2);
      if (x > left && x + needed > right) {
        x = left;
        line++;
      }
      if (x + needed > right) throw new RangeError(`No line of the picture has room for the legend's "${content}"`);
      items.push({ keys, text: content, isCode, x, line });
      x += needed + gap;
    }
    line++;
  }
  return { items, labels, height: line * lineHeight };
}

/** Draws a legend whose top is at `top`. */
export function drawLegend({ items, labels }: LegendLayout, top: number, labelX: number, palette: Palette): string {
  const middleOf = (line: number): number => top + (line + 0.5) * lineHeight;
  return [
    ...labels.map(({ label, line }) =>
      element('text', { class: 'label', x: labelX, y: middleOf(line) + 4.5 }, text(label)),
    ),
    ...items.map(({ keys, text: content, isCode, x, line }) => {
      const y = middleOf(line);
      const textX = x + keys.length * marbleStep + (keys.length > 0 ? 3 : 0);
      return [
        ...keys.map((key, i) => drawKey(key, x + radius + i * marbleStep, y, palette)),
        element('text', { ...(isCode && { class: 'code' }), x: textX, y: y + 4.5 }, text(content)),
      ].join('');
    }),
  ].join('\n');
}

function drawKey(key: string, x: number, y: number, palette: Palette): string {
  if (key !== '#') return drawMarble(key, x, y, radius, palette);
  return element('path', { class: 'error', d: `M${x - 6} ${y - 6}l12 12m0-12l-12 12` });
}
