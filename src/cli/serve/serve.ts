import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { installAwslambda, startLocalLambda, type LocalFunction, type LocalLambda } from '../../local/index.js';
import { describeInvocation } from './describe-invocation.js';
import { functionsOfModule } from './functions-of-module.js';
import { describeLoadError } from './load-error.js';
import { createModuleLoader, withoutGenerations } from './module-generation.js';
import { manyLines, paintFor } from '../terminal.js';
import { parseServeArguments } from './serve-arguments.js';
import { exitCodes, UsageError } from '../command-line.js';
import { watchFolders } from './watch-folders.js';

/** `rx-lambda-stream serve`: serves handler files until a signal comes. Resolves with the exit code. */
export async function serve(args: readonly string[]): Promise<number> {
  const { port, host, cors, timeoutMs, watch, ...given } = parseServeArguments(args);
  const files = [...new Set(given.files.map((file) => resolve(file)))];
  for (const file of files) {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) throw new UsageError(`serve needs files; this is none: ${file}`);
  }
  const paint = paintFor(process.stdout);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const complain = (line: string): void => void process.stderr.write(`${line}\n`);

  installAwslambda();
  const loader = createModuleLoader();
  const byFile = new Map<string, Map<string, LocalFunction>>();
  // The endpoint looks functions up here for each request. No prototype: names come from outside.
  const functions = Object.create(null) as Record<string, LocalFunction>;

  /** Loads every file; one that cannot be loaded keeps what it had. Answers whether all could. */
  async function load(): Promise<boolean> {
    let isWell = true;
    for (const file of files) {
      try {
        byFile.set(file, functionsOfModule(file, await loader.load(file)));
        if (byFile.get(file)?.size === 0) complain(`${paint('yellow', 'no functions')} are exported by ${file}`);
      } catch (error) {
        isWell = false;
        complain(`${paint('red', 'cannot load')} ${manyLines(await describeLoadError(file, error))}`);
      }
    }
    for (const name of Object.keys(functions)) Reflect.deleteProperty(functions, name);
    for (const [file, found] of byFile) {
      for (const [name, fn] of found) {
        if (name in functions) complain(`${paint('yellow', 'twice')}: ${name}, now from ${file}`);
        functions[name] = timeoutMs === undefined ? fn : ({ handler: fn, timeoutMs } as LocalFunction);
      }
    }
    return isWell;
  }

  if (!(await load())) return exitCodes.unexpected;
  const local = await startLocalLambda({
    functions,
    host,
    port,
    cors,
    keepRequests: false,
    onInvocation: (invocation) => say(describeInvocation(invocation, paint)),
  });
  say(greeting(local, byFile, paint('bold', local.endpoint)));

  // What a handler throws where nobody can catch it: on AWS it ends the runtime, here the others shall live on.
  const survive = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    complain(`${paint('red', 'uncaught')} in a function: ${manyLines(withoutGenerations(text))}`);
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);

  let loading = Promise.resolve(true);
  const unwatch = watch
    ? watchFolders(files, () => {
        loading = loading.then(async () => {
          loader.nextGeneration();
          if (await load()) say(`${paint('cyan', 'loaded')} ${Object.keys(functions).join(', ')}`);
          return true;
        });
      })
    : () => undefined;
  await stopSignal();
  unwatch();
  await loading;
  await local.close();
  process.off('uncaughtException', survive);
  process.off('unhandledRejection', survive);
  return exitCodes.ok;
}

function greeting(
  { clientConfig }: LocalLambda,
  byFile: ReadonlyMap<string, ReadonlyMap<string, LocalFunction>>,
  endpoint: string,
): string {
  const names = [...byFile].flatMap(([file, found]) => [...found.keys()].map((name) => `  ${name.padEnd(24)} ${file}`));
  const config = JSON.stringify(clientConfig, null, 2)
    .replaceAll(/"(\w+)":/g, '$1:')
    .replaceAll('"', "'");
  return [`Listening on ${endpoint}`, ...names, '', `new LambdaClient(${config});`, ''].join('\n');
}

function stopSignal(): Promise<void> {
  return new Promise((resolveStop) => {
    process.once('SIGINT', () => resolveStop());
    process.once('SIGTERM', () => resolveStop());
  });
}
