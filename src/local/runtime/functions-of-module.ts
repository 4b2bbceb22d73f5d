import { basename, dirname, extname } from 'node:path';
import { isPlainObject } from '../../shared/json.js';
import { isScripted, type LocalFunction } from './local-function.js';

/**
 * Names the functions that a handler file exports.
 *
 * - An export called `handler`, or else a default export that is a function, has the file's name. In a file `index.*`
 *   it has the folder's name.
 * - Every other exported function is `file.export`. Classes and objects with methods are not functions.
 *
 * @param file - The file's path; only its names are used.
 * @param module - What `import()` of the file resolved with, of an ES module or of CommonJS.
 */
export function functionsOfModule(file: string, module: Readonly<Record<string, unknown>>): Map<string, LocalFunction> {
  const found = functionsByExport(module);
  const base = nameOfFile(file);
  const main = ['handler', 'default'].find((name) => found.has(name));
  const named = new Map<string, LocalFunction>();
  for (const [name, fn] of found) {
    if (name === main) named.set(base, fn);
    // `export default handler` beside `export const handler` is one function.
    else if (name !== 'default' || fn !== found.get('handler')) named.set(`${base}.${name}`, fn);
  }
  return named;
}

/**
 * Picks one export of a handler file, as `FILE#export` asks for.
 *
 * @throws TypeError where the file exports no function of that name. The message lists the functions that it exports.
 */
export function functionOfModule(
  file: string,
  module: Readonly<Record<string, unknown>>,
  exportName: string,
): LocalFunction {
  const found = functionsByExport(module);
  const fn = found.get(exportName);
  if (fn !== undefined) return fn;
  const others = found.size === 0 ? 'no function' : [...found.keys()].join(', ');
  throw new TypeError(`${file} exports no function ${exportName}; it exports ${others}`);
}

/** Returns the name of a file's main function. Characters that Lambda refuses become dashes. */
function nameOfFile(file: string): string {
  const base = basename(file, extname(file));
  const name = base === 'index' ? basename(dirname(file)) || base : base;
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, '-');
}

function functionsByExport(module: Readonly<Record<string, unknown>>): Map<string, LocalFunction> {
  return new Map(
    Object.entries(exportsOf(module)).filter((entry): entry is [string, LocalFunction] => isFunction(entry[1])),
  );
}

/**
 * Returns a module's exports by name. Node shows the exports of a CommonJS module under `default`, and those that it
 * finds in the source text by name as well. The methods of a class instance are not handlers.
 */
function exportsOf(module: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { default: main, 'module.exports': commonJs, ...named } = module;
  const whole = commonJs ?? main;
  if (isPlainObject(whole) && !isFunction(whole)) return { ...named, ...whole };
  return { ...named, ...(whole !== undefined && { default: whole }) };
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function' ? !isClass(value) : isScripted(value);
}

/** Recognises a class by its source text. A class is not a handler, because a call without `new` throws. */
export function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
