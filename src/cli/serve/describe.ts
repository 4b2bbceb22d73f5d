import type { FinishedInvocation, LocalLambda, LocalProblem } from '../../local/index.js';
import { formatBytes, manyLines, oneLine, type Paint } from '../terminal.js';
import type { ServedFunction } from './handler-files.js';
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

/** Describes a problem that no response can tell, and below it the stack of its error. */
export function describeProblem({ kind, message, error }: LocalProblem, paint: Paint): string {
  const stack = error === undefined ? '' : `\n${stackOf(error)}`;
  return `${paint(kind === 'refused' ? 'yellow' : 'red', kind)}: ${oneLine(message)}${stack}`;
}

/** Returns the stack of whatever was thrown, ready to be printed. */
export function stackOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return manyLines(withoutGenerations(text));
}

/** Lists what is served, and shows how to call it. */
export function greeting(
  local: LocalLambda,
  functions: Readonly<Record<string, ServedFunction>>,
  paint: Paint,
): string {
  const served = Object.entries(functions).map(([name, { file }]) => {
    const url = local.functionUrls[name];
    return `  ${name.padEnd(24)} ${url === undefined ? '' : `${url.padEnd(26)} `}${oneLine(file)}`;
  });
  const config = JSON.stringify(local.clientConfig, null, 2)
    .replaceAll(/"(\w+)":/g, '$1:')
    .replaceAll('"', "'");
  return [
    `Listening on ${paint('bold', local.endpoint)}`,
    ...served,
    '',
    ...Object.keys(functions)
      .slice(0, 1)
      .map((name) => invokeLine(name, local.endpoint)),
    '',
    `new LambdaClient(${config});`,
    '',
  ].join('\n');
}

/** Makes the command line that calls a function, to be pasted into another terminal. */
function invokeLine(name: string, endpoint: string): string {
  const word = /^[\w.-]+$/.test(name) ? name : `'${oneLine(name).replaceAll("'", String.raw`'\''`)}'`;
  return `npx rx-lambda-stream invoke ${word} --endpoint ${endpoint}`;
}
