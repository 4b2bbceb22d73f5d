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
import type { ByteStep } from './scripted.js';

/** The bytes that a step of a script puts on the wire. */
export function encodeStep(step: ByteStep): Uint8Array {
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
