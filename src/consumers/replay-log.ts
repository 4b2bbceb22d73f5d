import type { LambdaStreamEvent } from '../events.js';
import { createByteCollector, type ByteCollector } from '../shared/byte-collector.js';

/** What a late subscriber of a shared stream is told. */
export interface ReplayLog {
  /** Whether the stream has passed the limit: nothing is held then. */
  readonly overflowed: boolean;
  append(event: LambdaStreamEvent): void;
  /** Everything since the start, chunks joined to few; later appends do not change it. */
  events(): LambdaStreamEvent[];
}

/**
 * Makes a log that holds at most so many payload bytes. A `restart` voids what was before it, the limit's passing too.
 */
export function createReplayLog(maxReplayBytes: number): ReplayLog {
  let entries: (LambdaStreamEvent | ByteCollector)[] = [];
  /** The last entry, while it is one of chunks. */
  let run: ByteCollector | undefined;
  let bytes = 0;
  let overflowed = false;

  return {
    get overflowed() {
      return overflowed;
    },
    append(event) {
      if (event.type === 'retry' && event.mode === 'restart') {
        entries = [];
        bytes = 0;
        overflowed = false;
      } else if (overflowed) {
        return;
      }
      if (event.type === 'chunk' || event.type === 'unknown') bytes += event.payload.length;
      if (bytes > maxReplayBytes) {
        overflowed = true;
        entries = [];
        run = undefined;
      } else if (event.type !== 'chunk') {
        entries.push(event);
        run = undefined;
      } else {
        if (run === undefined) entries.push((run = createByteCollector()));
        run.append(event.payload);
      }
    },
    events: () =>
      entries.flatMap((entry) =>
        'type' in entry ? entry : entry.views().map((payload) => ({ type: 'chunk' as const, payload })),
      ),
  };
}
