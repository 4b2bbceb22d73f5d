/** `npm run docs:options`: writes docs/options.md from the declarations and docstrings of all options. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { limitOf } from './options/option-limits.js';
import { readInterfaces, type OptionField } from './options/option-interfaces.js';

const path = fileURLToPath(new URL('options.md', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));

const introduction = `# Options by function

Every option of every function, with its type, its default and its limits. The functions check their options at the
call: a value of a wrong type is a \`TypeError\`, a number out of its range a \`RangeError\`. \`Infinity\` means
"no limit" for each option whose limits name it.

<!-- Written by npm run docs:options from the docstrings in src. -->
`;

/** The entry points, by their folders in src; the core has none. */
const entries = ['', 'http', 'log', 'redis', 'relay', 'angular', 'otel', 'local'];

/** Options whose docstring does not name their function. */
const headings: Readonly<Record<string, string>> = {
  LocalLambdaOptions: '`startLocalLambda`',
  LocalFunctionConfig: '`startLocalLambda`: a function with settings',
  CloseOptions: '`startLocalLambda`: closing',
  ReconnectOptions: '`relayedInvoke`: `reconnect`',
  RelayedInvocationOptions: '`relayedInvoke`: one invocation',
  RelayGrant: '`createRelay`: what `authorize` returns',
};

const toHeading = (title: string): string => title.replaceAll(/^Options of |\.$/g, '');

/** The page as the sources have it now. */
export async function writeOptions(): Promise<string> {
  const interfaces = readInterfaces(root);
  const sections: string[] = [];
  for (const entry of entries) {
    const door = entry === '' ? 'rx-lambda-stream' : `rx-lambda-stream/${entry}`;
    const exported = readFileSync(join(root, 'src', entry, 'index.ts'), 'utf8');
    const names = new Set(exported.match(/\b\w+(?:Options|FunctionConfig|Grant)\b/g));
    const found = [...names].flatMap((name) => interfaces.get(name) ?? []);
    if (found.length > 0) sections.push(`## ${door}`);
    for (const { name, title, fields } of found) {
      const rows = await Promise.all(fields.map((field) => toRow(name, field)));
      sections.push(`### ${headings[name] ?? toHeading(title)}`, toTable(rows));
    }
  }
  const config = await resolveConfig(path);
  return format([introduction, ...sections].join('\n\n'), { ...config, filepath: path });
}

async function toRow(owner: string, { name, type, isRequired, defaultValue, meaning }: OptionField): Promise<string[]> {
  const limit = /\bnumber\b/.test(type) && !/=>/.test(type) ? await limitOf(owner, name) : undefined;
  const shownDefault = isRequired ? '**required**' : (defaultValue ?? 'none');
  return [`\`${name}\``, `\`${shorten(type)}\``, shownDefault, limit ?? '', brief(meaning)];
}

/** A cell is read at a glance: a longer sentence ends at its last clause within 190 characters. */
function brief(sentence: string): string {
  if (sentence.length <= 190) return sentence;
  const end = Math.max(...[';', ':', ','].map((mark) => sentence.lastIndexOf(`${mark} `, 189)));
  return `${sentence.slice(0, end)}.`;
}

/** Long types are on the page of the API. */
const shorten = (type: string): string => (type.length > 90 ? `${type.slice(0, 89)}…` : type);

function toTable(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  const head = ['option', 'type', 'default', 'limits', 'meaning'];
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = await writeOptions();
  if (page !== readFileSync(path, { encoding: 'utf8', flag: 'a+' })) writeFileSync(path, page);
}
