import { describeFailure, type FunctionFailure } from './describe-failure.js';
import { createInvocationContext } from './invocation-context.js';
import { InvocationLog, runWithLog } from './invocation-log.js';
import type { LocalFunctionConfig, RunnableHandler } from '../runtime/local-function.js';
import type { PayloadSink } from './payload-sink.js';
import { runHandler } from '../runtime/run-handler.js';

/** AWS's longest time-out, and what a function of the local endpoint has where none is set. */
const defaultTimeoutMs = 900_000;
const defaultMemoryMb = 128;

/** One run of a function's handler. */
export interface FunctionRun {
  readonly handler: RunnableHandler;
  readonly config: LocalFunctionConfig;
  readonly functionName: string;
  readonly version: string;
  readonly arn: string;
  readonly requestId: string;
  readonly clientContext: unknown;
  readonly tenantId: string | undefined;
  readonly event: unknown;
  readonly sink: PayloadSink;
  /** Aborted when the endpoint closes: the run is given up. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface FunctionOutcome {
  readonly failure?: FunctionFailure;
  readonly log: InvocationLog;
  readonly durationMs: number;
}

/** Runs a handler until it is done or its time is up; a failure is part of the outcome. */
export async function invokeFunction(run: FunctionRun): Promise<FunctionOutcome> {
  const log = new InvocationLog(run.requestId);
  const timeoutMs = run.config.timeoutMs ?? defaultTimeoutMs;
  const memoryMb = run.config.memoryMb ?? defaultMemoryMb;
  const context = createInvocationContext({
    functionName: run.functionName,
    functionVersion: run.version,
    invokedFunctionArn: run.arn,
    memoryMb,
    timeoutMs,
    requestId: run.requestId,
    clientContext: run.clientContext,
    tenantId: run.tenantId,
  });
  log.append(`START RequestId: ${run.requestId} Version: ${run.version}\n`);
  const startedAt = performance.now();
  let over = false;
  const call = { event: run.event, context, sink: run.sink, isOver: () => over };
  const handled = runWithLog(log, async () => runHandler(run.handler, call)).then(
    () => undefined,
    (thrown: unknown) => reportFailure(log, thrown),
  );
  const result = await Promise.race([handled, timeOut(timeoutMs, run.signal, handled)]);
  over = true;
  run.sink.stop();
  const durationMs = performance.now() - startedAt;
  if (result === 'timeout') log.append(`${new Date().toISOString()} ${run.requestId} ${timeoutText(timeoutMs)}\n\n`);
  log.append(`END RequestId: ${run.requestId}\n`);
  log.append(reportLine(run.requestId, durationMs, memoryMb, result === 'timeout' ? 'Status: timeout' : ''));
  if (result === 'timeout') return { failure: timeoutFailure(run.requestId, timeoutMs), log, durationMs };
  // Once the function has ended its stream, its response is whole: a later throw is in the log only, as on AWS.
  return result === undefined || run.sink.ended ? { log, durationMs } : { failure: result, log, durationMs };
}

function reportFailure(log: InvocationLog, thrown: unknown): FunctionFailure {
  const failure = describeFailure(thrown);
  const { errorType, errorMessage, trace } = failure;
  log.appendRecord('ERROR', `Invoke Error \t${JSON.stringify({ errorType, errorMessage, stack: trace })}`);
  return failure;
}

/** Resolves when the time is up; early, with nothing, when the endpoint closes. Its timer never outlives the run. */
function timeOut(timeoutMs: number, signal: AbortSignal, handled: Promise<unknown>): Promise<'timeout' | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
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
