import { isLambdaStreamError } from '../index.js';
import type { Paint } from './paint.js';

/** An error for people: what failed, then what is known of it. */
export function describeError(error: unknown, paint: Paint, endpoint?: string): string {
  const { name = 'Error', message = '', code } = error as { name?: string; message?: string; code?: string };
  const where = endpoint === undefined ? 'AWS' : endpoint;
  // Node tries several addresses and then has no message for them together.
  const text = message === '' ? `${code ?? 'unknown error'} (${where})` : message;
  const lines = [`${paint('red', name)}: ${text}`];
  if (isLambdaStreamError(error) && error.code === 'function-error') {
    const { trace = [] } = error;
    for (const frame of trace.filter((line) => /^\s*at /.test(line))) lines.push(paint('dim', `  ${frame.trim()}`));
  }
  return lines.join('\n');
}
