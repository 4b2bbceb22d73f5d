import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { BehaviorSubject, Subscription, tap, type Observable } from 'rxjs';
import { decodeHttpResponse, invokeWithResponseStream, retryInvocation, type LambdaStreamEvent } from '../../index.js';
import { createClient } from './create-client.js';
import { describeError } from '../describe-error.js';
import { exitCodeOf } from './exit-code-of.js';
import { exitCodes } from '../exit-codes.js';
import { parseInvokeArguments, type InvokeArguments } from './invoke-arguments.js';
import { outputModes, type Output } from './output-modes.js';
import { paintFor } from '../paint.js';
import { startProgress } from './progress.js';
import { UsageError } from '../usage-error.js';

/** `rx-lambda-stream invoke`: streams a function's response to stdout. Resolves with the exit code. */
export async function invoke(args: readonly string[]): Promise<number> {
  const call = parseInvokeArguments(args);
  const payload = await readPayload(call.payload);
  const client = createClient(call);
  const paused = new BehaviorSubject(false);
  const invocation = invokeWithResponseStream(
    client,
    {
      FunctionName: call.functionName,
      ...(payload !== undefined && { Payload: payload }),
      ...(call.qualifier !== undefined && { Qualifier: call.qualifier }),
      ...(call.withLog && { LogType: 'Tail' as const }),
    },
    { pauseWhile: paused, functionErrors: call.mode === 'events' ? 'emit' : 'throw' },
  );
  try {
    return await writeOut(invocation, call, paused);
  } finally {
    client.destroy();
  }
}

/** Runs the invocation until it ends, the pipe's reader goes, a signal comes, or the time is up. */
function writeOut(
  invocation: Observable<LambdaStreamEvent>,
  call: InvokeArguments,
  paused: BehaviorSubject<boolean>,
): Promise<number> {
  const { stdout, stderr } = process;
  const paint = paintFor(stderr);
  const progress = startProgress(stderr, stdout.isTTY);
  const say = (line: string): void => {
    progress.stop();
    stderr.write(`${line}\n`);
  };
  let exitCode: number = exitCodes.ok;

  const events = invocation.pipe(
    call.retries > 0 ? retryInvocation({ maxAttempts: call.retries + 1 }) : tap(),
    call.isHttp ? decodeHttpResponse() : tap(),
    tap((event) => {
      if (event.type === 'chunk') progress.add(event.payload.length);
      if (event.type === 'retry') {
        const what = describeError(event.error, paint, call.endpoint).split('\n', 1)[0] ?? '';
        say(paint('yellow', `attempt ${event.attempt} in ${Math.round(event.delayMs)} ms`) + ` after ${what}`);
      }
      if (event.type === 'http-head') {
        const headers = Object.entries(event.headers).map(([name, value]) => `${name}: ${value}\n`);
        const cookies = event.cookies.map((cookie) => `set-cookie: ${cookie}\n`);
        say(`HTTP ${event.statusCode}\n${[...headers, ...cookies].join('')}`);
      }
      if (event.type === 'complete') {
        if (event.logTail !== undefined) say(event.logTail.trimEnd());
        if (event.errorCode !== undefined) exitCode = exitCodes.functionFailed;
      }
    }),
  );

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
    const timer =
      call.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            say(`${paint('red', 'timeout')}: the response was not complete after ${call.timeoutMs ?? 0} ms`);
            finish(exitCodes.timedOut);
          }, call.timeoutMs);
    stdout.on('drain', () => paused.next(false));
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has what it wanted, as in `| head -1`.
      if (error.code === 'EPIPE') {
        finish(exitCodes.ok);
        return;
      }
      say(describeError(error, paint));
      finish(exitCodes.unexpected);
    });
    const mode: Output = outputModes[call.mode]();
    const stream = events.pipe(mode).subscribe({
      next: (part) => {
        if (!stdout.write(part)) paused.next(true);
      },
      error: (error: unknown) => {
        say(describeError(error, paint, call.endpoint));
        const { logTail } = error as { readonly logTail?: string };
        if (call.withLog && logTail !== undefined) say(logTail.trimEnd());
        finish(exitCodeOf(error));
      },
      complete: () => finish(exitCode),
    });
    output.add(stream);
  });
}

async function readPayload(source: InvokeArguments['payload']): Promise<Uint8Array | string | undefined> {
  if (source === undefined) return undefined;
  if ('text' in source) return source.text;
  if (source.file === '-') return buffer(process.stdin);
  try {
    return await readFile(source.file);
  } catch (error) {
    throw new UsageError(`--payload-file cannot be read: ${(error as Error).message}`);
  }
}
