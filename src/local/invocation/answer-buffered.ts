import { commonHead, functionRun, type AcceptedInvocation } from './accepted-invocation.js';
import { BufferSink } from './buffer-sink.js';
import type { FunctionFailure } from './describe-failure.js';
import { invokeFunction } from './invoke-function.js';
import type { RunnableHandler } from '../runtime/local-function.js';
import { sendBuffered } from './send-buffered.js';

/** AWS's limit for the payload of a buffered Invoke. */
const maxBufferedBytes = 6_291_556;

/** Runs a handler and answers with its whole payload at once. Answers with the failure, if there was one. */
export async function answerBuffered(
  handler: RunnableHandler,
  invocation: AcceptedInvocation,
): Promise<FunctionFailure | undefined> {
  const { options, record, writer, closing, release } = invocation;
  const sink = new BufferSink(maxBufferedBytes);
  const running = invokeFunction(functionRun(handler, invocation, sink)).finally(release);
  if (record.invocationType === 'Event') {
    writer.setHead(202, { ...commonHead(invocation), 'content-length': '0' });
    await writer.end();
    return (await running).failure;
  }
  const { failure: thrown, log } = await running;
  if (closing.aborted) return thrown;
  const failure = thrown ?? bufferedFailure(sink);
  const reported = options.errorReporting === 'silent' ? undefined : failure;
  await sendBuffered(invocation, {
    payload: reported ? Buffer.from(JSON.stringify(reported)) : sink.payload,
    contentType: reported ? 'application/json' : (sink.contentType ?? 'application/octet-stream'),
    isFailure: reported !== undefined,
    logTail: log.tail,
  });
  return failure;
}

function bufferedFailure(sink: BufferSink): FunctionFailure | undefined {
  if (sink.wasDestroyed) {
    return { errorType: 'Runtime.TruncatedResponse', errorMessage: 'The response stream was destroyed', trace: [] };
  }
  if (sink.length <= maxBufferedBytes) return undefined;
  return {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${maxBufferedBytes} bytes).`,
    trace: [],
  };
}
