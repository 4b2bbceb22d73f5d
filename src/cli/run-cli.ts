import { exitCodes } from './exit-codes.js';
import { help } from './help.js';
import { paintFor } from './paint.js';
import { UsageError } from './usage-error.js';
import { readVersion } from './version.js';

// Loaded when asked for: the help needs neither the SDK nor the endpoint.
const commands = {
  invoke: async (args: readonly string[]) => (await import('./invoke/invoke.js')).invoke(args),
  serve: async (args: readonly string[]) => (await import('./serve/serve.js')).serve(args),
} as const;

type Command = keyof typeof commands;

/** Runs a command line. Resolves with the exit code; only `serve` keeps on until it is stopped. */
export async function runCli(args: readonly string[]): Promise<number> {
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
      process.stderr.write(`${paint('red', 'usage')}: ${error.message}\n`);
      process.stderr.write(`See rx-lambda-stream ${isCommand(name) ? `${name} ` : ''}--help\n`);
      return exitCodes.usage;
    }
    process.stderr.write(`${paint('red', 'error')}: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.unexpected;
  }
}

function isCommand(name: string): name is Command {
  return Object.hasOwn(commands, name);
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}
