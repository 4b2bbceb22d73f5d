import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withoutGenerations } from './module-generation.js';

/** Why a handler file could not be loaded, with the file and line as far as Node knows them. */
export async function describeLoadError(file: string, error: unknown): Promise<string> {
  const stack = withoutGenerations(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof SyntaxError && !stack.includes(file)) {
    // Of an ES module's syntax error only the command line says where it is.
    const checked = await checkSyntax(file);
    if (checked !== undefined) return checked;
  }
  const lines = stack.split('\n').filter((line) => !/^ +at .*(node:internal\/|data:text\/javascript)/.test(line));
  return stack.includes(file) ? lines.join('\n') : `${file}\n${lines.join('\n')}`;
}

/** What \`node --check\` has to say against a file. */
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
