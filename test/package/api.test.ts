/**
 * The public surface as text, under review in the tree: a change of it is a visible diff. After a wanted change:
 * `npm run build && npx vitest run --project package test/package/api.test.ts -u`.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { entryPoints } from './entry-points.js';

const entries = entryPoints.map(({ file }) => file);

const declarations = (entry: string): string => fileURLToPath(new URL(`../../dist/${entry}.d.ts`, import.meta.url));

/** The declarations behind an entry's exports, sorted by name, without comments and private members. */
function surface(program: ts.Program, file: string): string {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is missing: npm run build makes it`);
  const printer = ts.createPrinter({ removeComments: true });
  const blocks = checker.getExportsOfModule(module).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const texts = (symbol.declarations ?? []).map((declaration) => {
      const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
      return printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()).replace(/^export (declare )?/, '');
    });
    return { name: exported.name, text: texts.join('\n') };
  });
  blocks.sort((a, b) => (a.name < b.name ? -1 : 1));
  return `${blocks.map(({ text }) => text).join('\n\n')}\n`;
}

const program = ts.createProgram(entries.map(declarations), {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  skipLibCheck: true,
  types: ['node'],
});

it.each(entries)('the public surface of %s is the one under review', async (entry) => {
  const name = entry === 'index' ? 'core' : entry;
  await expect(surface(program, declarations(entry))).toMatchFileSnapshot(`api/${name}.txt`);
});
