import { ProtocolError, ResponseTooLargeError } from '../errors.js';
import type { LambdaStreamEvent, RetryEvent } from '../events.js';
import { entryIdOf, lastEventSlot, placeOf } from './entry-id.js';
import type { EntryId, LogEntry } from './invocation-log.js';
import { encodeEnding, encodeEvent, maxRecordBytes, type Ending } from './log-records.js';

/** The most payload that an entry has, in bytes. */
const maxEntryBytes = 64 * 1024;

/** The most that one append carries, in bytes. */
const maxBatchBytes = 512 * 1024;

interface Waiting {
  readonly record: string;
  /** Of chunks that were joined, in order. */
  readonly pieces: Uint8Array[];
  bytes: number;
  readonly type: LambdaStreamEvent['type'] | 'end' | 'restart';
  readonly end?: 'complete' | 'failed';
  readonly retry?: RetryEvent;
}

/** Entries that can be appended together. */
export interface Batch {
  readonly entries: readonly LogEntry[];
  readonly bytes: number;
  readonly head?: string;
  readonly end?: 'complete' | 'failed';
}

/** The events that a producer has received and the log does not have yet. */
export interface AppendQueue {
  /** The number of waiting bytes. */
  readonly bytes: number;
  readonly isEmpty: boolean;
  /** The restart that comes next. Undefined while an event before it waits. */
  readonly restart: RetryEvent | undefined;
  /** Takes an event in. Its bytes are copied. @throws ResponseTooLargeError for an event that no entry can hold. */
  push(event: LambdaStreamEvent): void;
  end(ending: Ending & { readonly end: 'complete' | 'failed' }): void;
  /**
   * Returns the next entries, with the ids that follow this one. They stay in the queue.
   *
   * @param maxEntries - The most entries that are returned.
   * @throws ProtocolError if one place has more events than ids.
   */
  peek(last: EntryId, maxEntries: number): Batch;
  /** The next entries, or the restart, have been sent. */
  shift(batch?: Batch): void;
  clear(): void;
}

export function createAppendQueue(): AppendQueue {
  let waiting: Waiting[] = [];
  let bytes = 0;

  function add(item: Waiting): void {
    waiting.push(item);
    bytes += item.bytes;
  }

  function pushChunk(payload: Uint8Array): void {
    for (let at = 0; at < payload.length; at += maxEntryBytes) {
      // A copy: the source may give its buffer away, and a view would hold the whole network read.
      const piece = payload.slice(at, at + maxEntryBytes);
      const newest = waiting.at(-1);
      if (newest?.type === 'chunk' && newest.bytes + piece.length <= maxEntryBytes) {
        newest.pieces.push(piece);
        newest.bytes += piece.length;
        bytes += piece.length;
      } else {
        add({ record: '', pieces: [piece], bytes: piece.length, type: 'chunk' });
      }
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    get isEmpty() {
      return waiting.length === 0;
    },
    get restart() {
      return waiting[0]?.retry;
    },
    push(event) {
      if (event.type === 'chunk') {
        pushChunk(event.payload);
        return;
      }
      if (event.type === 'retry' && event.mode === 'restart') {
        add({ record: '', pieces: [], bytes: 0, type: 'restart', retry: event });
        return;
      }
      const record = encodeEvent(event);
      const pieces = event.type === 'unknown' ? [event.payload.slice()] : [];
      const length = record.length + (pieces[0]?.length ?? 0);
      if (length > maxRecordBytes) {
        throw new ResponseTooLargeError(`An event of type '${event.type}' is larger than an entry of the log may be`, {
          maxBytes: maxRecordBytes,
        });
      }
      add({ record, pieces, bytes: length, type: event.type });
    },
    end(ending) {
      const record = encodeEnding(ending);
      add({ record, pieces: [], bytes: record.length, type: 'end', end: ending.end });
    },
    peek(last, maxEntries) {
      const entries: LogEntry[] = [];
      const { generation, ...start } = placeOf(last);
      let { bytes: at, slot } = start;
      let previous = last;
      let size = 0;
      let head: string | undefined;
      let end: Batch['end'];
      for (let index = 0; index < waiting.length; index++) {
        const item = waiting[index] as Waiting;
        if (item.retry || entries.length >= maxEntries || (entries.length > 0 && size + item.bytes > maxBatchBytes))
          break;
        if (item.type === 'chunk') {
          at += item.bytes;
          slot = 0;
        } else {
          const isFull = slot + 1 >= lastEventSlot && item.type !== 'end';
          if (isFull && (item.type === 'retry' || item.type === 'head')) {
            // Dropping it is harmless: the log already has 450 such attempts at this place.
            waiting.splice(index--, 1);
            bytes -= item.bytes;
            continue;
          }
          if (isFull) throw new ProtocolError(`More than ${lastEventSlot} events came without payload between them`);
          slot++;
        }
        const id = entryIdOf({ generation, bytes: at, slot });
        entries.push({ id, previous, record: item.record, payload: joined(item) });
        previous = id;
        size += item.bytes;
        if (item.type === 'head') head = item.record;
        end = item.end;
      }
      return { entries, bytes: size, ...(head !== undefined && { head }), ...(end !== undefined && { end }) };
    },
    shift(batch) {
      for (const item of waiting.splice(0, batch ? batch.entries.length : 1)) bytes -= item.bytes;
    },
    clear() {
      waiting = [];
      bytes = 0;
    },
  };
}

/** Returns the bytes of an item. They are joined once. */
function joined(item: Waiting): Uint8Array {
  const [first = new Uint8Array(0)] = item.pieces;
  if (item.pieces.length < 2) return first;
  const bytes = new Uint8Array(item.bytes);
  let at = 0;
  for (const piece of item.pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  item.pieces.splice(0, Infinity, bytes);
  return bytes;
}
