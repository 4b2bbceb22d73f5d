import type { FinishedInvocation } from '../../local/index.js';
import { withoutGenerations } from './module-generation.js';
import { formatBytes, oneLine, type Paint } from '../terminal.js';

/** One line for an invocation that is over, and where a handler failed, the place. */
export function describeInvocation(invocation: FinishedInvocation, paint: Paint): string {
  const { request, durationMs, closedEarly, failure } = invocation;
  const status = request.statusCode ?? 0;
  const isWell = status >= 200 && status < 300 && failure === undefined;
  const parts = [
    paint('dim', new Date().toISOString().slice(11, 23)),
    paint(isWell ? 'green' : 'red', String(request.statusCode ?? '---')),
    paint('bold', request.functionName + (request.qualifier === undefined ? '' : `:${request.qualifier}`)),
    formatBytes(request.bytesWritten),
    `${Math.round(durationMs)} ms`,
    paint('dim', request.requestId),
    ...(closedEarly ? [paint('yellow', 'the client went away')] : []),
    ...(failure === undefined ? [] : [paint('red', `${failure.errorType}: ${failure.errorMessage}`)]),
  ];
  const place = failure?.trace.find((line) => /^\s+at .*(\/|file:)/.test(line) && !line.includes('node:'));
  return parts.join('  ') + (place === undefined ? '' : `\n    ${oneLine(withoutGenerations(place.trim()))}`);
}
