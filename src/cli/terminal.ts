const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Shows a text on one line in a style. Control characters in the text are escaped. */
export type Paint = (style: keyof typeof codes, text: string) => string;

/** Makes the paint of a stream. It colours on terminals only, and never where `NO_COLOR` is set. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  const isOn = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  return (style, text) => (isOn ? `\u001b[${codes[style]}m${oneLine(text)}\u001b[0m` : oneLine(text));
}

/**
 * The characters that a terminal obeys or that change how a line reads: C0, DEL and C1, line and paragraph separators,
 * marks of the writing direction.
 */
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes control characters, line breaks included: foreign text can neither command the terminal nor forge a line. */
export function oneLine(text: string): string {
  return text.replaceAll(controls, (character) => shortForms[character] ?? unicodeEscape(character));
}

/** Escapes control characters except line breaks and tabs. A `\r\n` becomes `\n`. */
export function manyLines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(controls, (character) => ('\n\t'.includes(character) ? character : oneLine(character)));
}

/** Shows a value as one line of JSON. Escapes the control characters that `JSON.stringify` leaves: all except C0. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? member.toString() : member,
  );
  return `${json.replaceAll(controls, unicodeEscape)}\n`;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const units = ['B', 'kB', 'MB', 'GB'];

/** Shows a number of bytes for people: `512 B`, `1.5 kB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999,950 bytes would round to 1000.0 kB: they are 1.0 MB.
  for (; value >= (unit === 0 ? 1_000 : 999.95) && unit < units.length - 1; unit++) value /= 1_000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
