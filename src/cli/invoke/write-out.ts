import { Subscription, tap, type BehaviorSubject, type Observable } from 'rxjs';
import {
  isLambdaStreamError,
  observeInvocation,
  retryInvocation,
  type HeadEvent,
  type HttpHeadEvent,
  type InvocationReport,
  type LambdaStreamEvent,
} from '../../index.js';
import { exitCodes } from '../command-line.js';
import { formatBytes, manyLines, oneLine, paintFor, type Paint } from '../terminal.js';
import { decodeHttp } from './decode-http.js';
import { describeError, exitCodeOf } from './describe-error.js';
import type { InvokeArguments } from './invoke-arguments.js';
import { outputModes, type Output } from './output-modes.js';
import { startProgress } from './progress.js';

/** Runs the invocation until it ends, the pipe's reader leaves, a signal comes, or the time is up. */
export function writeOut(
  invocation: Observable<LambdaStreamEvent>,
  call: InvokeArguments,
  paused: BehaviorSubject<boolean>,
): Promise<number> {
  const { stdout, stderr } = process;
  const paint = paintFor(stderr);
  const progress = startProgress(stderr, stdout.isTTY);
  const say = (line: string): void => {
    progress.clear();
    stderr.write(`${line}\n`);
  };
  const put = (part: string | Uint8Array): void => {
    if (!stdout.write(part)) paused.next(true);
  };
  let exitCode: number = exitCodes.ok;
  let head: HeadEvent | undefined;
  const describe = (error: unknown): string => describeError(error, paint, { ...call, head });

  const watch = tap((event: LambdaStreamEvent) => {
    if (event.type === 'head') head = event;
    if (event.type === 'chunk') progress.add(event.payload.length);
    if (event.type === 'retry') {
      const what = describe(event.error).split('\n', 1)[0] ?? '';
      head = undefined;
      say(paint('yellow', `attempt ${event.attempt} in ${Math.round(event.delayMs)} ms`) + ` after ${what}`);
    }
    if (event.type === 'complete') {
      if (event.logTail !== undefined) say(manyLines(event.logTail.trimEnd()));
      if (event.errorCode !== undefined) exitCode = exitCodes.functionFailed;
    }
  });
  const showHead = tap((event: LambdaStreamEvent) => {
    if (event.type !== 'http-head' || call.mode === 'events') return;
    if (call.withHead) put(`${httpHeadText(event)}\n`);
    else if (call.isHttp && call.request === undefined) say(httpHeadText(event));
    else if (event.statusCode >= 400) say(paint('yellow', `HTTP ${event.statusCode}`));
  });

  return new Promise((resolve) => {
    const output = new Subscription();
    const finish = (code: number): void => {
      output.unsubscribe();
      clearTimeout(timer);
      progress.stop();
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      resolve(code);
    };
    const onInterrupt = (): void => finish(exitCodes.interrupted);
    const onTerminate = (): void => finish(exitCodes.terminated);
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    const { timeoutMs } = call;
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            say(`${paint('red', 'timeout')}: the response was not complete after ${timeoutMs} ms`);
            finish(exitCodes.timedOut);
          }, timeoutMs);
    stdout.on('drain', () => paused.next(false));
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      // A reader such as `| head -1` has what it wanted. `runCli` reports every other error.
      if (error.code === 'EPIPE') finish(exitCodes.ok);
    });
    const mode: Output = outputModes[call.mode]();
    const stream = invocation
      .pipe(
        call.retries > 0 ? retryInvocation({ maxAttempts: call.retries + 1 }) : tap(),
        call.withStats ? observeInvocation((report) => say(describeReport(report, paint))) : tap(),
        watch,
        decodeHttp(call),
        showHead,
        mode,
      )
      .subscribe({
        next: put,
        error: (error: unknown) => {
          say(describe(error));
          const logTail = isLambdaStreamError(error) && error.code === 'function-error' ? error.logTail : undefined;
          if (call.withLog && logTail !== undefined) say(manyLines(logTail.trimEnd()));
          finish(exitCodeOf(error, head));
        },
        complete: () => finish(exitCode),
      });
    output.add(stream);
  });
}

/** Shows a response's head as curl does, each field on a line of its own. */
function httpHeadText({ statusCode, headers, cookies }: HttpHeadEvent): string {
  const lines = [
    `HTTP ${statusCode}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...cookies.map((cookie) => `set-cookie: ${cookie}`),
  ];
  return `${lines.map(oneLine).join('\n')}\n`;
}

const colours = { complete: 'green', failed: 'red', cancelled: 'yellow' } as const;

/** Describes how an invocation went in one line, for `--stats`. */
function describeReport(report: InvocationReport, paint: Paint): string {
  const { outcome, attempts, requestIds, executedVersion, headMs, firstChunkMs, durationMs, chunks, bytes } = report;
  const ms = (time: number): string => `${Math.round(time)} ms`;
  const times = [
    ...(headMs === undefined ? [] : [`head ${ms(headMs)}`]),
    ...(firstChunkMs === undefined ? [] : [`first chunk ${ms(firstChunkMs)}`]),
    `end ${ms(durationMs)}`,
  ];
  return [
    paint(colours[outcome], outcome),
    `${formatBytes(bytes)} in ${count(chunks, 'chunk')}`,
    times.join(', '),
    count(attempts, 'attempt'),
    ...(executedVersion === undefined ? [] : [paint('dim', `version ${executedVersion}`)]),
    ...requestIds.map((id) => paint('dim', id)),
  ].join('  ');
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
