import { format } from 'node:util';
import { captureFailures } from './capture-failures.js';
import { currentScope, runInScope } from './invocation-scope.js';

let captures = 0;
let undo: (() => void)[] = [];

/**
 * Gives each invocation its own view of the process. The console and the standard streams write to the running
 * invocation's log, and `process.env` holds its variables. An uncaught error or `process.exit` ends that invocation
 * alone.
 *
 * @returns The function that undoes it, once. The last one to undo restores the process.
 */
export function captureProcess(): () => void {
  if (captures++ === 0) {
    const methods = Object.keys(levels) as ConsoleMethod[];
    undo = [
      ...methods.map(captureConsole),
      captureStream(process.stdout),
      captureStream(process.stderr),
      captureEnvironment(),
      captureFailures(),
    ];
  }
  let undone = false;
  return () => {
    if (undone) return;
    undone = true;
    if (--captures === 0) undo.forEach((undoOne) => undoOne());
  };
}

const levels = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' } as const;
type ConsoleMethod = keyof typeof levels;

function captureConsole(method: ConsoleMethod): () => void {
  const original = Reflect.get(console, method) as (...values: unknown[]) => void;
  const patched = (...values: unknown[]): void => {
    currentScope()?.log.appendRecord(levels[method], format(...values));
    // The console writes to the streams. Outside of the scope they do not record the text a second time.
    runInScope(undefined, () => Reflect.apply(original, console, values));
  };
  console[method] = patched;
  return () => {
    // A patch that somebody else has made since then stays.
    if (console[method] === patched) console[method] = original;
  };
}

function captureStream(stream: NodeJS.WriteStream): () => void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was; called with its stream below
  const original = stream.write;
  const patched = function (chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    currentScope()?.log.append(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    return (original as (...parts: unknown[]) => boolean).call(stream, chunk, ...rest);
  } as typeof stream.write;
  stream.write = patched;
  return () => {
    if (stream.write === patched) stream.write = original;
  };
}

/** Shows an invocation its own variables over those of the process. All other variables are set for the process. */
function captureEnvironment(): () => void {
  const original = process.env;
  const own = (name: string | symbol): Record<string, string> | undefined => {
    const environment = currentScope()?.environment;
    return environment !== undefined && Object.hasOwn(environment, name) ? environment : undefined;
  };
  const patched = new Proxy(original, {
    get: (target, name) => Reflect.get(own(name) ?? target, name) as unknown,
    set: (target, name, value) => {
      const overlay = own(name);
      // The process's own environment turns every value into text.
      return Reflect.set(overlay ?? target, name, overlay === undefined ? value : String(value));
    },
    has: (target, name) => own(name) !== undefined || Reflect.has(target, name),
    deleteProperty: (target, name) => Reflect.deleteProperty(own(name) ?? target, name),
    ownKeys: (target) => [...new Set([...Reflect.ownKeys(target), ...Object.keys(currentScope()?.environment ?? {})])],
    getOwnPropertyDescriptor: (target, name) => Reflect.getOwnPropertyDescriptor(own(name) ?? target, name),
  });
  process.env = patched;
  return () => {
    if (process.env === patched) process.env = original;
  };
}
