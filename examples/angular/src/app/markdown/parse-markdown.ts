/** A block of an answer. A line of text is a block of its own: while the last one grows, nothing above it is laid out. */
export type Block =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly start: number; readonly items: readonly string[] }
  | { readonly kind: 'code'; readonly text: string };

/** A piece of a line. */
export interface Piece {
  readonly kind: 'text' | 'code' | 'strong' | 'emphasis' | 'link';
  readonly text: string;
  /** The address of a link: http or https. */
  readonly href?: string;
}

/**
 * Reads the Markdown that language models write most: headings, lists, fenced code; within a line code, strong, emphasis
 * and links. What it does not know stays text. An unfinished answer is read as far as it is there: a fence that is not
 * closed is code.
 */
export function parseBlocks(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let code: string[] | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) {
      if (code) blocks.push({ kind: 'code', text: code.join('\n') });
      code = code ? undefined : [];
      continue;
    }
    if (code) {
      code.push(line);
      continue;
    }
    const [, heading] = /^#{1,6} +(.+)$/.exec(line) ?? [];
    const [, number, item] = /^(?:[-*]|(\d{1,9})[.)]) +(.+)$/.exec(line) ?? [];
    if (heading !== undefined) blocks.push({ kind: 'heading', text: heading });
    else if (item !== undefined) addItem(blocks, number, item);
    else blocks.push({ kind: 'line', text: line });
  }
  if (code) blocks.push({ kind: 'code', text: code.join('\n') });
  return blocks;
}

function addItem(blocks: Block[], number: string | undefined, item: string): void {
  const isOrdered = number !== undefined;
  const last = blocks.at(-1);
  if (last?.kind === 'list' && last.isOrdered === isOrdered) {
    blocks[blocks.length - 1] = { ...last, items: [...last.items, item] };
  } else {
    blocks.push({ kind: 'list', isOrdered, start: Number(number ?? 1), items: [item] });
  }
}

/** The lengths are limited, so that no text takes more than one pass. */
const marks =
  /`([^`]{1,500})`|\*\*([^*]{1,500})\*\*|\*([^*\s][^*]{0,500})\*|\[([^[\]]{1,500})\]\((https?:\/\/[^\s()]{1,500})\)/g;

/** Cuts a line into its pieces. */
export function parseLine(line: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of line.matchAll(marks)) {
    const [whole, code, strong, emphasis, link, href] = match;
    if (match.index > end) pieces.push({ kind: 'text', text: line.slice(end, match.index) });
    end = match.index + whole.length;
    if (code !== undefined) pieces.push({ kind: 'code', text: code });
    else if (strong !== undefined) pieces.push({ kind: 'strong', text: strong });
    else if (emphasis !== undefined) pieces.push({ kind: 'emphasis', text: emphasis });
    else if (link !== undefined && href !== undefined) pieces.push({ kind: 'link', text: link, href });
  }
  if (end < line.length) pieces.push({ kind: 'text', text: line.slice(end) });
  return pieces;
}
