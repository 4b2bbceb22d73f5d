/** Attributes of an element, numbers rounded to a tenth. */
type Attributes = Readonly<Record<string, string | number>>;

/** An element of an SVG; children are elements already, text goes through {@link text}. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(format(value))}"`);
  const content = children.join('');
  return `<${name}${written.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`;
}

/** Text of an element. */
export function text(content: string): string {
  return escape(content);
}

function format(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** What a picture on a ground of its own is made of. Sizes are in pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Says to screen readers what the picture shows. */
  readonly title: string;
  readonly style: string;
  readonly content: readonly string[];
}

/** Writes the file of a picture. */
export function picture({ width, height, title, style, content }: Picture): string {
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', role: 'img', viewBox: `0 0 ${width} ${height}`, width, height },
    element('title', {}, text(title)),
    element('style', {}, style),
    element('rect', { class: 'ground', x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8 }),
    ...content,
  )}\n`;
}
