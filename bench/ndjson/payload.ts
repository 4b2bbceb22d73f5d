const utf8 = new TextEncoder();

/** How a payload is made. */
export type Recipe =
  | {
      /** Rows of about 110 bytes. Every `nonAsciiEvery`th has letters beyond ASCII, and with 0 no row has any. */
      readonly kind: 'rows';
      readonly records: number;
      readonly nonAsciiEvery: number;
      readonly chunkBytes: number;
    }
  /** Short records, as a function sends them that streams a model's tokens. */
  | { readonly kind: 'tokens'; readonly records: number; readonly chunkBytes: number }
  /** A single record of this length. */
  | { readonly kind: 'long line'; readonly lineBytes: number; readonly chunkBytes: number }
  /** A record in each chunk. */
  | { readonly kind: 'row a chunk'; readonly records: number };

export interface Payload {
  readonly lines: readonly string[];
  readonly chunks: readonly Uint8Array[];
}

export function makePayload(recipe: Recipe): Payload {
  const lines = makeLines(recipe);
  if (recipe.kind === 'row a chunk') return { lines, chunks: lines.map((line) => toBytes([line])) };
  return { lines, chunks: cutEvery(toBytes(lines), recipe.chunkBytes) };
}

function makeLines(recipe: Recipe): string[] {
  if (recipe.kind === 'long line') return [JSON.stringify('a'.repeat(recipe.lineBytes - 3))];
  return Array.from({ length: recipe.records }, (_, index) => {
    if (recipe.kind === 'tokens') return `{"i":${index},"token":" word"}`;
    const isNonAscii = recipe.kind === 'rows' && recipe.nonAsciiEvery > 0 && index % recipe.nonAsciiEvery === 0;
    return makeRow(index, isNonAscii ? 'Zoë 漢字' : 'A. Customer');
  });
}

function makeRow(index: number, name: string): string {
  return JSON.stringify({
    id: index,
    at: `2026-03-${String((index % 28) + 1).padStart(2, '0')}T12:00:00.000Z`,
    name,
    amount: index / 7,
    active: index % 3 === 0,
    tags: ['a', 'b'],
  });
}

/** The lines' bytes, each line ended. */
function toBytes(lines: readonly string[]): Uint8Array {
  return utf8.encode(lines.map((line) => `${line}\n`).join(''));
}

/** Cuts bytes into copies. Chunks of a network share no buffer either. */
function cutEvery(bytes: Uint8Array, chunkBytes: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += chunkBytes) chunks.push(bytes.slice(from, from + chunkBytes));
  return chunks;
}
