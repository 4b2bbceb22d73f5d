import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly pad: string;
}

/** The bytes of every row: a prime, so that rows and characters are cut anywhere by frames and reads. */
export const rowBytes = 127;

/** How many rows there are before their ids begin again. */
export const blockRows = 1_000;

export const nameOf = (id: number): string => `Zeile ${id} € 🚀`;

/** A row as a line of NDJSON. */
function row(id: number): string {
  const json = JSON.stringify({ id, name: nameOf(id), pad: '|' } satisfies Row);
  return `${json.replace('|', '-'.repeat(rowBytes - new TextEncoder().encode(json).length))}\n`;
}

/** The rows of a block. What is expected is looked up here: making it anew would fill the reader's heap. */
export const block = Array.from({ length: blockRows }, (_, id) => row(id)).join('');

/** The function `rows`: so many whole blocks. @param event - `{ blocks }`, or an HTTP request with it */
export async function* writeRows(
  event: { readonly blocks: number } | { readonly body: string },
): AsyncGenerator<string> {
  const { blocks } = 'body' in event ? (JSON.parse(event.body) as { readonly blocks: number }) : event;
  for (let written = 0; written < blocks; written++) {
    yield block;
    await nextTurn();
  }
}
