import { sendBuffered } from '../invocation/answer-buffered.js';
import { toBytes, type InvocationEnd } from '../invocation/encode-frames.js';
import { streamHead, type Invocation } from '../invocation/invocation.js';
import { invalidParameter, ServiceRefusal, serviceFailure } from '../http/service-errors.js';
import { aborted, playScript, settledOrAborted } from './play-script.js';
import { wait } from '../invocation/bandwidth.js';
import { assertScript, type Script, type ScriptStep } from './scripted.js';

/** The message of an HTTP error that has none of its own. AWS always sends one. */
const scriptedMessage = 'Answered by a script';

/**
 * Plays a script.
 *
 * @throws ServiceRefusal for a script that is wrong, and for one that asks for an HTTP error.
 */
export async function answerScript(script: Script, invocation: Invocation): Promise<void> {
  const { record, writer } = invocation;
  const steps = stepsFor(script, invocation);
  const over = new AbortController();
  // The record closes also when the endpoint closes, because that breaks every connection.
  void record.closed.then(() => over.abort());
  if (record.operation === 'Invoke') return answerBuffered(steps, invocation, over.signal);
  writer.setHead(200, streamHead(invocation, 'application/octet-stream'));
  await playScript(steps, { record, writer, signal: over.signal });
}

/** Returns the steps for this request. @throws ServiceRefusal as {@link answerScript} */
export function stepsFor(script: Script, { record }: Invocation): readonly ScriptStep[] {
  let steps: readonly ScriptStep[];
  try {
    steps = typeof script === 'function' ? script(record, record.attempt) : script;
    assertScript(steps);
  } catch (error) {
    // A client shows the message, so that the script's author sees it.
    throw serviceFailure(`The script failed: ${String(error)}`);
  }
  const [first] = steps;
  if (typeof first === 'object' && 'httpError' in first) {
    throw new ServiceRefusal({ message: scriptedMessage, ...first.httpError });
  }
  return steps;
}

/** Plays a script for a buffered Invoke: gathers its chunks and keeps its waits. */
async function answerBuffered(
  steps: readonly ScriptStep[],
  invocation: Invocation,
  signal: AbortSignal,
): Promise<void> {
  const parts: Uint8Array[] = [];
  let complete: InvocationEnd = {};
  for (const step of steps.flatMap((one) => (typeof one === 'object' && 'batch' in one ? one.batch : one))) {
    if (step === 'end') break;
    if (step === 'reset') {
      invocation.writer.reset();
      return;
    }
    if (step === 'stall') await aborted(signal);
    else if (step === 'flush') continue;
    else if ('chunk' in step) parts.push(toBytes(step.chunk));
    else if ('complete' in step) complete = step.complete;
    else if ('waitMs' in step) await wait(step.waitMs, signal);
    else if ('waitFor' in step) await settledOrAborted(step.waitFor, signal);
    else throw invalidParameter(`The script step ${Object.keys(step)[0] ?? ''} has no meaning in an Invoke`);
    // The client went away, or the endpoint closed.
    if (signal.aborted) return;
  }
  const { errorCode, errorDetails = '', logTail } = complete;
  await sendBuffered(invocation, {
    payload: errorCode === undefined ? Buffer.concat(parts) : Buffer.from(errorDetails),
    contentType: 'application/json',
    isFailure: errorCode !== undefined,
    logTail,
  });
}
