import { compareIds, entryIdOf, placeOf } from './entry-id.js';
import type { EntryId } from './invocation-log.js';

/** What each entry counts besides its payload and record, in bytes. */
export const entryBytes = 64;

/** Into how many parts a window is divided: entries are dropped by parts, so that a mark for each is not needed. */
const parts = 256;

/** Knows what a log holds of one producer's entries, and what may be dropped. */
export interface ReplayWindow {
  /** Entries stand in the log. */
  add(id: EntryId, bytes: number): void;
  /** Up to which id entries may be dropped once so many entries with so many bytes stand; undefined for none. */
  trimFor(entries: number, bytes: number): EntryId | undefined;
  /** They were dropped. */
  drop(trim: EntryId): void;
}

/**
 * Makes the window of a producer that holds at most so many bytes.
 *
 * @param last - The newest entry that the producer found. What stands before it counts as its payload.
 */
export function createReplayWindow(maxReplayBytes: number, last: EntryId): ReplayWindow {
  const partBytes = maxReplayBytes / parts;
  /** The newest id of each part, and the bytes of all parts up to it. */
  const marks: { id: EntryId; upTo: number }[] = [];
  let total = 0;
  let dropped = 0;
  let sinceMark = 0;

  function add(id: EntryId, bytes: number): void {
    total += bytes + entryBytes;
    sinceMark += bytes + entryBytes;
    if (maxReplayBytes === Infinity || sinceMark < partBytes) return;
    marks.push({ id, upTo: total });
    sinceMark = 0;
  }

  const { generation, bytes: found } = placeOf(last);
  // A take-over: the entries before it are told apart by their bytes alone.
  const held = Math.min(found, maxReplayBytes);
  const step = Math.max(entryBytes, Math.ceil(held / parts));
  for (let bytes = found - held; bytes < found; bytes += step) {
    add(entryIdOf({ generation, bytes: Math.min(bytes + step, found), slot: 0 }), Math.min(step, found - bytes));
  }

  return {
    add,
    trimFor(entries, bytes) {
      const after = total + entries * entryBytes + bytes - maxReplayBytes;
      if (after <= dropped) return undefined;
      let trim: EntryId | undefined;
      for (const { id, upTo } of marks) {
        trim = id;
        if (upTo >= after) break;
      }
      return trim;
    },
    drop(trim) {
      while (marks[0] && compareIds(marks[0].id, trim) <= 0) dropped = (marks.shift() as { upTo: number }).upTo;
    },
  };
}
