import type { LegendEntry } from './legend.js';

/** The class of a letter's marble. */
export type Palette = (key: string) => string;

/** What has the same colour in every picture, by the first word of its legend. */
const meanings: Readonly<Record<string, string>> = { head: 'head', complete: 'complete', retry: 'retry' };
const hues = 6;

/** Gives each letter a colour, in the order of their appearance; what has a meaning of its own keeps that colour. */
export function colours(keys: readonly string[], entries: readonly LegendEntry[]): Palette {
  const classes = new Map<string, string>();
  for (const { keys: explained, text } of entries) {
    const meaning = meanings[/^\w+/.exec(text)?.[0] ?? ''];
    if (meaning !== undefined) for (const key of explained) classes.set(key, meaning);
  }
  let next = 0;
  for (const key of keys) if (!classes.has(key)) classes.set(key, `hue${next++ % hues}`);
  return (key) => classes.get(key) ?? 'hue0';
}

/** Colours as [light ground, dark ground], each a marble's fill and its rim. */
const marbles: Readonly<Record<string, readonly [readonly [string, string], readonly [string, string]]>> = {
  hue0: [
    ['#cfe4ff', '#3b82d6'],
    ['#173e6b', '#6cb0ff'],
  ],
  hue1: [
    ['#ffdfc2', '#d9822b'],
    ['#5c3413', '#f0a35e'],
  ],
  hue2: [
    ['#e3d7ff', '#8257d8'],
    ['#40296f', '#b294ff'],
  ],
  hue3: [
    ['#c9f0ea', '#1f9d8b'],
    ['#0f4a42', '#4fd1bd'],
  ],
  hue4: [
    ['#ffd6e4', '#d6467e'],
    ['#651f3e', '#ff8fb6'],
  ],
  hue5: [
    ['#eeeab5', '#9b8c15'],
    ['#4a430b', '#d6c84a'],
  ],
  head: [
    ['#e4e7eb', '#7b8794'],
    ['#353d47', '#9aa5b1'],
  ],
  complete: [
    ['#cdeecb', '#3f9142'],
    ['#1d4a20', '#6bc46d'],
  ],
  retry: [
    ['#fff0b3', '#cb9500'],
    ['#574100', '#f2c12e'],
  ],
};

function rules(ground: 0 | 1, colours: Readonly<Record<string, string>>): string {
  const shapes = Object.entries(marbles).map(([name, looks]) => {
    const [fill, rim] = looks[ground];
    return `.${name}{fill:${fill};stroke:${rim}}`;
  });
  return [
    `.ground{fill:${colours.ground};stroke:${colours.rule}}`,
    `.rule{stroke:${colours.rule}}`,
    `text{fill:${colours.text}}`,
    `.label,.jump{fill:${colours.muted}}`,
    `.axis,.terminal,.head-of-axis{stroke:${colours.axis}}`,
    `.box{fill:${colours.box};stroke:${colours.accent}}`,
    `.lifetime{stroke:${colours.accent}}`,
    `.error{stroke:${colours.error}}`,
    ...shapes,
  ].join('\n');
}

const light = {
  ...{ ground: '#ffffff', text: '#1b2430', muted: '#5b6675', rule: '#dde2e8', axis: '#4a5563' },
  ...{ box: '#f6eefb', accent: '#a35bc4', error: '#cf222e' },
};
const dark = {
  ...{ ground: '#12171e', text: '#eef2f6', muted: '#9aa7b5', rule: '#2c3540', axis: '#a3b0bd' },
  ...{ box: '#2a1d36', accent: '#c58ae0', error: '#ff7b72' },
};

/** The style sheet within every picture: nothing is loaded, fonts are the reader's. */
export const style = `
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
.code,.call,.key{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.code{font-size:12.5px;white-space:pre}
.call{font-size:14px;font-weight:600;text-anchor:middle}
.key{font-weight:600;text-anchor:middle}
.jump{font-size:11.5px;text-anchor:middle}
.axis,.head-of-axis{stroke-width:1.5;fill:none}
.jumping{stroke-dasharray:1.5 4}
.over{opacity:.35}
.marble,.box{stroke-width:1.5}
.terminal,.error{stroke-width:2.5;fill:none;stroke-linecap:round}
.lifetime{stroke-width:3;fill:none;stroke-linecap:round}
${rules(0, light)}
@media (prefers-color-scheme:dark){
${rules(1, dark)}
}
`;
