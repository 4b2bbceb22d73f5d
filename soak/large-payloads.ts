import { setImmediate as nextTurn } from 'node:timers/promises';

/** What the functions `text` and `rows` are asked for: how often the pattern, or how many rows. */
export interface LargeResponse {
  readonly count: number;
}

/** A line with characters of one to four bytes of UTF-8. */
export const textPattern = 'Grüße aus der λ-Fabrik: 100 € in 3 Strömen, und ein 🚀 dazu…\n';
export const textPatternBytes = new TextEncoder().encode(textPattern).length;

/** So that characters and lines are cut anywhere: a prime, a little under the 64 KiB of a frame. */
const writeBytes = 65_521;

/** Repeats the pattern, cut into writes without regard for characters. */
export async function* writeText({ count }: LargeResponse): AsyncGenerator<Uint8Array> {
  const bytes = count * textPatternBytes;
  // Any window of `writeBytes` is somewhere in here.
  const source = new TextEncoder().encode(textPattern.repeat(Math.ceil(writeBytes / textPatternBytes) + 1));
  for (let at = 0; at < bytes; at += writeBytes) {
    const offset = at % textPatternBytes;
    yield source.subarray(offset, offset + Math.min(writeBytes, bytes - at));
    await nextTurn();
  }
}

/** All rows are of one length, in bytes. */
export const rowBytes = 128;

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly pad: string;
}

function row(id: number): string {
  const json = JSON.stringify({ id, name: `Zeile ${id} €`, pad: '' } satisfies Row);
  const padding = rowBytes - 1 - new TextEncoder().encode(json).length;
  return `${json.slice(0, -2)}${'-'.repeat(padding)}"}\n`;
}

/** Numbered rows, 1,000 a write, so that one is cut at nearly every frame's border. */
export async function* writeRows({ count }: LargeResponse): AsyncGenerator<string> {
  for (let id = 0; id < count; id += 1_000) {
    yield Array.from({ length: Math.min(1_000, count - id) }, (_, n) => row(id + n)).join('');
    await nextTurn();
  }
}
