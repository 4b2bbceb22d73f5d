import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { manyLines } from '../terminal.js';
import { withoutGenerations } from './module-generation.js';
import { NameCollisionError } from './handler-files.js';
import { UnsettledLoadError } from './settled-load.js';

/** Explains why a handler file could not be loaded, with the file and the line that Node tells. */
export async function describeLoadError(file: string, error: unknown): Promise<string> {
  return manyLines(await explain(file, error));
}

async function explain(file: string, error: unknown): Promise<string> {
  const { code } = error as { readonly code?: string };
  if (error instanceof UnsettledLoadError || error instanceof NameCollisionError) return `${file}\n${error.message}`;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?tsx?$/.test(file)) {
    return [
      file,
      `Node ${process.version} does not load this TypeScript file by itself. Node 22.18 and later do (.ts, not .tsx);`,
      'an older one with NODE_OPTIONS=--experimental-strip-types; ' +
        "any with NODE_OPTIONS='--import tsx', once tsx is installed.",
    ].join('\n');
  }
  const stack = withoutGenerations(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return [
      file,
      stack.split('\n')[0] ?? '',
      "Node only strips types. NODE_OPTIONS='--import tsx' translates all of TypeScript, once tsx is installed.",
    ].join('\n');
  }
  if (error instanceof SyntaxError && !stack.includes(file)) {
    // Only the command line says where an ES module's syntax error is.
    const checked = await checkSyntax(file);
    if (checked !== undefined) return checked;
  }
  const lines = stack.split('\n').filter((line) => !/^ +at .*(node:internal\/|data:text\/javascript)/.test(line));
  return stack.includes(file) ? lines.join('\n') : `${file}\n${lines.join('\n')}`;
}

/** Returns what `node --check` finds wrong with a file, or undefined. */
async function checkSyntax(file: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(process.execPath, ['--check', file]);
    return undefined;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const [before = ''] = withoutGenerations(stderr).split(/\n\s+at /, 1);
    return before.trim() === '' ? undefined : before.trim();
  }
}
