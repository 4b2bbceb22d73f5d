/** One line of a diagram. */
export interface DiagramLine {
  readonly label: string;
  /** How many columns after the others' first one its marbles begin. */
  readonly indent: number;
  readonly marbles: string;
  /** What stands behind the marbles; empty where nothing does. */
  readonly legend: string;
}

const marbleText = /^(?:[-^!|#()A-Za-z0-9]+|\d+(?:ms|s|m))(?: (?:[-^!|#()A-Za-z0-9]+|\d+(?:ms|s|m)))*$/;

/**
 * Reads the marble diagram of a docstring: its first block that is indented by four spaces, ahead of the tags.
 *
 *     source  --a--b--|    a: one, b: two
 *     result  -----r--|    r: both
 *
 * Labels, marbles and legends stand in one column each, so that an attempt which begins later can be drawn where it
 * begins. Nothing is guessed: a block in which they do not is an error.
 *
 * @returns `undefined` for a docstring without such a block.
 */
export function readDocstringDiagram(docstring: string): DiagramLine[] | undefined {
  const [prose = ''] = docstring.split(/^@/m);
  const [block] = /(?:^ {4}.*\n?)+/m.exec(prose) ?? [];
  if (block === undefined) return undefined;
  const lines = block.trimEnd().split('\n');
  const marbleColumn = Math.min(...lines.map((line) => /^ {4}\w+ {2,}/.exec(line)?.[0].length ?? 0));
  if (marbleColumn === 0) throw new Error(`A line of the diagram has no label with two spaces behind it:\n${block}`);
  const legendColumn = columnOfLegends(lines, marbleColumn);
  return lines.map((line) => {
    const columns = line.slice(marbleColumn, legendColumn).trimEnd();
    const marbles = columns.trimStart();
    return {
      label: line.slice(0, marbleColumn).trim(),
      indent: columns.length - marbles.length,
      marbles,
      legend: line.slice(legendColumn).trim(),
    };
  });
}

/** The first column before which every line holds marbles only, and from which none does. */
function columnOfLegends(lines: readonly string[], marbleColumn: number): number {
  const longest = Math.max(...lines.map(({ length }) => length));
  for (let column = marbleColumn + 1; column <= longest; column++) {
    const fits = lines.every(
      (line) =>
        marbleText.test(line.slice(marbleColumn, column).trim()) &&
        (line.length <= column || /^ {2}\S/.test(line.slice(column - 2))),
    );
    if (fits) return column;
  }
  throw new Error(`The diagram's marbles and legends stand in no common columns:\n${lines.join('\n')}`);
}
