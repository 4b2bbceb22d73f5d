/** Something that happens on a time axis. Columns are those of the text: a group's members share its first one. */
export interface Mark {
  readonly kind: 'value' | 'complete' | 'error' | 'subscribe' | 'unsubscribe';
  readonly column: number;
  /** Its place among the marks of the same column, from 0. */
  readonly depth: number;
  /** A value's letter. */
  readonly key: string;
}

/** A stretch of the axis that stands for more time than its columns. */
export interface TimeJump {
  readonly from: number;
  readonly to: number;
  /** As it is written: `9ms`. */
  readonly text: string;
}

/** What a marble string says. */
export interface MarbleRow {
  readonly marks: readonly Mark[];
  readonly jumps: readonly TimeJump[];
  /** The column in which it completes, errors or is unsubscribed from; `undefined` where it goes on. */
  readonly end: number | undefined;
  /** Its first column. */
  readonly begin: number;
  /** The column after its last one. */
  readonly length: number;
}

const kinds: Readonly<Record<string, Mark['kind']>> = {
  '|': 'complete',
  '#': 'error',
  '^': 'subscribe',
  '!': 'unsubscribe',
};

/** Reads a marble string by RxJS's rules, and keeps the columns in which it was written. */
export function parseMarbles(marbles: string, indent = 0): MarbleRow {
  const marks: Mark[] = [];
  const jumps: TimeJump[] = [];
  let group: number | undefined;
  for (let i = 0; i < marbles.length; i++) {
    const char = marbles.charAt(i);
    const [jump = '', time = ''] = /^ ?(\d+(?:ms|s|m))(?: |$)/.exec(marbles.slice(i)) ?? [];
    if (jump !== '' && (i === 0 || char === ' ')) {
      jumps.push({ from: indent + i, to: indent + i + jump.length, text: time });
      i += jump.length - 1;
    } else if (char === '(') group = indent + i;
    else if (char === ')') group = undefined;
    else if (char !== '-' && char !== ' ') {
      const column = group ?? indent + i;
      const depth = marks.filter((mark) => mark.column === column).length;
      marks.push({ kind: kinds[char] ?? 'value', column, depth, key: char });
    }
  }
  const end = marks.find(({ kind }) => kind !== 'value' && kind !== 'subscribe')?.column;
  return { marks, jumps, end, begin: indent, length: indent + marbles.length };
}
