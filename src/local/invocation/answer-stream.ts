import { functionRun, streamHead, type AcceptedInvocation } from './accepted-invocation.js';
import { awsBandwidth } from './bandwidth.js';
import type { FunctionFailure } from './describe-failure.js';
import { encodeComplete } from './encode-frames.js';
import { FrameSink } from './frame-sink.js';
import { invokeFunction } from './invoke-function.js';
import type { RunnableHandler } from '../runtime/local-function.js';

/** AWS cuts a streamed response after this many bytes. */
const defaultMaxResponseBytes = 209_715_201;

/** Runs a handler and streams what it writes, then the InvokeComplete. Answers with the failure, if there was one. */
export async function answerStream(
  handler: RunnableHandler,
  invocation: AcceptedInvocation,
): Promise<FunctionFailure | undefined> {
  const { options, record, writer, closing, release } = invocation;
  const startHead = (contentType: string | undefined): void =>
    writer.setHead(200, streamHead(invocation, contentType ?? 'application/octet-stream'));
  const sink = new FrameSink({
    writer,
    bandwidth: options.bandwidth === 'aws' ? awsBandwidth : options.bandwidth,
    maxResponseBytes: options.maxResponseBytes ?? defaultMaxResponseBytes,
    onStart: startHead,
    signal: closing,
  });
  const { failure, log } = await invokeFunction(functionRun(handler, invocation, sink)).finally(release);
  if (closing.aborted) return failure;
  startHead(sink.contentType);
  const reported = options.errorReporting === 'silent' ? undefined : failure;
  const complete = encodeComplete({
    ...(reported && { errorCode: reported.errorType, errorDetails: JSON.stringify(reported) }),
    ...(record.logType === 'Tail' && { logTail: log.tail }),
  });
  if (!writer.write(complete)) await writer.drained();
  await writer.end();
  return failure;
}
