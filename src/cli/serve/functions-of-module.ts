import { basename, extname } from 'node:path';
import type { LocalFunction } from '../../local/index.js';

/**
 * The functions that a handler file exports, by the name they are served under: that of the file where there is one
 * function, `file.export` for each where there are several.
 */
export function functionsOfModule(file: string, module: Record<string, unknown>): Map<string, LocalFunction> {
  const base = basename(file, extname(file)).replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  const found = Object.entries(exportsOf(module)).filter((entry): entry is [string, LocalFunction] =>
    isFunction(entry[1]),
  );
  const [only] = found;
  if (found.length === 1 && only) return new Map([[base, only[1]]]);
  return new Map(found.map(([name, fn]) => [`${base}.${name}`, fn]));
}

/** Node shows a CommonJS module's exports under `default`, and those it can make out by name as well. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  const { default: main, 'module.exports': commonJs, ...named } = module;
  const whole = commonJs ?? main;
  const isObject = typeof whole === 'object' && whole !== null && !isFunction(whole);
  return { ...named, ...(isObject ? whole : main !== undefined && { default: main }) };
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'scripted';
}
