import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';

/** What `LogType: Tail` sends: the last 4 KB. */
const tailBytes = 4_096;

/** What one invocation printed, its end only. */
export class InvocationLog {
  readonly requestId: string;
  #kept = Buffer.alloc(0);

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  append(text: string): void {
    this.#kept = Buffer.concat([this.#kept, Buffer.from(text)]).subarray(-tailBytes);
  }

  /** A line as the official runtime's console writes it. */
  appendRecord(level: string, text: string): void {
    this.append(`${new Date().toISOString()}\t${this.requestId}\t${level}\t${text}\n`);
  }

  /** The last 4 KB; a character cut in two at their start becomes U+FFFD. */
  get tail(): string {
    return this.#kept.toString();
  }
}

const current = new AsyncLocalStorage<InvocationLog | undefined>();

/** Runs a function so that all it prints, now and in whatever it starts, goes to this log as well. */
export function runWithLog<Result>(log: InvocationLog, run: () => Result): Result {
  return current.run(log, run);
}

const levels = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' } as const;
type ConsoleMethod = keyof typeof levels;

let captures = 0;
let restore: (() => void) | undefined;

/**
 * Makes the process's console and standard streams report to the running invocation's log, besides printing. Answers
 * with a function that undoes it, once; the last to undo restores what was there.
 */
export function captureOutput(): () => void {
  if (captures++ === 0) restore = patchOutput();
  let undone = false;
  return () => {
    if (undone) return;
    undone = true;
    if (--captures === 0) restore?.();
  };
}

function patchOutput(): () => void {
  const undo = [
    ...(Object.keys(levels) as ConsoleMethod[]).map(patchConsole),
    patchStream(process.stdout),
    patchStream(process.stderr),
  ];
  return () => undo.forEach((undoOne) => undoOne());
}

function patchConsole(method: ConsoleMethod): () => void {
  const original = Reflect.get(console, method) as (...values: unknown[]) => void;
  const patched = (...values: unknown[]): void => {
    current.getStore()?.appendRecord(levels[method], format(...values));
    // The console prints through the streams, where the same text would be taken for a second one.
    current.run(undefined, () => Reflect.apply(original, console, values));
  };
  console[method] = patched;
  return () => {
    // Someone else's patch on top of this one must stay.
    if (console[method] === patched) console[method] = original;
  };
}

function patchStream(stream: NodeJS.WriteStream): () => void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was; called with its stream below
  const original = stream.write;
  const patched = function (chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    current.getStore()?.append(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    return (original as (...parts: unknown[]) => boolean).call(stream, chunk, ...rest);
  } as typeof stream.write;
  stream.write = patched;
  return () => {
    if (stream.write === patched) stream.write = original;
  };
}
