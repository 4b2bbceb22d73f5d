const utf8 = new TextEncoder();

/** Rows as functions report them: about 110 bytes each. */
function row(index: number, name: string): string {
  return JSON.stringify({
    id: index,
    at: `2026-03-${String((index % 28) + 1).padStart(2, '0')}T12:00:00.000Z`,
    name,
    amount: index / 7,
    active: index % 3 === 0,
    tags: ['a', 'b'],
  });
}

/** Lines of a payload, every `nonAsciiEvery`th with letters beyond ASCII; 0 for none. */
export function makeLines(count: number, nonAsciiEvery: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    row(index, nonAsciiEvery > 0 && index % nonAsciiEvery === 0 ? 'Zoë 漢字' : 'A. Customer'),
  );
}

/** Short records, as a function sends them that streams a model's tokens. */
export function makeTokenLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `{"i":${index},"token":" word"}`);
}

/** The lines' bytes, each line ended. */
export function toBytes(lines: readonly string[]): Uint8Array {
  return utf8.encode(lines.map((line) => `${line}\n`).join(''));
}

/** Copies, as chunks from a network are: no two share a buffer. */
export function cutEvery(bytes: Uint8Array, chunkBytes: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += chunkBytes) chunks.push(bytes.slice(from, from + chunkBytes));
  return chunks;
}
