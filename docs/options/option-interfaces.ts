import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One field of an interface of options. */
export interface OptionField {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** What stands behind `@defaultValue`. */
  readonly defaultValue?: string;
  /** The first sentence of its docstring. */
  readonly meaning: string;
}

/** An interface of options, with the fields of what it extends. */
export interface OptionInterface {
  readonly name: string;
  /** The first sentence of its docstring. */
  readonly title: string;
  readonly fields: readonly OptionField[];
}

/** All interfaces of `src` by their name, as they are written. */
export function readInterfaces(root: string): ReadonlyMap<string, OptionInterface> {
  const declarations = new Map<string, ts.InterfaceDeclaration>();
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(root, 'src', file), 'utf8');
    for (const statement of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
      if (ts.isInterfaceDeclaration(statement)) declarations.set(statement.name.text, statement);
    }
  }
  const fieldsOf = (name: string): OptionField[] => {
    const declaration = declarations.get(name);
    if (declaration === undefined) return [];
    const bases = (declaration.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.expression));
    const inherited = bases.flatMap((base) => fieldsOf(base.getText()));
    const own = declaration.members
      .filter((member) => ts.isPropertySignature(member) || ts.isMethodSignature(member))
      .map((member) => {
        const field = toField(member);
        // An overriding field without words of its own has those of the field that it overrides.
        const overridden = inherited.find((other) => other.name === field.name);
        return { ...field, meaning: field.meaning || (overridden?.meaning ?? '') };
      });
    return [...own, ...inherited.filter((field) => !own.some(({ name: ownName }) => ownName === field.name))];
  };
  return new Map(
    [...declarations].map(([name, declaration]) => [
      name,
      { name, title: firstSentence(readDocs(declaration).text), fields: fieldsOf(name) },
    ]),
  );
}

function toField(node: ts.PropertySignature | ts.MethodSignature): OptionField {
  const { text, defaultValue } = readDocs(node);
  const type = ts.isMethodSignature(node)
    ? `(${node.parameters.map((p) => p.getText()).join(', ')}) => ${node.type?.getText() ?? 'void'}`
    : (node.type?.getText() ?? 'unknown');
  return {
    name: node.name.getText(),
    type: type.replaceAll(/\/\*\*.*?\*\//gs, '').replaceAll(/\s+/g, ' '),
    isRequired: node.questionToken === undefined,
    meaning: firstSentence(text),
    ...(defaultValue !== undefined && { defaultValue }),
  };
}

/** A docstring's text and default. */
function readDocs(node: ts.Node): { text: string; defaultValue?: string } {
  const comments = ts.getLeadingCommentRanges(node.getSourceFile().text, node.pos) ?? [];
  const texts = comments.map(({ pos, end }) => node.getSourceFile().text.slice(pos, end));
  const text = (texts.filter((comment) => comment.startsWith('/**')).at(-1) ?? '')
    .replace(/^\/\*\*\s*|\s*\*\/$/g, '')
    .replace(/^ *\* ?/gm, '')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .trim();
  const [main = '', ...tags] = text.split(/(?:^|\s)@(?=defaultValue|example|param|see|typeParam|throws)/);
  const found = tags.find((tag) => tag.startsWith('defaultValue'));
  const value = found
    ?.replace(/^defaultValue\s*/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return { text: main.trim(), ...(value !== undefined && { defaultValue: value }) };
}

/** Up to the first full stop or paragraph: a list that follows a colon is left to the page of the API. */
function firstSentence(text: string): string {
  const [paragraph = ''] = text.split(/\n\s*\n/);
  const flat = paragraph.replaceAll(/\s+/g, ' ').trim();
  return (/^.*?\.(?=\s|$)/.exec(flat)?.[0] ?? flat).replace(/:$/, '.');
}
