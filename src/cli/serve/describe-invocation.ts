import type { FinishedInvocation } from '../../local/index.js';
import { formatBytes, oneLine, type Paint } from '../terminal.js';
import { withoutGenerations } from './module-generation.js';

/** Describes an invocation that is over in one line, and below it the place where a handler failed. */
export function describeInvocation(invocation: FinishedInvocation, paint: Paint): string {
  const { request, durationMs, closedEarly, failure } = invocation;
  // The function's own HTTP status, where it made one: the SDK's way carries it inside a 200.
  const status = request.responseStatus ?? request.statusCode;
  const isWell = status !== undefined && status < 400 && failure === undefined;
  const name = request.functionName + (request.qualifier === undefined ? '' : `:${request.qualifier}`);
  const firstByte = request.firstByteMs === undefined ? '' : `first byte ${Math.round(request.firstByteMs)} ms, `;
  const parts = [
    paint('dim', new Date().toISOString().slice(11, 23)),
    paint(isWell ? 'green' : 'red', String(status ?? '---')),
    oneLine(request.method),
    paint('bold', name) + (request.operation === 'FunctionUrl' ? ` ${oneLine(request.path)}` : ''),
    formatBytes(request.payloadBytes),
    `${firstByte}${Math.round(durationMs)} ms`,
    paint('dim', request.requestId),
    ...(closedEarly ? [paint('yellow', 'the client went away')] : []),
    ...(failure === undefined ? [] : [paint('red', `${failure.errorType}: ${failure.errorMessage}`)]),
  ];
  const place = failure?.trace.find((line) => /^\s+at .*(\/|file:)/.test(line) && !line.includes('node:'));
  return parts.join('  ') + (place === undefined ? '' : `\n    ${oneLine(withoutGenerations(place.trim()))}`);
}
