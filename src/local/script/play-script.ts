import type { RequestRecord } from '../http/local-request.js';
import type { ResponseWriter } from '../http/response-writer.js';
import { wait } from '../invocation/bandwidth.js';
import {
  encodeBadCrc,
  encodeBogusLength,
  encodeChunk,
  encodeComplete,
  encodeError,
  encodeException,
  encodeFrame,
  encodeUnknownEvent,
  toBytes,
} from '../invocation/encode-frames.js';
import type { ByteStep, ScriptStep } from './scripted.js';

/** Where a script is played. */
export interface ScriptStage {
  readonly record: RequestRecord;
  readonly writer: ResponseWriter;
  /** Aborted when the response is over or the endpoint closes. It ends every wait. */
  readonly signal: AbortSignal;
}

/** Plays the steps after the head and ends the response. Stops where the client goes away. */
export async function playScript(steps: readonly ScriptStep[], stage: ScriptStage): Promise<void> {
  const { record, writer, signal } = stage;
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
    } else if ('waitMs' in step) await wait(step.waitMs, signal);
    else if ('waitFor' in step) await settledOrAborted(step.waitFor, signal);
    else if (!('httpError' in step)) {
      const parts = 'batch' in step ? step.batch : [step];
      for (const part of parts) if ('chunk' in part) record.payloadBytes += toBytes(part.chunk).length;
      await writer.writeApart(Buffer.concat(parts.map(encodeStep)));
    }
  }
  if (!signal.aborted) await writer.end();
}

/** Encodes the bytes of a step. */
function encodeStep(step: ByteStep): Uint8Array {
  if ('chunk' in step) return encodeChunk(step.chunk);
  if ('complete' in step) return encodeComplete(step.complete);
  if ('exception' in step) return encodeException(step.exception, step.body ?? {});
  if ('errorFrame' in step) return encodeError(step.errorFrame.code, step.errorFrame.message);
  if ('unknownEvent' in step) {
    return encodeUnknownEvent(step.unknownEvent.eventType, step.unknownEvent.payload, step.unknownEvent.headers);
  }
  if ('frame' in step) return encodeFrame(step.frame.headers, step.frame.payload);
  if ('badCrc' in step) return encodeBadCrc(step.badCrc);
  if ('bogusLength' in step) return encodeBogusLength(step.bogusLength);
  return toBytes(step.raw);
}

/** Waits until a promise settles or the signal is aborted. Leaves no listener behind. */
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
