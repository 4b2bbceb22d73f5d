import { toBytes, type InvocationEnd } from '../invocation/encode-frames.js';
import { aborted, pause, settledOrAborted } from './play-script.js';
import type { ScriptStep } from './scripted.js';

/** What a script comes to where the client asked for a buffered Invoke. */
export type BufferedScriptResult =
  | { readonly payload: Uint8Array; readonly complete: InvocationEnd | undefined }
  /** The script breaks the connection. */
  | 'reset'
  /** The client went away, or the endpoint closed, before the script was done. */
  | 'gone'
  /** This step is about a stream's bytes and means nothing here. */
  | { readonly senseless: string };

/** Plays a script for a buffered Invoke: chunks are gathered, waits are kept. */
export async function playScriptBuffered(
  steps: readonly ScriptStep[],
  signal: AbortSignal,
): Promise<BufferedScriptResult> {
  const parts: Uint8Array[] = [];
  let complete: InvocationEnd | undefined;
  for (const step of steps.flatMap((one) => (typeof one === 'object' && 'batch' in one ? one.batch : one))) {
    if (step === 'end') break;
    if (step === 'reset') return 'reset';
    if (step === 'stall') await aborted(signal);
    else if (step === 'flush') continue;
    else if ('chunk' in step) parts.push(toBytes(step.chunk));
    else if ('complete' in step) complete = step.complete;
    else if ('waitMs' in step) await pause(step.waitMs, signal);
    else if ('waitFor' in step) await settledOrAborted(step.waitFor, signal);
    else return { senseless: Object.keys(step)[0] ?? '' };
    if (signal.aborted) return 'gone';
  }
  return { payload: Buffer.concat(parts), complete };
}
