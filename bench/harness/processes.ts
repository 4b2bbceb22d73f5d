import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { compile } from './compile.js';

/** Starts a script as a process of its own. */
export type StartProcess = (script: URL, ...args: string[]) => Promise<ChildProcess>;

/** Lets the work start processes, and ends them when the work is done or has failed. */
export async function withProcesses<Result>(work: (start: StartProcess) => Promise<Result>): Promise<Result> {
  const children: ChildProcess[] = [];
  try {
    return await work(async (script, ...args) => {
      const child = fork(await compile(script), args, {
        // These replace this process's own arguments, which load tsx. The flag adds globalThis.gc.
        execArgv: ['--expose-gc'],
        env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
        // This serialization carries bigints.
        serialization: 'advanced',
      });
      children.push(child);
      return child;
    });
  } finally {
    await Promise.all(children.map(endProcess));
  }
}

/** Starts a process for each contender. */
export async function startEach<Name extends string>(
  names: readonly Name[],
  start: (name: Name) => Promise<ChildProcess>,
): Promise<Readonly<Record<Name, ChildProcess>>> {
  const started = await Promise.all(names.map(async (name) => [name, await start(name)] as const));
  return Object.fromEntries(started) as Record<Name, ChildProcess>;
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

/** Resolves with the next message that has this field. Rejects when the process ends instead. */
export function nextMessage<Message extends object>(child: ChildProcess, field: keyof Message): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: object): void => {
      if (!(field in message)) return;
      stop();
      resolve(message as Message);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      stop();
      reject(new Error(`A process of the benchmark ended (${signal ?? `exit code ${code ?? '?'}`})`));
    };
    const stop = (): void => void child.off('message', onMessage).off('exit', onExit);
    child.on('message', onMessage).on('exit', onExit);
  });
}
