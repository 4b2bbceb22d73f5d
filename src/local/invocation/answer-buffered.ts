import type { RunnableHandler } from '../runtime/local-function.js';
import { BufferSink, maxBufferedBytes } from './buffer-sink.js';
import type { FunctionFailure } from './describe-failure.js';
import { commonHead, type Invocation } from './invocation.js';
import { runInvocation } from './run-invocation.js';

/** The answer to a buffered Invoke. */
export interface BufferedAnswer {
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly isFailure: boolean;
  readonly logTail: string | undefined;
}

/** Runs a handler and answers with its whole payload at once. Resolves with the failure, if it failed. */
export async function answerBuffered(
  handler: RunnableHandler,
  invocation: Invocation,
): Promise<FunctionFailure | undefined> {
  const { settings, record, writer, closing } = invocation;
  const sink = new BufferSink(record);
  const running = runInvocation(handler, invocation, sink);
  if (record.invocationType === 'Event') {
    writer.setHead(202, { ...commonHead(invocation), 'content-length': '0' });
    await writer.end();
    return (await running).failure;
  }
  const { failure: thrown, log } = await running;
  if (closing.aborted) return thrown;
  const failure = thrown ?? (sink.isTooLong ? responseTooLarge() : undefined);
  const reported = settings.errorReporting === 'silent' ? undefined : failure;
  await sendBuffered(invocation, {
    payload: reported ? Buffer.from(JSON.stringify(reported)) : sink.payload,
    contentType: reported ? 'application/json' : (sink.contentType ?? 'application/octet-stream'),
    isFailure: reported !== undefined,
    logTail: log.tail,
  });
  return failure;
}

/** Sends the answer to a buffered Invoke. */
export async function sendBuffered(invocation: Invocation, answer: BufferedAnswer): Promise<void> {
  const { record, writer } = invocation;
  const { payload, contentType, isFailure, logTail } = answer;
  writer.setHead(200, {
    ...commonHead(invocation),
    'content-type': contentType,
    'content-length': String(payload.length),
    'x-amz-function-error': isFailure ? 'Unhandled' : undefined,
    'x-amz-log-result':
      record.logType === 'Tail' && logTail !== undefined ? Buffer.from(logTail).toString('base64') : undefined,
  });
  writer.write(payload);
  await writer.end();
}

/** Describes the failure of a function whose buffered response is longer than AWS allows. */
export function responseTooLarge(): FunctionFailure {
  return {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${maxBufferedBytes} bytes).`,
    trace: [],
  };
}
