import { AsyncLocalStorage } from 'node:async_hooks';
import type { FunctionFailure } from './describe-failure.js';

/** How much of the log `LogType: Tail` sends, in bytes. */
const tailBytes = 4_096;

/** The end of what one invocation printed. */
export class PrintedLog {
  readonly requestId: string;
  #kept = Buffer.alloc(0);

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  append(text: string): void {
    this.#kept = Buffer.concat([this.#kept, Buffer.from(text)]).subarray(-tailBytes);
  }

  /** Appends a line as the official runtime's console writes it. */
  appendRecord(level: string, text: string): void {
    this.append(`${new Date().toISOString()}\t${this.requestId}\t${level}\t${text}\n`);
  }

  /** The last 4 KB. A character that is cut at their start becomes U+FFFD. */
  get tail(): string {
    return this.#kept.toString();
  }
}

/** What the code of one invocation sees and may do. It holds in timers, promises and callbacks too. */
export interface InvocationScope {
  /** Takes what the code prints. */
  readonly log: PrintedLog;
  /** Variables that `process.env` holds for this code only. */
  readonly environment: Record<string, string>;
  /** Fails the invocation at once. `error` is the cause, which no response may tell. */
  readonly abort: (
    kind: 'uncaught' | 'unhandled-rejection' | 'exit',
    failure: FunctionFailure,
    error?: unknown,
  ) => void;
}

const current = new AsyncLocalStorage<InvocationScope | undefined>();

/** Runs a function. It and whatever it starts belong to the invocation. */
export function runInScope<Result>(scope: InvocationScope | undefined, run: () => Result): Result {
  return current.run(scope, run);
}

/** Returns the scope of the invocation that the running code belongs to. Returns undefined outside of invocations. */
export function currentScope(): InvocationScope | undefined {
  return current.getStore();
}
