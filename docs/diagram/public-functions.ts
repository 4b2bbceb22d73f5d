import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** The entry points of the package, from its root. */
export const entryPoints = [
  'src/index.ts',
  'src/testing/index.ts',
  'src/local/index.ts',
  'src/http/index.ts',
  'src/log/index.ts',
  'src/relay/index.ts',
  'src/redis/index.ts',
  'src/otel/index.ts',
  'src/angular/index.ts',
] as const;

/** An exported function of the public API. */
export interface PublicFunction {
  readonly name: string;
  /** Where it is declared, from the package's root. */
  readonly file: string;
  /** Its docstring without the comment's stars. Of an overloaded function the first overload's. */
  readonly docstring: string;
}

/** All functions that the entry points export, in the order of their exports. */
export function publicFunctions(root: string): PublicFunction[] {
  return entryPoints.flatMap((entry) =>
    exportsOf(parse(root, entry)).flatMap(({ name, from }) => {
      const file = join(dirname(entry), from).replace(/\.js$/, '.ts');
      const docstring = docstringOf(parse(root, file), name);
      return docstring === undefined ? [] : [{ name, file, docstring }];
    }),
  );
}

/** The docstring of an exported function; `undefined` where the name is no function's. */
export function docstringOf(source: ts.SourceFile, name: string): string | undefined {
  const declaration = source.statements.find(
    (statement) => ts.isFunctionDeclaration(statement) && statement.name?.text === name,
  );
  if (declaration === undefined) return undefined;
  const comments = ts.getLeadingCommentRanges(source.text, declaration.pos) ?? [];
  const texts = comments.map(({ pos, end }) => source.text.slice(pos, end));
  const text = texts.filter((comment) => comment.startsWith('/**')).at(-1) ?? '';
  return text
    .replace(/^\/\*\*[ \n]|\s*\*\/$/g, '')
    .replace(/^ *\* ?/gm, '')
    .trim();
}

function parse(root: string, file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The values that an entry point passes on by name, and from where. */
function exportsOf(source: ts.SourceFile): { name: string; from: string }[] {
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    const { exportClause, moduleSpecifier } = statement;
    if (!exportClause || !ts.isNamedExports(exportClause) || !moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) {
      throw new Error(`${source.fileName}: only named exports from a module are read here`);
    }
    const from = moduleSpecifier.text;
    return exportClause.elements.filter(({ isTypeOnly }) => !isTypeOnly).map(({ name }) => ({ name: name.text, from }));
  });
}
