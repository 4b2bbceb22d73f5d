/** A failure as the official Node runtime reports it. It is the JSON in ErrorDetails of the InvokeComplete. */
export interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** Describes the value that a handler threw. Never throws, although reading the value may throw. */
export function describeFailure(thrown: unknown): FunctionFailure {
  try {
    // An error is recognised by its members, because it may be of another realm. Each member is read once, because it
    // may be a getter.
    const { name, message, stack } = (thrown ?? {}) as Record<string, unknown>;
    if (typeof name === 'string' && typeof message === 'string' && typeof stack === 'string') {
      return { errorType: name, errorMessage: message, trace: stack.split('\n') };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    // A getter, a Proxy's trap or `toString` threw, or the value has no `toString`.
    return { errorType: typeof thrown, errorMessage: 'The function threw a value that has no description', trace: [] };
  }
}

/** Describes a rejection that nobody handled, as the official runtime does. */
export function describeRejection(reason: unknown): FunctionFailure {
  const { errorType, errorMessage, trace } = describeFailure(reason);
  const text = trace.length === 0 ? errorMessage : `${errorType}: ${errorMessage}`;
  return { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: text, trace };
}
