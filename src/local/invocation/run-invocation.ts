import type { RunnableHandler } from '../runtime/local-function.js';
import { runHandler } from '../runtime/run-handler.js';
import { describeFailure, type FunctionFailure } from './describe-failure.js';
import { createInvocationContext, environmentOf, limitsOf } from './invocation-context.js';
import { PrintedLog, runInScope, type InvocationScope } from './invocation-scope.js';
import type { Invocation } from './invocation.js';
import type { PayloadSink } from './payload-sink.js';

/** How a run ended. */
export interface FunctionOutcome {
  readonly failure?: FunctionFailure;
  readonly log: PrintedLog;
}

/** Runs a handler until it is done, has failed, or its time is up. The outcome holds its failure. */
export async function runInvocation(
  handler: RunnableHandler,
  invocation: Invocation,
  sink: PayloadSink,
): Promise<FunctionOutcome> {
  const { record, version, event, report, closing, release } = invocation;
  const { timeoutMs, memoryMb } = limitsOf(invocation);
  const { requestId } = record;
  const log = new PrintedLog(requestId);
  let isOver = false;
  let abort!: (failure: FunctionFailure) => void;
  const aborted = new Promise<FunctionFailure>((resolve) => (abort = resolve));
  const scope: InvocationScope = {
    log,
    environment: environmentOf(invocation),
    abort(kind, failure, error) {
      recordFailure(log, failure);
      report(kind, `${problems[kind]}: ${failure.errorMessage}`, error);
      abort(failure);
    },
  };
  sink.onMisuse = (misuse, error) => {
    const why = error === null ? '' : `: ${describeFailure(error).errorMessage}`;
    log.appendRecord('ERROR', `${problems[misuse]}${why}`);
    report(misuse, `${problems[misuse]}${why}`, error ?? undefined);
  };

  log.append(`START RequestId: ${requestId} Version: ${version}\n`);
  const startedAt = performance.now();
  const handled = runInScope(scope, async () =>
    runHandler(handler, {
      event,
      sink,
      contextFor: (callback) => createInvocationContext(invocation, callback),
      isOver: () => isOver,
    }),
  ).then(
    () => undefined,
    (thrown: unknown) => {
      const failure = describeFailure(thrown);
      recordFailure(log, failure);
      // As on AWS, the response is whole when the function has ended its stream.
      if (sink.ended) report('thrown-after-end', `${problems['thrown-after-end']}: ${failure.errorMessage}`, thrown);
      return failure;
    },
  );
  const settled = Promise.race([handled, aborted]);
  const result = await Promise.race([settled, timeOut(timeoutMs, closing, settled)]);
  isOver = true;
  release();
  sink.stop();

  const isTimeout = result === 'timeout';
  if (isTimeout) log.append(`${new Date().toISOString()} ${requestId} ${timeoutText(timeoutMs)}\n\n`);
  log.append(`END RequestId: ${requestId}\n`);
  log.append(reportLine(requestId, performance.now() - startedAt, memoryMb, isTimeout ? 'Status: timeout' : ''));
  const failure = isTimeout ? timeoutFailure(requestId, timeoutMs) : sink.ended ? undefined : result;
  const ending = failure ?? destruction(sink);
  return ending === undefined ? { log } : { failure: ending, log };
}

const problems = {
  uncaught: 'nobody caught an error of this invocation',
  'unhandled-rejection': 'nobody handled a rejection of this invocation',
  exit: 'the handler called process.exit()',
  'thrown-after-end': 'the handler threw after the end of its response',
  'write-after-end': 'the handler wrote after the end of its response',
  destroyed: 'the handler destroyed its response stream',
} as const;

function recordFailure(log: PrintedLog, { errorType, errorMessage, trace }: FunctionFailure): void {
  log.appendRecord('ERROR', `Invoke Error \t${JSON.stringify({ errorType, errorMessage, stack: trace })}`);
}

/** Describes the failure of a handler that destroyed its stream and threw nothing. */
function destruction({ destruction }: PayloadSink): FunctionFailure | undefined {
  if (destruction === undefined) return undefined;
  const cause = destruction.error === null ? '' : `: ${describeFailure(destruction.error).errorMessage}`;
  const errorMessage = `The response stream was destroyed${cause}`;
  return { errorType: 'Runtime.TruncatedResponse', errorMessage, trace: [] };
}

/** Resolves when the time is up, or early when the endpoint closes. Its timer ends with the run. */
function timeOut(timeoutMs: number, signal: AbortSignal, handled: Promise<unknown>): Promise<'timeout' | undefined> {
  return new Promise((resolve) => {
    const timer = timeoutMs === Infinity ? undefined : setTimeout(() => resolve('timeout'), timeoutMs);
    const giveUp = (): void => {
      clearTimeout(timer);
      resolve(undefined);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    void handled.then(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    });
  });
}

function timeoutText(timeoutMs: number): string {
  return `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`;
}

function timeoutFailure(requestId: string, timeoutMs: number): FunctionFailure {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: ${timeoutText(timeoutMs)}`,
    trace: [],
  };
}

function reportLine(requestId: string, durationMs: number, memoryMb: number, status: string): string {
  const usedMb = Math.ceil(process.memoryUsage.rss() / 1_048_576);
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs)} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${usedMb} MB`,
    ...(status === '' ? [] : [status]),
  ];
  return `${fields.join('\t')}\t\n`;
}
