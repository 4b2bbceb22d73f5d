import { compareIds, entryIdOf, placeOf } from './entry-id.js';
import type { EntryId } from './invocation-log.js';

/** The bytes that each entry counts in addition to its payload and record. */
export const entryBytes = 64;

/** The number of parts of a window. Entries are dropped by parts, so that not each entry needs a mark. */
const parts = 256;

/** Tells which of a producer's entries the log holds, and which may be dropped. */
export interface ReplayWindow {
  /** Notes entries that stand in the log. */
  add(id: EntryId, bytes: number): void;
  /** Returns up to which id entries may be dropped after these entries and bytes. Undefined if none may. */
  trimFor(entries: number, bytes: number): EntryId | undefined;
  /** Notes that entries were dropped. */
  drop(trim: EntryId): void;
}

/**
 * Makes the window of a producer.
 *
 * @param maxReplayBytes - The most bytes that the log holds.
 * @param last - The newest entry that the producer found. The entries before it count with their payload.
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
  // After a take-over only the bytes of the earlier entries are known.
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
