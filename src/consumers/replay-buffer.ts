import type { ChunkEvent, LambdaStreamEvent } from '../events.js';
import { createByteCollector } from '../shared/byte-collector.js';
import { copyUnknown, eventOverheadBytes, sizeOfUnknown } from '../shared/unknown-event.js';

/** Holds a shared stream for its late subscribers. */
export interface ReplayBuffer {
  /** Whether the stream has passed the limit. Then the buffer holds nothing. */
  readonly overflowed: boolean;
  append(event: LambdaStreamEvent): void;
  /** Returns all events since the start, their chunks joined to few. Later appends do not change the result. */
  events(): Iterable<LambdaStreamEvent>;
}

/** An event that is held. A number stands for chunks with so many bytes of payload. */
type Entry = number | Exclude<LambdaStreamEvent, ChunkEvent>;

/**
 * Makes a buffer of at most `maxReplayBytes`, which count payload, unknown events and retries.
 *
 * A `restart` empties the buffer. One collector holds the payload of all chunks, so that other events between the
 * chunks do not cost a block each.
 */
export function createReplayBuffer(maxReplayBytes: number): ReplayBuffer {
  let entries: Entry[] = [];
  let payload = createByteCollector();
  let bytes = 0;
  let overflowed = false;

  function forget(): void {
    entries = [];
    payload = createByteCollector();
    bytes = 0;
  }

  function hold(event: LambdaStreamEvent): void {
    if (event.type !== 'chunk') {
      entries.push(event.type === 'unknown' ? copyUnknown(event) : event);
      return;
    }
    payload.append(event.payload);
    const { length } = event.payload;
    const last = entries.at(-1);
    if (typeof last === 'number') entries[entries.length - 1] = last + length;
    else entries.push(length);
  }

  return {
    get overflowed() {
      return overflowed;
    },
    append(event) {
      if (event.type === 'retry' && event.mode === 'restart') {
        forget();
        overflowed = false;
      } else if (overflowed) {
        return;
      } else {
        bytes += sizeOf(event);
      }
      overflowed = bytes > maxReplayBytes;
      if (overflowed) forget();
      else hold(event);
    },
    events: () => readEntries([...entries], payload.views()),
  };
}

/** Reads events from a buffer. Copies each chunk, because a consumer may transfer its bytes. */
function* readEntries(entries: readonly Entry[], views: readonly Uint8Array[]): Generator<LambdaStreamEvent> {
  let view = 0;
  let at = 0;
  for (const entry of entries) {
    if (typeof entry !== 'number') {
      yield entry;
      continue;
    }
    for (let left = entry; left > 0;) {
      const block = views[view] ?? noBytes;
      const piece = block.slice(at, at + left);
      left -= piece.length;
      at += piece.length;
      if (at === block.length) {
        view++;
        at = 0;
      }
      yield { type: 'chunk', payload: piece };
    }
  }
}

const noBytes = new Uint8Array(0);

/** Estimates what an event occupies. A head counts nothing, because each head except the first follows a retry. */
function sizeOf(event: LambdaStreamEvent): number {
  if (event.type === 'chunk') return event.payload.length;
  if (event.type === 'unknown') return sizeOfUnknown(event);
  return event.type === 'retry' ? eventOverheadBytes : 0;
}
