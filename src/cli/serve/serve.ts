import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { installAwslambda, startLocalLambda, type LocalLambda, type LocalLambdaOptions } from '../../local/index.js';
import { currentScope } from '../../local/invocation/invocation-scope.js';
import { exitCodes, UsageError } from '../command-line.js';
import { oneLine, paintFor } from '../terminal.js';
import { describeInvocation, describeProblem, greeting, stackOf } from './describe.js';
import { HandlerFiles, parseTarget, type LoadedFunctions, type ServedFunction } from './handler-files.js';
import { describeLoadError } from './load-error.js';
import { parseServeArguments } from './serve-arguments.js';
import { listenForStop, type Stop } from './stop.js';
import { FileWatch } from './watch-files.js';

/** Handlers that run when `serve` is stopped may go on for this long. */
const graceMs = 1_000;

const paint = paintFor(process.stdout);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

/** `rx-lambda-stream serve`: serves handler files until it is stopped. Resolves with the exit code. */
export async function serve(args: readonly string[]): Promise<number> {
  const {
    targets: texts,
    envFiles,
    watch,
    urlPort,
    timeoutMs,
    memoryMb,
    concurrency,
    tenantId,
    initTimeoutMs,
    ...options
  } = parseServeArguments(args);
  const targets = await Promise.all([...new Set(texts)].map(parseTarget));
  envFiles.forEach(loadEnvFile);
  // As on AWS, code outside of the handlers finds a region too.
  process.env['AWS_REGION'] ??= process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  installAwslambda();
  const files = new HandlerFiles(
    targets,
    {
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(memoryMb !== undefined && { memoryMb }),
      ...(concurrency !== undefined && { reservedConcurrency: concurrency }),
      ...(tenantId !== undefined && { tenantId }),
    },
    { initTimeoutMs },
  );
  // The endpoint looks functions up here at each request. It has no prototype, because names come from clients.
  const functions = Object.create(null) as Record<string, ServedFunction>;
  const stop = listenForStop();
  const release = tellOfStrayFailures(stop);
  try {
    const loaded = await Promise.race([files.load(), stop.requested]);
    if (!loaded) return exitCodes.ok;
    if (!(await take(loaded, functions))) return exitCodes.unexpected;
    const local = await listen({
      ...options,
      functions,
      functionUrls: urlPort === undefined ? false : { port: urlPort },
      keepRequests: false,
      onInvocation: (invocation) => say(describeInvocation(invocation, paint)),
      onProblem: (problem) => complain(describeProblem(problem, paint)),
    });
    say(greeting(local, functions, paint));
    const fileWatch = watch ? reloadOnChange(files, functions, local) : undefined;
    await stop.requested;
    fileWatch?.close();
    await local.close({ graceMs });
    return exitCodes.ok;
  } finally {
    release();
    stop.release();
  }
}

/** Starts the endpoint. @throws an error that tells how to choose another port, where one is taken. */
async function listen(options: LocalLambdaOptions): Promise<LocalLambda> {
  try {
    return await startLocalLambda(options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`${message}. Choose another port with --port, or 0 for a free one`, { cause: error });
  }
}

/** Replaces the served functions and prints failures. Resolves with true where every file was loaded. */
async function take(loaded: LoadedFunctions, functions: Record<string, ServedFunction>): Promise<boolean> {
  for (const { file, error } of loaded.failures) {
    complain(`${paint('red', 'cannot load')} ${await describeLoadError(file, error)}`);
  }
  for (const file of loaded.emptyFiles) complain(`${paint('yellow', 'no functions')} are exported by ${oneLine(file)}`);
  for (const name of Object.keys(functions)) Reflect.deleteProperty(functions, name);
  Object.assign(functions, Object.fromEntries(loaded.functions));
  return loaded.failures.length === 0;
}

function reloadOnChange(files: HandlerFiles, functions: Record<string, ServedFunction>, local: LocalLambda): FileWatch {
  const reload = async (): Promise<void> => {
    files.startOver();
    const loaded = await files.load();
    // A later change has begun to load.
    if (loaded === undefined) return;
    const isWell = await take(loaded, functions);
    fileWatch.watch(files.loadedFiles);
    const known = { ...local.functionUrls };
    try {
      await local.openFunctionUrls();
    } catch (error) {
      complain(`${paint('red', 'no URL')} for a new function: ${oneLine((error as Error).message)}`);
    }
    if (isWell) say(`${paint('cyan', 'loaded')} ${Object.keys(functions).join(', ')}`);
    for (const [name, url] of Object.entries(local.functionUrls)) if (!(name in known)) say(`  ${name}  ${url}`);
  };
  const fileWatch = new FileWatch(
    Object.values(functions).map(({ file }) => file),
    {
      onChange: () => void reload(),
      onFailure: (folder, error) => {
        complain(
          `${paint('yellow', 'not watched')}: ${oneLine(folder)} (${oneLine(error.message)}); restart to load changes`,
        );
      },
    },
  );
  fileWatch.watch(files.loadedFiles);
  return fileWatch;
}

/** Reads variables as `node --env-file` does: variables that are set already stay. */
function loadEnvFile(file: string): void {
  try {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(file, 'utf8')))) process.env[name] ??= value;
  } catch (error) {
    throw new UsageError(`--env-file cannot be read: ${(error as Error).message}`);
  }
}

/** Prints errors that belong to no invocation, such as one in a timer of a handler file. The functions go on. */
function tellOfStrayFailures(stop: Stop): () => void {
  const onError = (error: unknown): void => {
    // The endpoint gives an invocation's own errors to that invocation.
    if (currentScope() !== undefined) return;
    complain(`${paint('red', 'uncaught')} outside of an invocation: ${stackOf(error)}`);
  };
  const onExit = (code: number): void => {
    if (stop.isRequested()) return;
    process.exitCode = exitCodes.unexpected;
    complain(`${paint('red', 'ended')}: a handler file called process.exit(${code}) outside of an invocation`);
  };
  process.on('uncaughtException', onError).on('unhandledRejection', onError).on('exit', onExit);
  return () => process.off('uncaughtException', onError).off('unhandledRejection', onError).off('exit', onExit);
}
