import { invalidParameter } from '../http/service-errors.js';
import { wait } from '../invocation/bandwidth.js';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import { toBytes } from '../invocation/encode-frames.js';
import type { Invocation } from '../invocation/invocation.js';
import { stepsFor } from '../script/answer-script.js';
import { aborted, settledOrAborted } from '../script/play-script.js';
import type { Script } from '../script/scripted.js';
import type { UrlSink } from './url-sink.js';

/**
 * Plays a script as an HTTP response. Chunks and raw bytes are the body. An end with an error code is a failure.
 *
 * @throws ServiceRefusal for a step that only a stream of frames can have, and as `stepsFor` does.
 */
export async function playScriptOnUrl(
  script: Script,
  invocation: Invocation,
  sink: UrlSink,
): Promise<{ readonly failure?: FunctionFailure }> {
  const { record, writer } = invocation;
  const steps = stepsFor(script, invocation);
  const over = new AbortController();
  void record.closed.then(() => over.abort());
  const { signal } = over;
  for (const step of steps.flatMap((one) => (typeof one === 'object' && 'batch' in one ? one.batch : one))) {
    if (signal.aborted || step === 'end') break;
    if (step === 'reset') {
      writer.reset();
      break;
    }
    if (step === 'stall') await aborted(signal);
    else if (step === 'flush') await sink.start();
    else if ('head' in step) await sink.start(step.head.statusCode, step.head.headers);
    else if ('chunk' in step) await write(sink, toBytes(step.chunk));
    else if ('raw' in step) await write(sink, toBytes(step.raw));
    else if ('waitMs' in step) await wait(step.waitMs, signal);
    else if ('waitFor' in step) await settledOrAborted(step.waitFor, signal);
    else if ('complete' in step) {
      const { errorCode, errorDetails = '' } = step.complete;
      if (errorCode === undefined) break;
      return { failure: { errorType: errorCode, errorMessage: errorDetails, trace: [] } };
    } else throw invalidParameter(`The script step ${Object.keys(step)[0] ?? ''} has no meaning on a function URL`);
  }
  return {};
}

function write(sink: UrlSink, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
