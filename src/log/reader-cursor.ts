import { placeOf } from './entry-id.js';
import type { EntryId } from './invocation-log.js';
import type { DecodedEntry } from './log-records.js';

/** The place of one reader in its log. */
export class ReaderCursor {
  /** The last entry, or byte, that was passed on. `0-0` until the reader has found its place. */
  id: EntryId = '0-0';
  /** Whether the cursor is an entry, and not a byte position that a consumer gave. */
  isEntry = false;

  /** Moves behind an entry that was passed on. */
  moveTo(entry: EntryId): void {
    this.id = entry;
    this.isEntry = true;
  }

  /** Tells whether an entry directly follows the reader's place, or holds the byte at that place. */
  isBefore({ entry, before, place: end }: DecodedEntry): boolean {
    // Ids are parsed only if needed, because this runs for each consumer and event (`npm run bench -- relay`).
    if (entry.previous === this.id) return true;
    const here = placeOf(this.id);
    if (before.generation !== here.generation || end.generation !== here.generation) return false;
    return this.isEntry ? before.bytes < here.bytes && here.bytes < end.bytes : before.bytes <= here.bytes;
  }

  /** Returns how many bytes of an entry were passed on already. */
  bytesOf({ before, place: { generation } }: DecodedEntry): number {
    const here = placeOf(this.id);
    return here.generation === generation ? here.bytes - before.bytes : 0;
  }
}
