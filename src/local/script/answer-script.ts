import { streamHead, type AcceptedInvocation } from '../invocation/accepted-invocation.js';
import { playScriptBuffered } from './play-script-buffered.js';
import { playScript } from './play-script.js';
import { assertScript, type Script, type ScriptStep } from './scripted.js';
import { sendBuffered } from '../invocation/send-buffered.js';
import { invalidParameter, sendServiceError, serviceFailure } from '../http/service-errors.js';

/** Plays a script. */
export async function answerScript(script: Script, invocation: AcceptedInvocation): Promise<void> {
  const { record, response, writer } = invocation;
  let steps: readonly ScriptStep[];
  try {
    steps = typeof script === 'function' ? script(record, record.attempt) : script;
    assertScript(steps);
  } catch (error) {
    // The script's author has to see it: a client shows the message.
    record.statusCode = 500;
    sendServiceError(response, serviceFailure(`The script failed: ${String(error)}`));
    await record.closed;
    return;
  }
  const [first] = steps;
  if (typeof first === 'object' && 'httpError' in first) {
    record.statusCode = first.httpError.statusCode;
    sendServiceError(response, first.httpError);
    await record.closed;
    return;
  }
  const over = new AbortController();
  // Also when the endpoint closes: that breaks every connection.
  void record.closed.then(() => over.abort());
  if (record.operation === 'Invoke') return answerScriptBuffered(steps, invocation, over.signal);
  writer.setHead(200, streamHead(invocation, 'application/octet-stream'));
  await playScript(steps, { writer, signal: over.signal });
}

async function answerScriptBuffered(
  steps: readonly ScriptStep[],
  invocation: AcceptedInvocation,
  signal: AbortSignal,
): Promise<void> {
  const { record, response, writer } = invocation;
  const result = await playScriptBuffered(steps, signal);
  if (result === 'gone') return;
  if (result === 'reset') {
    writer.reset();
  } else if ('senseless' in result) {
    record.statusCode = 400;
    sendServiceError(response, invalidParameter(`The script step ${result.senseless} has no meaning in an Invoke`));
  } else {
    const { errorCode, errorDetails = '', logTail } = result.complete ?? {};
    await sendBuffered(invocation, {
      payload: errorCode === undefined ? result.payload : Buffer.from(errorDetails),
      contentType: 'application/json',
      isFailure: errorCode !== undefined,
      logTail,
    });
  }
  await record.closed;
}
