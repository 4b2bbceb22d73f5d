import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Reads a file of the package, or throws where there is none. */
export const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

/** A block of code on a page. */
export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** What it shows, from the comment in the line before: `<!-- file: PATH -->` or `<!-- file: PATH#REGION -->`. */
  readonly source?: string;
}

/** A link on a page to a file of the package, to a heading, or to both. */
export interface LocalLink {
  /** From the root of the package; the page itself for a link to one of its own headings. */
  readonly path: string;
  /** The heading's anchor. */
  readonly anchor?: string;
}

/** A test that proves what a page says, from a comment of its source: `<!-- test: PATH 'NAME' -->`. */
export interface NamedTest {
  readonly path: string;
  readonly name: string;
}

/** A heading and all that stands under it, its lower headings included. */
export interface Section {
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** A page of documentation, taken apart. */
export interface MarkdownPage {
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
  readonly links: readonly LocalLink[];
  readonly tests: readonly NamedTest[];
  readonly sections: readonly Section[];
  /** What a link may have behind its `#`. */
  readonly anchors: readonly string[];
}

/** Takes a page apart. */
export function readPage(path: string): MarkdownPage {
  const text = read(path);
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  return {
    path,
    blocks: [...text.matchAll(/(?:^<!-- file: (\S+) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm)].map(
      ([, source, language = '', code = '']) => ({ language, code, ...(source !== undefined && { source }) }),
    ),
    links: [...prose.matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].map(([, file = '', anchor]) => ({
      path: file === '' ? path : posix.join(posix.dirname(path), file),
      ...(anchor !== undefined && { anchor }),
    })),
    tests: readTests(prose),
    sections: readSections(prose),
    anchors: readAnchors(prose),
  };
}

/** What a code block says that it shows: a file, or the region of that name in it without its indentation. */
export function readSource(source: string): string {
  const [path = '', region] = source.split('#', 2);
  const text = read(path);
  if (region === undefined) return text;
  const lines = new RegExp(`^ *// #region ${region}\\n([\\s\\S]*?)^ *// #endregion$`, 'm').exec(text)?.[1];
  if (lines === undefined) throw new Error(`${path} has no region ${region}`);
  const indentation = /^ */.exec(lines)?.[0] ?? '';
  return lines.replaceAll(new RegExp(`^${indentation}`, 'gm'), '');
}

/** The section under this heading. */
export function sectionOf(page: MarkdownPage, heading: string): Section {
  const section = page.sections.find((candidate) => candidate.heading === heading);
  if (section === undefined) throw new Error(`${page.path} has no heading "${heading}"`);
  return section;
}

/** A row of a table: its cells by the column's heading. */
export type Row = Readonly<Record<string, string>>;

/** The rows of all tables in a section that have a column of this heading. */
export function tableRows({ text }: Section, column: string): readonly Row[] {
  return [...text.matchAll(/(?:^\|.*\|$\n?){2,}/gm)].flatMap(([table]) => {
    const [headings = [], , ...rows] = table.trim().split('\n').map(readCells);
    if (!headings.includes(column)) return [];
    return rows.map((cells) => Object.fromEntries(headings.map((heading, i) => [heading, cells[i] ?? ''])));
  });
}

/** What stands in `code` in a cell or text, piece by piece. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The tests that a text names. */
export const readTests = (text: string): NamedTest[] =>
  [...text.matchAll(/^<!-- test: (\S+) '(.+)' -->$/gm)].map(([, path = '', name = '']) => ({ path, name }));

function readCells(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readSections(prose: string): Section[] {
  const starts = [...prose.matchAll(/^(#{1,6}) (.+)$/gm)];
  return starts.map(({ 1: marks = '', 2: heading = '', index }, i) => {
    const end = starts.slice(i + 1).find(({ 1: other = '' }) => other.length <= marks.length);
    return { heading, level: marks.length, text: prose.slice(index, end?.index) };
  });
}

/** As GitHub makes them: of the heading's text, with a number behind those that come again. */
function readAnchors(prose: string): string[] {
  const seen = new Map<string, number>();
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
