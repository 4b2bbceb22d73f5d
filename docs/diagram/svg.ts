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
