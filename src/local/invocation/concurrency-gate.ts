import { reservedConcurrencyExceeded, type ServiceError } from '../http/service-errors.js';

/** Lambda asks for a second's patience when a function's reserved concurrency is used up. */
const retryAfterSeconds = 1;

/** Counts the running invocations of each function. */
export class ConcurrencyGate {
  readonly #running = new Map<string, number>();

  /** Lets an invocation in and answers with the function that lets it out again, or with the error to send. */
  enter(functionName: string, limit = Infinity): (() => void) | ServiceError {
    const running = this.#running.get(functionName) ?? 0;
    if (running >= limit) return reservedConcurrencyExceeded(retryAfterSeconds);
    this.#running.set(functionName, running + 1);
    let isIn = true;
    return () => {
      if (isIn) this.#running.set(functionName, (this.#running.get(functionName) ?? 1) - 1);
      isIn = false;
    };
  }
}
