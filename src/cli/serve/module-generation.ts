import * as nodeModule from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';

/** The query parameter that gives a module a new URL, so that Node loads it again. */
const parameter = 'rx-lambda-stream-generation';

/** Imports modules anew, together with everything that they import outside of packages. */
export interface ModuleLoader {
  /** Loads a file in the present generation. */
  load(file: string): Promise<Record<string, unknown>>;
  /** Makes the next `load` read everything again. */
  nextGeneration(): void;
  /** The files that were loaded so far, imports included and packages excluded. */
  loadedFiles(): string[];
}

/** Makes a loader of ES modules and CommonJS modules. */
export function createModuleLoader(): ModuleLoader {
  const { cache } = nodeModule.createRequire(pathToFileURL(`${process.cwd()}/`));
  const own = new Set(Object.keys(cache));
  const handlerModules = (): string[] => Object.keys(cache).filter((path) => !own.has(path) && !isInPackage(path));
  const loaded = new Set<string>();
  watchImports((parent, url) => {
    // Only the handler files and what they import: this package's own imports pass here as well.
    if (loaded.has(fileOf(parent))) loaded.add(fileOf(url));
  });
  let generation = 1;
  return {
    async load(file) {
      loaded.add(file);
      const url = pathToFileURL(file);
      // The first generation has plain names, so that traces show them.
      if (generation > 1) url.searchParams.set(parameter, String(generation));
      return (await import(url.href)) as Record<string, unknown>;
    },
    nextGeneration() {
      generation += 1;
      for (const path of handlerModules()) {
        // Deleting is how a CommonJS module is unloaded.
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
        delete cache[path];
      }
    },
    loadedFiles: () => [...new Set([...loaded, ...handlerModules()])],
  };
}

/** Reports each import of a file outside of packages. */
type OnImport = (parentUrl: string, url: string) => void;

/** Hands the generation of an importing module on to the modules that it imports, and reports these imports. */
function watchImports(onImport: OnImport): void {
  // Node 22.12 to 22.14 have no hooks on the main thread. They alone take the older way, which later versions
  // deprecate.
  if (!('registerHooks' in nodeModule)) {
    registerOnLoaderThread(onImport);
    return;
  }
  nodeModule.registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const { parentURL, conditions } = context;
      if (parentURL === undefined || !resolved.url.startsWith('file:') || isInPackage(resolved.url)) return resolved;
      onImport(parentURL, resolved.url);
      const generation = new URL(parentURL).searchParams.get(parameter);
      // A required module is known by its path: its URL stays as it is, and `nextGeneration` unloads it.
      if (generation === null || !conditions.includes('import')) return resolved;
      const url = new URL(resolved.url);
      url.searchParams.set(parameter, generation);
      return { ...resolved, url: url.href };
    },
  });
}

const loaderThreadHooks = `
let port;
export function initialize(data) { port = data.port; }
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  if (context.parentURL === undefined || !resolved.url.startsWith('file:')) return resolved;
  if (resolved.url.includes('/node_modules/')) return resolved;
  port.postMessage([context.parentURL, resolved.url]);
  const generation = new URL(context.parentURL).searchParams.get('${parameter}');
  if (generation === null) return resolved;
  const url = new URL(resolved.url);
  url.searchParams.set('${parameter}', generation);
  return { ...resolved, url: url.href };
}`;

function registerOnLoaderThread(onImport: OnImport): void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', ([parentUrl, url]: [string, string]) => onImport(parentUrl, url));
  port1.unref();
  const register = Reflect.get(nodeModule, 'register') as (specifier: string, options: object) => void;
  register(`data:text/javascript,${encodeURIComponent(loaderThreadHooks)}`, {
    data: { port: port2 },
    transferList: [port2],
  });
}

function isInPackage(pathOrUrl: string): boolean {
  return /[\\/]node_modules[\\/]/.test(pathOrUrl);
}

/** Returns the path of a module's URL. The generation is not part of it. */
function fileOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : url;
}

/** Removes the generations from the file names in a text of Node's. */
export function withoutGenerations(text: string): string {
  return text.replaceAll(new RegExp(`[?&]${parameter}=\\d+`, 'g'), '').replaceAll('file://', '');
}
