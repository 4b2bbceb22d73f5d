import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A process of its own each, since test files run at once. Below the package, so that its dependencies are found. */
const outdir = join(root, `node_modules/.cache/rx-lambda-stream-cli/${process.pid}`);

// Built as it is published, so that plain Node runs it: what a handler file meets is this command alone.
buildSync({
  entryPoints: [join(root, 'src/cli/main.ts')],
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  sourcemap: true,
  outdir,
});

/** The script of the command. */
export const main = join(outdir, 'main.js');

/** How a run of the bin ended. */
export interface BinResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The bin as a child process, built from its source. */
export interface Bin {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<BinResult>;
  /** Resolves with all of stdout so far once it matches. */
  readonly printed: (pattern: RegExp) => Promise<string>;
  /** The same for stderr. */
  readonly complained: (pattern: RegExp) => Promise<string>;
}

export interface BinOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
}

/** No AWS configuration of the machine, no colours forced on the command. */
export const binEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

export function startBin(args: readonly string[], options: BinOptions = {}): Bin {
  return watchProcess(process.execPath, ['--no-warnings', ...(options.nodeArgs ?? []), main, ...args], options);
}

/** Runs a line of the shell in which `bin` is the command. */
export function runShell(line: string, options: BinOptions = {}): Promise<BinResult> {
  const script = `MAIN="${main}"; bin() { "${process.execPath}" --no-warnings "$MAIN" "$@"; }; ${line}`;
  return watchProcess('bash', ['-c', script], options).ended;
}

function watchProcess(command: string, args: readonly string[], { input, env, cwd }: BinOptions): Bin {
  const child = spawn(command, args, { cwd: cwd ?? root, env: { ...binEnv, ...env } });
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      texts[name] += part;
      waiting.forEach((look) => look());
    });
  }
  const ended = new Promise<BinResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
  });
  // A reader that is gone is the test's own doing.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const matched = (name: 'stdout' | 'stderr', pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(texts[name])) return;
        waiting.delete(look);
        resolve(texts[name]);
      };
      waiting.add(look);
      void ended.then(({ code, stdout, stderr }) =>
        reject(new Error(`The bin ended with ${code ?? 'a signal'} before ${String(pattern)}:\n${stdout}\n${stderr}`)),
      );
      look();
    });
  return {
    child,
    ended,
    printed: (pattern) => matched('stdout', pattern),
    complained: (pattern) => matched('stderr', pattern),
  };
}

export function runBin(args: readonly string[], options: BinOptions = {}): Promise<BinResult> {
  return startBin(args, options).ended;
}
