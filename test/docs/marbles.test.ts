import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readDocstringDiagram } from '../../docs/diagram/docstring-diagram.js';
import { drawDiagram } from '../../docs/diagram/draw-diagram.js';
import { drawPictures } from '../../docs/diagram/draw-pictures.js';
import { readFirstTest } from '../../docs/diagram/first-test.js';
import { parseLegend } from '../../docs/diagram/legend.js';
import { differences, readDiagram, readDiagrams, type MarbleDiagram } from '../../docs/diagram/marble-diagram.js';
import { parseMarbles } from '../../docs/diagram/marble-row.js';
import { pictureFile } from '../../docs/diagram/picture-file.js';
import { publicFunctions } from '../../docs/diagram/public-functions.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const functions = publicFunctions(root);
const diagrams = readDiagrams(root).map((diagram) => [diagram.name, diagram] as const);

/** The diagram, had its docstring or its test this text. */
function reread({ name, testFile }: MarbleDiagram, edit: { docstring?: string; test?: string }): MarbleDiagram {
  const docstring = edit.docstring ?? functions.find((declaration) => declaration.name === name)?.docstring ?? '';
  const [diagram] = readDiagram({ name, docstring }, testFile, () => edit.test ?? read(testFile));
  if (diagram === undefined) throw new Error(`${name} has no diagram any more`);
  return diagram;
}

describe('the diagrams of the docstrings', () => {
  it('are there for every public function that makes, takes or plays a stream', () => {
    const without = functions.map(({ name }) => name).filter((name) => !diagrams.some(([drawn]) => drawn === name));
    expect(without).toEqual([
      'createRetryBudget',
      'classifyInvocationError',
      'isLambdaStreamError',
      ...['chunkEvent', 'completeEvent', 'headEvent', 'retryEvent', 'serviceException'],
      ...['startLocalLambda', 'scripted', 'streamifyResponse', 'installAwslambda'],
      ...['forgetInvocation', 'inspectInvocation', 'stopInvocation', 'memoryLog'],
      ...['createRelay', 'redisLog', 'withTraceContext'],
      ...['injectLambdaStreams', 'provideLambdaStreams'],
    ]);
  });

  it.each(diagrams)('%s shows the lines that its first test runs, verbatim and aligned', (_name, diagram) => {
    expect(differences(diagram)).toEqual([]);
    expect(diagram.lines.some(({ label }) => label === 'result' || label === 'first')).toBe(true);
  });

  it.each(diagrams)('%s would tell of each mark that is changed in the docstring', (name, diagram) => {
    const { docstring } = functions.find((declaration) => declaration.name === name) ?? { docstring: '' };
    for (const { label, marbles } of diagram.lines) {
      const line = docstring.split('\n').find((text) => text.startsWith(`    ${label} `)) ?? '';
      for (let i = 0; i < marbles.length; i++) {
        if (marbles[i] === ' ') continue;
        const at = line.indexOf(marbles) + i;
        const changed = `${line.slice(0, at)}${marbles[i] === 'z' ? 'y' : 'z'}${line.slice(at + 1)}`;
        const edited = docstring.replace(line, () => changed);
        expect(edited).not.toBe(docstring);
        expect(differences(reread(diagram, { docstring: edited })), changed).not.toEqual([]);
      }
    }
  });

  it.each(diagrams)(
    '%s would tell of each line that is changed, moved, renamed or added in the test',
    (_name, diagram) => {
      const text = read(diagram.testFile);
      const shown = diagram.test.lines.filter(({ label }) => diagram.lines.some((line) => line.label === label));
      expect(shown).toHaveLength(diagram.lines.length);
      for (const { offset, marbles } of shown) {
        expect(text.slice(offset, offset + marbles.length)).toBe(marbles);
        const declaration = text.lastIndexOf('const ', offset);
        const margin = text.slice(text.lastIndexOf('\n', declaration), declaration);
        const insertions: [at: number, what: string][] = [
          [offset + marbles.length, '-'],
          [offset, '-'],
          [offset, ' '],
          [declaration + 'const '.length, 'other'],
          [declaration, `const added = '-a-|';${margin}`],
        ];
        for (const [at, what] of insertions) {
          const edited = text.slice(0, at) + what + text.slice(at);
          expect(differences(reread(diagram, { test: edited })), what).not.toEqual([]);
        }
      }
    },
  );

  it.each(diagrams)('%s quotes in its legend what the test plays, verbatim', (_name, { lines, test }) => {
    for (const { keys, text } of lines.flatMap(({ legend }) => parseLegend(legend).entries)) {
      const properties = keys.map((key) => test.properties.get(key)?.getText() ?? '');
      if (text.startsWith('{')) {
        // An object, where the test has one too; where a builder makes it, its legend is prose.
        if (properties[0]?.startsWith('{')) expect(text).toBe(properties[0]);
        continue;
      }
      for (const quoted of text.match(/'(?:[^'\\]|\\.)*'/g) ?? []) expect(test.strings).toContain(quoted);
      if (/^'[^']*'$/.test(text)) expect(properties[0]).toContain(text);
    }
  });

  it.each(diagrams)('%s explains its letters, unless they are the values themselves', (_name, { lines }) => {
    const explained = lines.flatMap(({ legend }) => parseLegend(legend).entries).flatMap(({ keys }) => keys);
    const played = lines.map(({ marbles }) => parseMarbles(marbles).marks.filter(({ kind }) => kind === 'value'));
    for (const letters of played) {
      const missing = letters.map(({ key }) => key).filter((key) => !explained.includes(key));
      expect([[], letters.map(({ key }) => key)]).toContainEqual(missing);
    }
    const all = played.flat().map(({ key }) => key);
    expect(explained.filter((key) => key !== '#' && !all.includes(key))).toEqual([]);
  });
});

describe('reading a diagram', () => {
  it('keeps the columns of lines that begin later, and takes no legend for marbles', () => {
    const docstring =
      'What arrives.\n\n    first   -#             throttled\n    second    -a-|         a: 1\n\n- **Emits**';
    expect(readDocstringDiagram(docstring)).toEqual([
      { label: 'first', indent: 0, marbles: '-#', legend: 'throttled' },
      { label: 'second', indent: 2, marbles: '-a-|', legend: 'a: 1' },
    ]);
  });

  it('refuses what stands in no columns', () => {
    expect(() => readDocstringDiagram('A.\n\n    source  -a-|  a: 1\n    result  --a|    a: 1\n')).toThrow(
      'common columns',
    );
    expect(() => readDocstringDiagram('A.\n\n    source -a-|\n')).toThrow('no label');
  });

  it('finds no diagram in an example, and none in a docstring without one', () => {
    expect(readDocstringDiagram('What arrives.\n\n@example\nf({\n    a  -b-\n});')).toBeUndefined();
    expect(readDocstringDiagram('What arrives.')).toBeUndefined();
  });

  it('refuses a test file whose first test is about something else', () => {
    expect(() => readFirstTest(`it('a', () => { g(); }); it('b', () => { f(); });`, 'f')).toThrow('does not call it');
    expect(() => readFirstTest('', 'f')).toThrow('no test');
  });

  it('reads groups, time and ends in their columns', () => {
    const { marks, jumps, end, length } = parseMarbles('-(ab) 9ms -#', 2);
    expect(marks.map(({ kind, column, depth, key }) => [kind, column, depth, key])).toEqual([
      ['value', 3, 0, 'a'],
      ['value', 3, 1, 'b'],
      ['error', 13, 0, '#'],
    ]);
    expect([jumps, end, length]).toEqual([[{ from: 7, to: 12, text: '9ms' }], 13, 14]);
  });

  it('cuts a legend at its entries, not within quotes and braces', () => {
    expect(parseLegend(`all: of it; h: head, a to c: chunks, of 'a, b: c', t: { x: 1, y: 'b: 2' }; n: 1`)).toEqual({
      entries: [
        { keys: ['h'], text: 'head' },
        { keys: ['a', 'b', 'c'], text: `chunks, of 'a, b: c'` },
        { keys: ['t'], text: `{ x: 1, y: 'b: 2' }` },
        { keys: ['n'], text: '1' },
      ],
      notes: ['all: of it'],
    });
  });
});

describe('the pictures in docs/marbles', () => {
  const pictures = new Map(diagrams.map(([name, diagram]) => [pictureFile(name), drawDiagram(diagram)]));

  it('are one for each diagram', () => {
    expect(readdirSync(`${root}docs/marbles`).sort()).toEqual([...pictures.keys()].sort());
    expect([...drawPictures(root)]).toEqual([...pictures]);
  });

  it.each([...pictures])('%s is what `npm run docs:marbles` draws now', (file, svg) => {
    expect(read(`docs/marbles/${file}`)).toBe(svg);
  });

  it.each([...pictures])('%s is an image with a title, which loads nothing', (_file, svg) => {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" role="img" [^>]*>\s*<title>[^<]+\.<\/title>/);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg).not.toMatch(/<script|<image|<use|href=|url\(|@import|@font-face/);
  });

  it.each([...pictures])('%s is well-formed', (_file, svg) => {
    const open: string[] = [];
    for (const [, close = '', name = '', empty = ''] of svg.matchAll(/<(\/?)(\w+)(?: [\w:-]+="[^"<>]*")*(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
    }
    expect(open).toEqual([]);
    const text = svg.replace(/<\/?\w+(?: [\w:-]+="[^"<>]*")*\/?>/g, '');
    expect(text).not.toMatch(/<|&(?!(?:amp|lt|gt|quot);)/);
  });

  it.each(diagrams)('%s: every letter, label and legend of the diagram is drawn', (name, { lines, test }) => {
    const svg = pictures.get(pictureFile(name)) ?? '';
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text = '']) =>
      text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
    expect(texts).toContain(test.call);
    for (const { label, marbles, legend } of lines) {
      const { entries, notes } = parseLegend(legend);
      expect(texts).toEqual(expect.arrayContaining([label, ...notes, ...entries.map(({ text }) => text)]));
      const { marks } = parseMarbles(marbles);
      const keys = marks.filter(({ kind }) => kind === 'value').map(({ key }) => key);
      expect(texts).toEqual(expect.arrayContaining(keys));
    }
    const count = (kind: string): number =>
      lines.flatMap(({ marbles }) => parseMarbles(marbles).marks).filter((mark) => mark.kind === kind).length;
    const drawn = (mark: string): number => svg.split(`class="${mark}"`).length - 1;
    const errorsExplained = lines
      .flatMap(({ legend }) => parseLegend(legend).entries)
      .filter(({ keys }) => keys.includes('#'));
    expect(drawn('terminal')).toBe(count('complete'));
    expect(drawn('error')).toBe(count('error') + errorsExplained.length);
    expect(drawn('lifetime')).toBe(count('subscribe'));
  });

  it('are refused where docstring and test differ, in words that say how', () => {
    const [, diagram] = diagrams.find(([name]) => name === 'decodeText') ?? [];
    if (diagram === undefined) throw new Error('decodeText has no diagram');
    const { docstring } = functions.find(({ name }) => name === 'decodeText') ?? { docstring: '' };
    const edited = docstring.replace('--|  ', '---| ');
    expect(differences(reread(diagram, { docstring: edited }))).toEqual([
      `only in the docstring: source: '--a--b--c---|'`,
      `only in the test: source: '--a--b--c--|'`,
    ]);
  });
});
