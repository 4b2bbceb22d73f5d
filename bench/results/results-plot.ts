import { eventsPerSecond, type Row } from './row.js';
import { showFigure } from './show-figure.js';
import type { Surroundings } from './machine.js';

const width = 880;
const height = 460;
const plot = { left: 84, right: 860, top: 108, bottom: 372 };
const barWidth = 38;

/** The colours come from the style, which knows the dark mode. */
interface Series {
  readonly label: string;
  readonly className: string;
  readonly figures: readonly number[];
}

/**
 * Events per second by event size, as bars on a logarithmic scale, from the very rows of the table.
 *
 * @param sizes - What the rows are named and what the plot calls them, from the smallest events to the largest.
 * @param others - The contenders beside this package, and what the legend calls them.
 */
export function toPlot(
  rows: readonly Row[],
  sizes: readonly (readonly [measured: string, label: string])[],
  others: readonly (readonly [name: string, label: string])[],
  { versions, machine, date }: Surroundings,
): string {
  const rowOf = (size: string, other: string): Row => {
    const row = rows.find(
      ({ measured, unit, against }) => measured === size && unit === eventsPerSecond && against?.name === other,
    );
    if (row === undefined) throw new Error(`No row of ${size} against ${other}`);
    return row;
  };
  const series: Series[] = [
    ...others.map(([name, label], i) => ({
      label,
      className: `other${i}`,
      figures: sizes.map(([size]) => rowOf(size, name).against!.figure),
    })),
    { label: 'rx-lambda-stream', className: 'ours', figures: sizes.map(([size]) => rowOf(size, others[0]![0]).ours) },
  ];
  const all = series.flatMap(({ figures }) => figures);
  const lowest = Math.floor(Math.log10(Math.min(...all)));
  const highest = Math.ceil(Math.log10(Math.max(...all)));
  const y = (figure: number): number =>
    plot.bottom - ((Math.log10(figure) - lowest) / (highest - lowest)) * (plot.bottom - plot.top);
  const groupWidth = (plot.right - plot.left) / sizes.length;

  const ticks = Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i)).map(
    (tick) =>
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>` +
      text(plot.left - 8, y(tick) + 4, abbreviate(tick), 'end'),
  );
  const bars = sizes.flatMap(([, size], group) => {
    const centre = plot.left + (group + 0.5) * groupWidth;
    const left = centre - (series.length * barWidth) / 2;
    return [
      ...series.map(({ className, label, figures }, i) => {
        const x = left + i * barWidth;
        const top = y(figures[group]!);
        return (
          `<rect class="${className}" x="${at(x + 2)}" y="${at(top)}" width="${barWidth - 4}" ` +
          `height="${at(plot.bottom - top)}">` +
          `<title>${label}, ${size}: ${showFigure(figures[group]!)} events/s</title></rect>` +
          text(x + barWidth / 2, top - 5, abbreviate(figures[group]!), 'middle', 'value')
        );
      }),
      text(centre, plot.bottom + 20, size, 'middle'),
    ];
  });
  const legend = series.map(({ label, className }, i) => {
    const x = plot.left + i * 250;
    return `<rect class="${className}" x="${x}" y="66" width="14" height="14"/>${text(x + 20, 78, label, 'start')}`;
  });
  const middle = (plot.top + plot.bottom) / 2;
  const sizesLabel = 'payload of an event, in bytes; single: one event an HTTP chunk, batched: many';

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"
  role="img" aria-labelledby="title">
<title id="title">Events per second by event size, on a logarithmic scale</title>
<style>
  svg {
    --page: #ffffff; --text: #1f2328; --muted: #59636e; --grid: #d1d9e0;
    --ours: #0969da; --other0: #8c959f; --other1: #c4a35a;
  }
  @media (prefers-color-scheme: dark) {
    svg {
      --page: #0d1117; --text: #f0f6fc; --muted: #9198a1; --grid: #3d444d;
      --ours: #4493f8; --other0: #767e88; --other1: #a58a4b;
    }
  }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif; fill: var(--text); }
  .heading { font-size: 17px; font-weight: 600; }
  .muted { font-size: 11px; fill: var(--muted); }
  .value { font-size: 11px; stroke: var(--page); stroke-width: 3px; paint-order: stroke; }
  .page { fill: var(--page); stroke: var(--grid); }
  .grid { stroke: var(--grid); }
  .ours { fill: var(--ours); }
  .other0 { fill: var(--other0); }
  .other1 { fill: var(--other1); }
</style>
<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>
${text(24, 34, 'Reading an InvokeWithResponseStream response: events per second', 'start', 'heading')}
${text(24, 53, 'One stream over the loopback, Node; more is better', 'start', 'muted')}
${legend.join('\n')}
${ticks.join('\n')}
${bars.join('\n')}
<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>
<text transform="translate(34 ${middle}) rotate(-90)" text-anchor="middle">events per second (logarithmic scale)</text>
${text((plot.left + plot.right) / 2, plot.bottom + 42, sizesLabel, 'middle')}
${text(24, height - 28, `${date}, ${machine}`, 'start', 'muted')}
${text(24, height - 13, versions, 'start', 'muted')}
</svg>
`;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', className?: string): string {
  const kind = className === undefined ? '' : ` class="${className}"`;
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text${kind} x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped}</text>`;
}

const at = (coordinate: number): string => String(Number(coordinate.toFixed(1)));

/** 452K and 2.4M: what fits above a bar and beside an axis. */
function abbreviate(figure: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(figure);
}
