import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The query parameter that makes a module's URL, and thereby the module, a new one. */
const parameter = 'rx-lambda-stream-generation';

/** Passes the generation of an importing module on to what it imports, packages excepted. Runs on the loader's thread. */
const loaderHook = `
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  if (context.parentURL === undefined || !resolved.url.startsWith('file:')) return resolved;
  if (resolved.url.includes('/node_modules/')) return resolved;
  const generation = new URL(context.parentURL).searchParams.get('${parameter}');
  if (generation === null) return resolved;
  const url = new URL(resolved.url);
  url.searchParams.set('${parameter}', generation);
  return { ...resolved, url: url.href };
}`;

/** Imports modules anew, with all that they import except packages. */
export interface ModuleLoader {
  /** Loads a file in the present generation. */
  load(file: string): Promise<Record<string, unknown>>;
  /** From now on everything is loaded anew. */
  nextGeneration(): void;
}

/** Makes a loader; ES modules and CommonJS alike. */
export function createModuleLoader(): ModuleLoader {
  register(`data:text/javascript,${encodeURIComponent(loaderHook)}`);
  const { cache } = createRequire(pathToFileURL(`${process.cwd()}/`));
  const own = new Set(Object.keys(cache));
  let generation = 1;
  return {
    async load(file) {
      const url = pathToFileURL(file);
      // The first generation has plain names, so that traces show them.
      if (generation > 1) url.searchParams.set(parameter, String(generation));
      return (await import(url.href)) as Record<string, unknown>;
    },
    nextGeneration() {
      generation += 1;
      for (const path of Object.keys(cache)) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the way to unload a CommonJS module
        if (!own.has(path) && !path.includes('/node_modules/')) delete cache[path];
      }
    },
  };
}

/** A text of Node's without the generations in its file names. */
export function withoutGenerations(text: string): string {
  return text.replaceAll(new RegExp(`[?&]${parameter}=\\d+`, 'g'), '').replaceAll('file://', '');
}
