import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDocstringDiagram, type DiagramLine } from './docstring-diagram.js';
import { readFirstTest, type FirstTest, type TestLine } from './first-test.js';
import { publicFunctions, type PublicFunction } from './public-functions.js';

/** The marble diagram of a public function, with the test that runs it. */
export interface MarbleDiagram {
  readonly name: string;
  /** The docstring's first sentence, as plain text. */
  readonly sentence: string;
  readonly lines: readonly DiagramLine[];
  readonly testFile: string;
  readonly test: FirstTest;
}

/** The diagrams of all public functions that have one. */
export function readDiagrams(root: string): MarbleDiagram[] {
  return publicFunctions(root).flatMap((declaration) => {
    const testFile = declaration.file.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
    const path = join(root, testFile);
    return readDiagram(declaration, testFile, () => {
      if (!existsSync(path))
        throw new Error(`The diagram of ${declaration.name} has no test: ${testFile} is not there`);
      return readFileSync(path, 'utf8');
    });
  });
}

/** The diagram of one function, or none. */
export function readDiagram(
  { name, docstring }: Pick<PublicFunction, 'name' | 'docstring'>,
  testFile: string,
  readTest: () => string,
): MarbleDiagram[] {
  const lines = readDocstringDiagram(docstring);
  if (lines === undefined) return [];
  const [sentence = ''] = /^.*?\.(?=\s)/s.exec(docstring) ?? [];
  const test = readFirstTest(readTest(), name);
  return [{ name, sentence: sentence.replace(/\s+/g, ' ').replaceAll('`', ''), lines, testFile, test }];
}

/**
 * Where a diagram and its test differ, in words; empty where the one is the other, verbatim. Subscriptions are the
 * test's to assert, and the diagram's to show or to leave out.
 */
export function differences({ lines, test }: MarbleDiagram): string[] {
  const describe = ({ label, indent, marbles }: DiagramLine | TestLine): string =>
    `${label}: '${' '.repeat(indent)}${marbles}'`;
  const shown = lines.map(describe);
  const run = test.lines.map(describe);
  const required = test.lines.filter(({ role }) => role !== 'subscription').map(describe);
  return [
    ...shown.filter((line) => !run.includes(line)).map((line) => `only in the docstring: ${line}`),
    ...required.filter((line) => !shown.includes(line)).map((line) => `only in the test: ${line}`),
  ];
}
