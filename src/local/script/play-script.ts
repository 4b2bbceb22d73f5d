import { setTimeout as delay } from 'node:timers/promises';
import { encodeStep } from './encode-step.js';
import type { ResponseWriter } from '../http/response-writer.js';
import type { ScriptStep } from './scripted.js';

/** What a script plays on. */
export interface ScriptStage {
  readonly writer: ResponseWriter;
  /** Aborted when the response is over or the endpoint closes: waits end with it. */
  readonly signal: AbortSignal;
}

/** Plays the steps that follow the head, then ends the response; stops where the client goes away. */
export async function playScript(steps: readonly ScriptStep[], { writer, signal }: ScriptStage): Promise<void> {
  for (const step of steps) {
    if (signal.aborted || writer.isOver) return;
    if (step === 'end') break;
    if (step === 'reset') {
      writer.reset();
      return;
    }
    if (step === 'flush') await writer.flushHead();
    else if (step === 'stall') await aborted(signal);
    else if ('head' in step) {
      writer.setHead(step.head.statusCode ?? 200, step.head.headers ?? {});
      await writer.flushHead();
    } else if ('waitMs' in step) await pause(step.waitMs, signal);
    else if ('waitFor' in step) await settledOrAborted(step.waitFor, signal);
    else if ('batch' in step) await writer.writeApart(Buffer.concat(step.batch.map(encodeStep)));
    else if (!('httpError' in step)) await writer.writeApart(encodeStep(step));
  }
  if (!signal.aborted) await writer.end();
}

/** Waits, for so long or until the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    // The abort ends the wait; the caller sees it in the signal.
    if (!signal.aborted) throw error;
  }
}

/** Waits for a promise, however it ends, or until the signal is aborted. Leaves no listener behind. */
export function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    promise.then(done, done);
  });
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
