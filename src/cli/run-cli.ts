import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exitCodes, UsageError } from './command-line.js';
import { help } from './help.js';
import { manyLines, paintFor } from './terminal.js';

// Each command is loaded when it is called, because `--help` needs neither the SDK nor the endpoint.
const commands = {
  invoke: async (args: readonly string[]) => (await import('./invoke/invoke.js')).invoke(args),
  serve: async (args: readonly string[]) => (await import('./serve/serve.js')).serve(args),
} as const;

type Command = keyof typeof commands;

/** Runs a command line. Resolves with the exit code; `serve` resolves when it is stopped. */
export async function runCli(args: readonly string[]): Promise<number> {
  // Without a listener a reader that went away (EPIPE) would end the process with a stack trace.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', reportBrokenOutput);
  const [name = '', ...rest] = args;
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${readVersion()}\n`);
    return exitCodes.ok;
  }
  if (name === '--help' || name === '-h' || name === 'help' || (isCommand(name) && asksForHelp(rest))) {
    const topic = isCommand(name) ? name : (rest[0] ?? '');
    process.stdout.write(isCommand(topic) ? help[topic] : help.main);
    return exitCodes.ok;
  }
  const paint = paintFor(process.stderr);
  try {
    if (!isCommand(name)) throw new UsageError(name === '' ? 'A command is missing' : `There is no command ${name}`);
    return await commands[name](rest);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${paint('red', 'usage')}: ${manyLines(error.message)}\n`);
      process.stderr.write(`See rx-lambda-stream ${isCommand(name) ? `${name} ` : ''}--help\n`);
      return exitCodes.usage;
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${paint('red', 'error')}: ${manyLines(message)}\n`);
    return exitCodes.unexpected;
  }
}

/** Ends the process where its output cannot be written, such as on a full disk. A pipe's reader may leave freely. */
function reportBrokenOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`error: the output cannot be written: ${error.message}\n`, () => {
    process.exit(exitCodes.unexpected);
  });
}

function isCommand(name: string): name is Command {
  return Object.hasOwn(commands, name);
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

/** Reads this package's version from the package.json above the running script. */
function readVersion(): string {
  for (let folder = dirname(realpathSync(process.argv[1] ?? '')); ; folder = dirname(folder)) {
    const found = versionIn(join(folder, 'package.json'));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return 'unknown';
  }
}

function versionIn(file: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    return name === 'rx-lambda-stream' ? version : undefined;
  } catch {
    // This folder has no package.json. The folder above may have it.
    return undefined;
  }
}
