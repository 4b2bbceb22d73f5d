/** `npm run docs:options`: writes docs/options.md from the declarations and docstrings of the public functions. */
import { readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = fileURLToPath(new URL('options.md', import.meta.url));

const introduction = `# Options by function

Written by \`npm run docs:options\` from the docstrings. A wrong option throws at the call: a TypeError for a wrong type or
word, a RangeError for a number out of range. \`Infinity\` means "no limit" for every limit.
`;

/** An option as the page shows it. */
interface Option {
  readonly name: string;
  readonly defaultValue: string;
  readonly summary: string;
}

/** The page as the source has it. */
export async function writeOptions(): Promise<string> {
  const entries = ['', ...readdirSync(`${root}src`)].flatMap((folder) => {
    const file = `${root}src/${folder}${folder === '' ? '' : '/'}index.ts`;
    return folder !== 'cli' && ts.sys.fileExists(file) ? [file] : [];
  });
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}tsconfig.json`, (file) => ts.sys.readFile(file)).config,
    ts.sys,
    root,
  );
  const program = ts.createProgram(entries, config.options);
  const checker = program.getTypeChecker();
  const sections = entries.flatMap((entry) => {
    const file = program.getSourceFile(entry);
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) return [];
    const functions = checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const options = symbol.flags & ts.SymbolFlags.Function ? optionsOf(symbol, checker) : [];
      return options.length === 0 ? [] : [`### \`${exported.name}\`\n\n${toTable(options)}\n`];
    });
    const room = basename(entry.slice(0, -'/index.ts'.length));
    const name = room === 'src' ? 'rx-lambda-stream' : `rx-lambda-stream/${room}`;
    return functions.length === 0 ? [] : [`## ${name}\n\n${functions.join('\n')}`];
  });
  return format([introduction, ...sections].join('\n'), { ...(await resolveConfig(path)), parser: 'markdown' });
}

/** The options of all overloads of a function, each once. */
function optionsOf(symbol: ts.Symbol, checker: ts.TypeChecker): Option[] {
  const found = new Map<string, Option>();
  for (const declaration of symbol.declarations ?? []) {
    if (!ts.isFunctionDeclaration(declaration)) continue;
    for (const parameter of declaration.parameters) {
      const type = checker.getTypeAtLocation(parameter);
      for (const option of fieldsOf(type, '', checker)) found.set(option.name, found.get(option.name) ?? option);
    }
  }
  return [...found.values()];
}

/** The fields of each member of a type that is an interface of options. */
function fieldsOf(type: ts.Type, prefix: string, checker: ts.TypeChecker): Option[] {
  const members = type.isUnion() ? type.types : [type];
  return members
    .filter((member) =>
      /(?:Options|Config)$/.test((member.aliasSymbol ?? (member.symbol as ts.Symbol | undefined))?.name ?? ''),
    )
    .flatMap((member) => checker.getPropertiesOfType(member))
    .flatMap((field) => {
      const name = `${prefix}${field.name}`;
      const text = (parts: readonly ts.SymbolDisplayPart[] | undefined): string =>
        plain(ts.displayPartsToString([...(parts ?? [])]));
      const tag = field.getJsDocTags(checker).find(({ name }) => name === 'defaultValue');
      const option = {
        name,
        defaultValue: text(tag?.text),
        summary: shorten(firstSentence(text(field.getDocumentationComment(checker)))),
      };
      return [option, ...fieldsOf(checker.getTypeOfSymbol(field), `${name}.`, checker)];
    });
}

const plain = (text: string): string =>
  text
    .replaceAll(/\{@link (\S+?)\s*\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim();

const firstSentence = (text: string): string => /^.*?[.:](?= [A-Z`-]|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;

/** A cell of a table holds 200 characters: a longer sentence ends where one of its parts does. */
function shorten(sentence: string): string {
  if (sentence.length <= 200) return sentence;
  const end = sentence.slice(0, 200).search(/[;:,][^;:,]*$/);
  return `${sentence.slice(0, end)}.`;
}

function toTable(options: readonly Option[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return [
    '| option | default | effect |',
    '| --- | --- | --- |',
    ...options.map(({ name, defaultValue, summary }) => `| \`${name}\` | ${cell(defaultValue)} | ${cell(summary)} |`),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, await writeOptions());
