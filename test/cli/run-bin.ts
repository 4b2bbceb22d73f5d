import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** How a run of the bin ended. */
export interface BinResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The bin as a child process, run from its source. */
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
}

export function startBin(args: readonly string[], { input, env, cwd }: BinOptions = {}): Bin {
  const child = spawn(process.execPath, ['--no-warnings', '--import', 'tsx', main, ...args], {
    cwd: cwd ?? fileURLToPath(new URL('../..', import.meta.url)),
    // No AWS configuration of the machine, no colours forced on it.
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...env },
  });
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
