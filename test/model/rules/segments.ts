import type { Bytes, ModelEvent } from './events.js';

/** Payload that belongs together: retries that start over, or continue with another invocation, begin a new one. */
export interface Segment {
  readonly bytes: Bytes;
  /** How it began; the first one as a restart does. */
  readonly begunBy: 'restart' | 'continue';
  /** Nothing follows, and the stream is complete. */
  readonly isWhole: boolean;
}

export function segmentsOf(events: readonly ModelEvent[], ended: boolean): Segment[] {
  const segments: { bytes: Bytes; begunBy: Segment['begunBy']; isWhole: boolean }[] = [];
  let last = { bytes: '', begunBy: 'restart' as Segment['begunBy'], isWhole: ended };
  segments.push(last);
  for (const event of events) {
    if (event.type === 'chunk') last.bytes += event.bytes;
    if (event.type !== 'retry' || (event.mode !== 'restart' && event.mode !== 'continue')) continue;
    last.isWhole = false;
    last = { bytes: '', begunBy: event.mode, isWhole: ended };
    segments.push(last);
  }
  return segments;
}
