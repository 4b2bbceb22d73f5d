// `npm run docs:pictures`: draws docs/pictures/relay.svg, who talks to whom in docs/relaying.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { element, picture, text } from './diagram/svg.js';
import { colours } from './draw-streams.js';

const width = 760;
const height = 300;

/** A party: its place, its name, and what it is or does. */
interface Party {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly name: string;
  readonly details: readonly string[];
}

/** Who talks to whom: a line with an arrow at its end, or at both. */
interface Talk {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
  readonly isBoth?: boolean;
}

const client = { x: 20, width: 150, height: 62 };
const parties: readonly Party[] = [
  { ...client, y: 40, name: 'Browser', details: ['relayedInvoke()'] },
  { ...client, y: 118, name: 'Browser', details: ['EventSource'] },
  { ...client, y: 196, name: 'Server, script', details: ['AWS SDK, boto3'] },
  { x: 258, y: 74, width: 92, height: 150, name: 'Proxy', details: ['HTTP/2', 'no buffer'] },
  { x: 424, y: 40, width: 136, height: 84, name: 'Your server', details: ['createRelay()', 'authorize()'] },
  { x: 424, y: 174, width: 136, height: 84, name: 'Your server', details: ['createRelay()', 'authorize()'] },
  { x: 640, y: 40, width: 100, height: 84, name: 'Lambda', details: ['one call', 'a key'] },
  { x: 640, y: 174, width: 100, height: 84, name: 'Log', details: ['memory,', 'or Redis'] },
];

const talks: readonly Talk[] = [
  { from: [170, 71], to: [258, 119] },
  { from: [170, 149], to: [258, 149] },
  { from: [170, 227], to: [258, 179] },
  { from: [350, 119], to: [424, 88] },
  { from: [350, 179], to: [424, 210] },
  { from: [560, 82], to: [640, 82] },
  { from: [560, 110], to: [640, 190], isBoth: true },
  { from: [560, 216], to: [640, 216], isBoth: true },
];

const notes: readonly { readonly x: number; readonly y: number; readonly words: string }[] = [
  { x: 95, y: 26, words: 'No credentials of AWS' },
  { x: 492, y: 26, words: 'Who may ask, and for what' },
  { x: 492, y: 282, words: 'One reads from Lambda; all read the log' },
];

function theme(name: keyof typeof colours): string {
  const { ground, rule, ink, muted, chunk } = colours[name];
  return [
    `.ground{fill:${ground};stroke:${rule}}text{fill:${ink}}.muted{fill:${muted}}`,
    `.party{fill:none;stroke:${muted}}.talk{stroke:${chunk};fill:none}.head{fill:${chunk}}`,
  ].join('');
}

/** The picture. */
export function drawRelay(): string {
  const style = [
    'text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;text-anchor:middle}',
    '.code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}.name{font-weight:600}.small{font-size:12px}',
    '.party{stroke-width:1.5}.talk{stroke-width:2}',
    theme('light'),
    `@media (prefers-color-scheme:dark){${theme('dark')}}`,
  ].join('\n');
  return picture({
    width,
    height,
    title:
      'Browsers and other clients ask your servers, through a proxy; ' +
      'one of these reads from Lambda, all read the log.',
    style,
    content: [
      ...talks.map(drawTalk),
      ...parties.map(drawParty),
      ...notes.map(({ x, y, words }) => element('text', { x, y, class: 'small muted' }, text(words))),
    ],
  });
}

function drawParty({ x, y, width: across, height: down, name, details }: Party): string {
  const middle = x + across / 2;
  const top = y + down / 2 - details.length * 9 + 4;
  return [
    element('rect', { class: 'party', x, y, width: across, height: down, rx: 6 }),
    element('text', { class: 'name', x: middle, y: top }, text(name)),
    ...details.map((detail, line) =>
      element('text', { class: 'code', x: middle, y: top + 19 + line * 17 }, text(detail)),
    ),
  ].join('');
}

function drawTalk({ from, to, isBoth }: Talk): string {
  return [
    element('path', { class: 'talk', d: `M${from.join(',')}L${to.join(',')}` }),
    drawHead(from, to),
    ...(isBoth ? [drawHead(to, from)] : []),
  ].join('');
}

/** The head of an arrow that ends at `to`. */
function drawHead([fromX, fromY]: Talk['from'], [x, y]: Talk['to']): string {
  const angle = Math.atan2(y - fromY, x - fromX);
  const corner = (turn: number): string =>
    [x - 9 * Math.cos(angle + turn), y - 9 * Math.sin(angle + turn)].map((part) => part.toFixed(1)).join(',');
  return element('path', { class: 'head', d: `M${x},${y}L${corner(0.45)}L${corner(-0.45)}Z` });
}

const file = fileURLToPath(new URL('pictures/relay.svg', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, drawRelay());
