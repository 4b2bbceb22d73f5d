import type { RunnableHandler } from '../runtime/local-function.js';
import type { FunctionFailure } from './describe-failure.js';
import { encodeComplete } from './encode-frames.js';
import { FrameSink } from './frame-sink.js';
import type { Invocation } from './invocation.js';
import { runInvocation } from './run-invocation.js';

/** Runs a handler and streams what it writes, then the InvokeComplete. Resolves with the failure, if there was one. */
export async function answerStream(
  handler: RunnableHandler,
  invocation: Invocation,
): Promise<FunctionFailure | undefined> {
  const { settings, record, writer, closing } = invocation;
  const sink = new FrameSink(invocation);
  const { failure, log } = await runInvocation(handler, invocation, sink);
  if (closing.aborted) return failure;
  sink.setHead();
  const reported = settings.errorReporting === 'silent' ? undefined : failure;
  const complete = encodeComplete({
    ...(reported && { errorCode: reported.errorType, errorDetails: JSON.stringify(reported) }),
    ...(record.logType === 'Tail' && { logTail: log.tail }),
  });
  if (!writer.write(complete)) await writer.drained();
  await writer.end();
  return failure;
}
