import type { Bytes, ModelEvent } from './events.js';
import { toBytes } from './events.js';
import { segmentsOf } from './segments.js';

export interface ModelLine {
  readonly text: string;
  readonly line: number;
  readonly offset: number;
}

const mark = '\u{feff}';

/** The lines of the events so far; of the last one, without terminator, only where the stream is complete. */
export function linesOf(
  events: readonly ModelEvent[],
  ended: boolean,
  maxLineBytes: number,
): { lines: ModelLine[]; error?: string } {
  const lines: ModelLine[] = [];
  let line = 1;
  let offset = 0;

  for (const { bytes, begunBy, isWhole } of segmentsOf(events, ended)) {
    // After a continue, counting goes on behind the last whole line.
    if (begunBy === 'restart') {
      line = 1;
      offset = 0;
    }
    const parts = bytes.split('\n');
    const rest = parts.pop() ?? '';
    const tooLong = { lines, error: '' };
    let isFirst = true;

    for (const part of parts) {
      const content = withoutReturn(part);
      if (content.length > maxLineBytes)
        return { ...tooLong, error: `LineTooLongError in line ${line}, byte ${offset}` };
      lines.push({ text: textOf(content, isFirst), line, offset });
      isFirst = false;
      line++;
      offset += part.length + 1;
    }
    if ((isWhole ? rest : withoutReturn(rest)).length > maxLineBytes) {
      return { ...tooLong, error: `LineTooLongError in line ${line}, byte ${offset}` };
    }
    const text = textOf(rest, isFirst);
    if (isWhole && text !== '') lines.push({ text, line, offset });
  }
  return { lines };
}

function withoutReturn(bytes: Bytes): Bytes {
  return bytes.endsWith('\r') ? bytes.slice(0, -1) : bytes;
}

/** A byte order mark counts at the start only. */
function textOf(bytes: Bytes, isFirst: boolean): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(toBytes(bytes));
  return isFirst && text.startsWith(mark) ? text.slice(1) : text;
}
