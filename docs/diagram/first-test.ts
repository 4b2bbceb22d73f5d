import ts from 'typescript';

/** A marble string of a test. */
export interface TestLine {
  /** The constant that holds it, or what was made of it. */
  readonly label: string;
  /** How many columns after the others' first one its marbles begin, in the file. */
  readonly indent: number;
  readonly marbles: string;
  /** Where in the file its marbles begin. */
  readonly offset: number;
  /** `input` is played (`const source = m.cold('…')`), `output` is expected (`const result = '…'`). */
  readonly role: 'input' | 'output' | 'subscription';
}

/** What the first test of a file runs. */
export interface FirstTest {
  readonly lines: readonly TestLine[];
  /** The function's call as it is shown: with its arguments where they are literals, or lines of the diagram. */
  readonly call: string;
  /** All its string literals, as they are written, quotes included. */
  readonly strings: readonly string[];
  /** Its object literals' properties by name. */
  readonly properties: ReadonlyMap<string, ts.Expression>;
}

/**
 * Reads the first `it` or `test` of a test file.
 *
 * @param name - The function that it is about: the test has to call it.
 */
export function readFirstTest(text: string, name: string): FirstTest {
  const source = ts.createSourceFile(`${name}.test.ts`, text, ts.ScriptTarget.Latest, true);
  const test = first(source, (node) => (isCallOf(node, ['it', 'test']) ? node : undefined));
  if (test === undefined) throw new Error(`${name} has no test`);
  const call = first(test, (node) => (isCallOf(node, [name]) ? node : undefined));
  if (call === undefined) throw new Error(`The first test of ${name} does not call it`);
  const lines = alignLines(all(test, readLine));
  return {
    lines,
    call: describeCall(
      call,
      lines.map(({ label }) => label),
    ),
    strings: all(test, (node) => (ts.isStringLiteral(node) ? node.getText() : undefined)),
    properties: new Map(
      all(test, (node) =>
        ts.isPropertyAssignment(node) ? ([node.name.getText(), node.initializer] as const) : undefined,
      ),
    ),
  };
}

/** A line, its indent counted from the file's margin. */
function readLine(node: ts.Node): TestLine | undefined {
  if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || node.initializer === undefined)
    return undefined;
  const { initializer } = node;
  const played = ts.isCallExpression(initializer) ? initializer.arguments[0] : undefined;
  const literal = played ?? initializer;
  if (!ts.isStringLiteral(literal)) return undefined;
  const marbles = literal.text.trim();
  const offset = literal.getStart() + 1 + literal.text.length - literal.text.trimStart().length;
  return {
    label: node.name.text,
    indent: node.getSourceFile().getLineAndCharacterOfPosition(offset).character,
    marbles,
    offset,
    role: played ? 'input' : /^[-^!() \dms]+$/.test(marbles) && marbles.includes('^') ? 'subscription' : 'output',
  };
}

function alignLines(lines: readonly TestLine[]): TestLine[] {
  const margin = Math.min(...lines.map(({ indent }) => indent));
  return lines.map((line) => ({ ...line, indent: line.indent - margin }));
}

/** `toSnapshots({ intervalMs: 10 })` as it is; where an argument means nothing to a reader, `retryInvocation(…)`. */
function describeCall(call: ts.CallExpression, labels: readonly string[]): string {
  const isPlain = (node: ts.Node): boolean => {
    if (ts.isIdentifier(node)) return labels.includes(node.text);
    if (!ts.isObjectLiteralExpression(node)) return ts.isLiteralExpression(node);
    return node.properties.every((property) => ts.isPropertyAssignment(property) && isPlain(property.initializer));
  };
  return call.arguments.every(isPlain) ? call.getText() : `${call.expression.getText()}(…)`;
}

function isCallOf(node: ts.Node, names: readonly string[]): node is ts.CallExpression {
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) && names.includes(node.expression.text);
}

/** What the visitor makes of the nodes, in the order of the text. */
function all<T>(root: ts.Node, visit: (node: ts.Node) => T | undefined): T[] {
  const found: T[] = [];
  const walk = (node: ts.Node): void => {
    const result = visit(node);
    if (result !== undefined) found.push(result);
    ts.forEachChild(node, walk);
  };
  walk(root);
  return found;
}

function first<T>(root: ts.Node, visit: (node: ts.Node) => T | undefined): T | undefined {
  return all(root, visit)[0];
}
