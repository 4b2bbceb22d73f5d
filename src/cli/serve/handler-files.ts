import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LocalFunction, LocalFunctionConfig } from '../../local/index.js';
import { functionOfModule, functionsOfModule } from '../../local/runtime/functions-of-module.js';
import { UsageError } from '../command-line.js';
import { settledLoad } from './settled-load.js';
import { createModuleLoader } from './module-generation.js';

/** A handler file, and which of its functions are served. */
export interface Target {
  readonly file: string;
  /** The name of its main function, instead of the file's. */
  readonly name?: string;
  /** The only export to serve. */
  readonly exportName?: string;
}

/** A function that is served, with the file it comes from. */
export interface ServedFunction extends LocalFunctionConfig {
  readonly file: string;
}

/**
 * Reads `FILE` or `NAME=FILE#export`. Only FILE has to be there. A path that itself holds a `=` or `#` works as it is
 * written.
 *
 * @throws UsageError where the path is not a file.
 */
export async function parseTarget(text: string): Promise<Target> {
  if (await isFile(text)) return { file: resolve(text) };
  const [, name, path = '', exportName] = /^(?:([A-Za-z0-9_.-]+)=)?(.*?)(?:#([^#]+))?$/s.exec(text) ?? [];
  if (!(await isFile(path))) throw new UsageError(`serve needs files, and this is not a file: ${resolve(path)}`);
  return {
    file: resolve(path),
    ...(name !== undefined && { name }),
    ...(exportName !== undefined && { exportName }),
  };
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true;
}

/** A file that could not be loaded, or whose functions cannot be served. */
export interface LoadFailure {
  readonly file: string;
  readonly error: unknown;
}

/** The result of a load. */
export interface LoadedFunctions {
  readonly functions: ReadonlyMap<string, ServedFunction>;
  /** The functions by name. A file that fails to load keeps its earlier functions. */
  readonly failures: readonly LoadFailure[];
  /** Files without any function. */
  readonly emptyFiles: readonly string[];
}

/** Loads handler files, again and again. */
export class HandlerFiles {
  readonly #targets: readonly Target[];
  readonly #settings: Omit<LocalFunctionConfig, 'handler'>;
  readonly #initTimeoutMs: number;
  readonly #loader = createModuleLoader();
  #found = new Map<Target, Map<string, LocalFunction>>();
  #load = 0;

  constructor(
    targets: readonly Target[],
    settings: Omit<LocalFunctionConfig, 'handler'>,
    { initTimeoutMs }: { readonly initTimeoutMs: number },
  ) {
    this.#targets = targets;
    this.#settings = settings;
    this.#initTimeoutMs = initTimeoutMs;
  }

  /** The files that have been loaded, imports included. */
  get loadedFiles(): readonly string[] {
    return this.#loader.loadedFiles();
  }

  /** Makes the next load read everything again. */
  startOver(): void {
    this.#loader.nextGeneration();
  }

  /** Loads every file. Resolves with undefined where a later call has begun meanwhile, which has the result. */
  async load(): Promise<LoadedFunctions | undefined> {
    const load = ++this.#load;
    const found = new Map(this.#found);
    const failures: LoadFailure[] = [];
    for (const target of this.#targets) {
      try {
        found.set(target, pick(target, await settledLoad(this.#loader.load(target.file), this.#initTimeoutMs)));
      } catch (error) {
        failures.push({ file: target.file, error });
      }
      if (load !== this.#load) return undefined;
    }
    this.#found = found;
    return {
      ...this.#merge(failures),
      emptyFiles: [...found].flatMap(([{ file }, own]) => (own.size > 0 ? [] : file)),
    };
  }

  #merge(failures: LoadFailure[]): Pick<LoadedFunctions, 'functions' | 'failures'> {
    const functions = new Map<string, ServedFunction>();
    for (const [{ file }, found] of this.#found) {
      for (const [name, fn] of found) {
        const other = functions.get(name);
        if (other === undefined) {
          const handler = fn as LocalFunctionConfig['handler'];
          functions.set(name, { file, handler, environment: { LAMBDA_TASK_ROOT: dirname(file) }, ...this.#settings });
        } else {
          const message = `${name} is a function of ${other.file} already: name this one, as in NAME=${file}#export`;
          failures.push({ file, error: new NameCollisionError(message) });
        }
      }
    }
    return { functions, failures };
  }
}

/** Thrown where two functions have the same name. */
export class NameCollisionError extends Error {
  override readonly name = 'NameCollisionError';
}

function pick({ file, name, exportName }: Target, module: Record<string, unknown>): Map<string, LocalFunction> {
  // The function gets the name that was asked for: the rule of names reads only a path.
  const found = functionsOfModule(name === undefined ? file : `/${name}.js`, module);
  const chosen = exportName === undefined ? undefined : functionOfModule(file, module, exportName);
  if (chosen !== undefined) {
    const [ownName = exportName ?? ''] = [...found].find(([, fn]) => fn === chosen) ?? [];
    return new Map([[name ?? ownName, chosen]]);
  }
  const [only] = found.values();
  return name !== undefined && found.size === 1 && only !== undefined ? new Map([[name, only]]) : found;
}
