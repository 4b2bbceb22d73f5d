import { ResponseTooLargeError } from '../errors.js';
import type { ChunkEvent, LambdaStreamEvent, UnknownEvent } from '../events.js';
import { createByteCollector, type ByteCollector } from '../shared/byte-collector.js';
import { copyUnknown, sizeOfUnknown } from '../shared/unknown-event.js';

/** Events that are held until it is known whether they are a prelude or body. */
export interface HeldEvents {
  /** Holds a copy. Returns false, and holds nothing, for an event of an unknown type that comes first. */
  append(event: ChunkEvent | UnknownEvent): boolean;
  /** The payload of all chunks. */
  bytes(): Uint8Array;
  /** The events that are not chunks. */
  others(): UnknownEvent[];
  /** All events in their order, the chunks between two others as one. */
  all(): LambdaStreamEvent[];
}

/** Chunks without another event between them. */
interface Run {
  /** The last chunk, without its payload. */
  last: ChunkEvent;
  readonly bytes: ByteCollector;
}

/**
 * Makes a holder of at most `maxBytes`.
 *
 * Payload is copied, because a chunk is a view into a whole network read. Empty chunks are not held.
 */
export function createHeldEvents(maxBytes: number): HeldEvents {
  const entries: (Run | UnknownEvent)[] = [];
  let held = 0;

  function count(bytes: number): void {
    held += bytes;
    if (held > maxBytes) {
      const what = 'What is held until the HTTP prelude is complete passes the limit';
      throw new ResponseTooLargeError(what, { maxBytes });
    }
  }

  return {
    append(event) {
      if (event.type === 'unknown') {
        if (entries.length === 0) return false;
        count(sizeOfUnknown(event));
        entries.push(copyUnknown(event));
        return true;
      }
      if (event.payload.length === 0) return true;
      count(event.payload.length);
      let run = entries.at(-1);
      if (!run || 'type' in run) entries.push((run = { last: event, bytes: createByteCollector() }));
      run.last = { ...event, payload: noBytes };
      run.bytes.append(event.payload);
      return true;
    },
    bytes() {
      const whole = createByteCollector();
      for (const entry of entries) if (!('type' in entry)) whole.append(entry.bytes.toBytes());
      return whole.toBytes();
    },
    others: () => entries.filter((entry) => 'type' in entry),
    all: () => entries.map((entry) => ('type' in entry ? entry : { ...entry.last, payload: entry.bytes.toBytes() })),
  };
}

const noBytes = new Uint8Array(0);
