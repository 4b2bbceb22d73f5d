/** What one or several marbles are. */
export interface LegendEntry {
  readonly keys: readonly string[];
  readonly text: string;
}

/** A diagram line's legend. */
export interface Legend {
  readonly entries: readonly LegendEntry[];
  /** What it says of no single marble. */
  readonly notes: readonly string[];
}

const entryStart = /([A-Za-z0-9#](?:(?:, | to )[A-Za-z0-9])*): /y;

/** Reads `h: head, a to d: chunks; intervalMs: 10`: entries of marbles, and after a semicolon a note. */
export function parseLegend(legend: string): Legend {
  const entries: LegendEntry[] = [];
  const notes: string[] = [];
  for (const part of splitLegend(legend)) {
    entryStart.lastIndex = 0;
    const [start = '', keys = ''] = entryStart.exec(part) ?? [];
    if (start === '') notes.push(part);
    else entries.push({ keys: expandKeys(keys), text: part.slice(start.length) });
  }
  return { entries, notes };
}

/** Cuts before each entry and at each semicolon, but not within quotes and brackets. */
function splitLegend(legend: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  for (let i = 0; i < legend.length; i++) {
    const end = endOfNested(legend, i);
    if (end > i) {
      i = end;
      continue;
    }
    entryStart.lastIndex = i + 2;
    const isSemicolon = legend.startsWith('; ', i);
    if (isSemicolon || (legend.startsWith(', ', i) && entryStart.test(legend))) {
      parts.push(legend.slice(begin, i));
      begin = i + 2;
      // Past all keys of the entry, which have commas themselves.
      i = isSemicolon ? i + 1 : entryStart.lastIndex - 1;
    } else if (i === begin) {
      entryStart.lastIndex = i;
      if (entryStart.test(legend)) i = entryStart.lastIndex - 1;
    }
  }
  return [...parts, legend.slice(begin)].filter((part) => part !== '');
}

/** Where the quotes or brackets that open here are closed again; the same place where none do. */
function endOfNested(text: string, start: number): number {
  const [nested] = /^(?:'(?:[^'\\]|\\.)*'|\{[^{}]*\}|\([^()]*\))/.exec(text.slice(start)) ?? [];
  return nested === undefined ? start : start + nested.length - 1;
}

function expandKeys(keys: string): string[] {
  return keys.split(', ').flatMap((part) => {
    const [from = '', to = from] = part.split(' to ');
    const codes = { first: from.charCodeAt(0), last: to.charCodeAt(0) };
    return Array.from({ length: codes.last - codes.first + 1 }, (_, i) => String.fromCharCode(codes.first + i));
  });
}
