import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly pad: string;
}

/** The bytes of every row: a prime, so that rows and characters are cut anywhere by frames and reads. */
export const rowBytes = 127;

/** The length of every row's text. It has one character of three bytes, and one of four, which is two UTF-16 units. */
export const rowLength = rowBytes - 2 - 2;

export const nameOf = (id: number): string => `Zeile ${id} € 🚀`;

/** A row as a line of NDJSON. */
export function row(id: number): string {
  const [before, after] = JSON.stringify({ id, name: nameOf(id), pad: '|' } satisfies Row).split('|') as [
    string,
    string,
  ];
  return `${before.padEnd(rowLength - after.length - 1, '-')}${after}\n`;
}

/** The function `rows`: numbered rows, 1,000 a write. @param event - `{ count }`, or an HTTP request with it */
export async function* writeRows(
  event: { readonly count: number } | { readonly body: string },
): AsyncGenerator<string> {
  const { count } = 'body' in event ? (JSON.parse(event.body) as { readonly count: number }) : event;
  for (let id = 0; id < count; id += 1_000) {
    yield Array.from({ length: Math.min(1_000, count - id) }, (_, n) => row(id + n)).join('');
    await nextTurn();
  }
}
