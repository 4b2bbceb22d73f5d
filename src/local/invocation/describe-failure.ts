/** A failed invocation as the official Node runtime reports it: the JSON of InvokeComplete's ErrorDetails. */
export interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** Describes whatever a handler threw. */
export function describeFailure(thrown: unknown): FunctionFailure {
  if (isErrorLike(thrown)) {
    return { errorType: thrown.name, errorMessage: thrown.message, trace: thrown.stack.split('\n') };
  }
  return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
}

/** By its members: an error of another realm is an error too. */
function isErrorLike(value: unknown): value is { name: string; message: string; stack: string } {
  const { name, message, stack } = (value ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && typeof message === 'string' && typeof stack === 'string';
}
