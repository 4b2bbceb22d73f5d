// `npm run docs:pictures`: draws docs/pictures/streams.svg, the animated picture of the README.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { element, picture, text } from './diagram/svg.js';

const seconds = 9;
const width = 760;
const rowHeight = 84;
/** Where the server's line begins and ends, and where the consumer's text begins. */
const line = { from: 196, to: 430 };
const output = 452;
/** The height of the line above the rows, which names both sides. */
const head = 36;

/** Something that appears at a time, in seconds, and stays until the picture begins again. */
interface Appearing {
  readonly at: number;
  readonly svg: string;
}

interface Row {
  readonly title: string;
  readonly code: string;
  /** When chunks leave the server. */
  readonly chunks: readonly number[];
  /** Texts of the consumer, one behind the other, as the chunks arrive. */
  readonly words: readonly string[];
  readonly ending: { readonly at: number; readonly server: string; readonly consumer: string; readonly kind: Kind };
}
type Kind = 'good' | 'bad' | 'left';

const rows: readonly Row[] = [
  {
    title: 'Text grows',
    code: 'decodeText()',
    chunks: [0.4, 1.2, 2, 2.8],
    words: ['Hello ', 'from ', 'Lambda ', '✓'],
    ending: { at: 3.8, server: 'InvokeComplete', consumer: 'complete', kind: 'good' },
  },
  {
    title: 'A cut is an error',
    code: 'TruncatedStreamError',
    chunks: [0.8, 1.8],
    words: ['half of ', 'the ans'],
    ending: { at: 3.4, server: 'connection lost', consumer: 'error: cut after 15 bytes', kind: 'bad' },
  },
  {
    title: 'Leaving closes it',
    code: 'unsubscribe()',
    chunks: [0.6, 1.6, 2.6],
    words: ['tick 1 ', 'tick 2 ', 'tick 3'],
    ending: { at: 4.4, server: 'the server sees the close', consumer: 'unsubscribed', kind: 'left' },
  },
];

/** How long a chunk is under way, in seconds. */
const travel = 0.7;
const percent = (time: number): number => Math.round((time / seconds) * 1_000) / 10;

export const colours = {
  light: {
    ground: '#ffffff',
    rule: '#dde2e8',
    ink: '#1b2430',
    muted: '#5b6675',
    chunk: '#3b82d6',
    good: '#2d7a30',
    bad: '#cf222e',
    left: '#8a5a00',
  },
  dark: {
    ground: '#12171e',
    rule: '#2c3540',
    ink: '#eef2f6',
    muted: '#9aa7b5',
    chunk: '#6cb0ff',
    good: '#6bc46d',
    bad: '#ff7b72',
    left: '#f2c12e',
  },
} as const;

function theme(name: keyof typeof colours): string {
  const { ground, rule, ink, muted, chunk, good, bad, left } = colours[name];
  return [
    `.ground{fill:${ground};stroke:${rule}}.axis{stroke:${muted}}text{fill:${ink}}.muted{fill:${muted}}`,
    `.chunk{fill:${chunk}}.good{fill:${good};stroke:${good}}.bad{fill:${bad};stroke:${bad}}`,
    `.left{fill:${left};stroke:${left}}text.good,text.bad,text.left{stroke:none}`,
  ].join('');
}

/** The picture. It moves by CSS alone and stands still, whole, for readers who asked for less motion. */
export function drawStreams(): string {
  const keyframes: string[] = [];
  let count = 0;
  const appear = ({ at, svg }: Appearing): string => {
    const name = `a${++count}`;
    keyframes.push(
      `@keyframes ${name}{0%,${percent(at)}%{opacity:0}${percent(at + 0.15)}%,97%{opacity:1}100%{opacity:0}}`,
    );
    return element('g', { class: 'moving', style: `animation-name:${name}` }, svg);
  };
  const move = (at: number, y: number): string => {
    const name = `m${++count}`;
    const reach = line.to - line.from;
    keyframes.push(
      `@keyframes ${name}{0%,${percent(at)}%{opacity:0;transform:translateX(0)}${percent(at + 0.05)}%{opacity:1}` +
        `${percent(at + travel)}%{opacity:1;transform:translateX(${reach}px)}` +
        `${percent(at + travel + 0.1)}%,100%{opacity:0;transform:translateX(${reach}px)}}`,
    );
    return element('circle', { class: 'chunk moving', style: `animation-name:${name}`, cx: line.from, cy: y, r: 6 });
  };
  const drawn = rows.flatMap((row, index) => drawRow(row, head + index * rowHeight, appear, move));
  const height = head + rows.length * rowHeight;
  const style = [
    'text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}',
    '.code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}' +
      '.title{font-weight:600}.small{font-size:12px}',
    '.axis{stroke-width:1.5}.mark{stroke-width:2.5}',
    theme('light'),
    `@media (prefers-color-scheme:dark){${theme('dark')}}`,
    `@media (prefers-reduced-motion:no-preference){.moving{animation:${seconds}s linear infinite}}`,
    '@media (prefers-reduced-motion:reduce){.chunk{opacity:0}}',
    ...keyframes,
  ].join('\n');
  return picture({
    width,
    height,
    title: 'Text grows word by word, a cut connection is an error, and the server sees a stream that is left close.',
    style,
    content: [
      element('text', { x: line.from, y: 28, class: 'small muted' }, text('the function on Lambda')),
      element('text', { x: output, y: 28, class: 'small muted' }, text('your code')),
      ...drawn,
    ],
  });
}

function drawRow(
  { title, code, chunks, words, ending }: Row,
  top: number,
  appear: (what: Appearing) => string,
  move: (at: number, y: number) => string,
): string[] {
  const y = top + 34;
  const label = (x: number, dy: number, of: string, content: string): string =>
    element('text', { x, y: y + dy, class: of }, text(content));
  let offset = 0;
  const written = words.map((word, index) => {
    const at = (chunks[index] ?? 0) + travel;
    const svg = label(output + offset * 7.9, 5, 'code', word);
    offset += word.length;
    return appear({ at, svg });
  });
  // A stream that is left is seen by the server after the consumer, all others by the consumer after the server.
  const [first, second] = [ending.at, ending.at + 0.4];
  const [server, consumer] = ending.kind === 'left' ? [second, first] : [first, second];
  const mark = element('path', { class: `mark ${ending.kind}`, d: `M${line.to},${y - 9}V${y + 9}` });
  return [
    label(20, -2, 'title', title),
    label(20, 18, 'code muted small', code),
    element('path', { class: 'axis', d: `M${line.from},${y}H${line.to}` }),
    ...chunks.map((at) => move(at, y)),
    ...written,
    appear({ at: server, svg: `${mark}${label(line.from, 26, `small ${ending.kind}`, ending.server)}` }),
    appear({ at: consumer, svg: label(output, 26, `small ${ending.kind}`, ending.consumer) }),
  ];
}

const file = fileURLToPath(new URL('pictures/streams.svg', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, drawStreams());
