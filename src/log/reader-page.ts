import { ProducerLostError, ReplayLimitError } from '../errors.js';
import { compareIds } from './entry-id.js';
import type { LogPage, LogState } from './invocation-log.js';
import { decodeEntry, decodeOpening, type DecodedEntry } from './log-records.js';
import type { ReaderCursor } from './reader-cursor.js';
import type { ReaderPlace } from './room-readers.js';

/** The reader that has asked for a page. */
export interface PageReader {
  readonly cursor: ReaderCursor;
  /** Whether the page may begin with any entry. */
  readonly beginsAnywhere: boolean;
  readonly place: ReaderPlace;
}

/**
 * Decodes a page. Its entries follow each other without a gap, and the first one follows what the reader has passed on.
 *
 * @throws ReplayLimitError if the next entry was dropped, ProducerLostError if the log has lost it.
 */
export function decodePage({ state, entries }: LogPage, reader: PageReader): DecodedEntry[] {
  const { cursor, beginsAnywhere, place } = reader;
  // The page is empty. If a newer entry is known, the log has lost it.
  if (entries.length === 0 && compareIds(state.last, cursor.id) > 0) {
    throw new ProducerLostError({ ...place, reason: 'log' });
  }
  const decoded = entries.map((entry) => decodeEntry(entry));
  let previous: DecodedEntry | undefined;
  for (const entry of decoded) {
    const isNext = previous ? entry.entry.previous === previous.entry.id : beginsAnywhere || cursor.isBefore(entry);
    if (!isNext) throw missing(state, reader);
    previous = entry;
  }
  return decoded;
}

/** Makes the error for a missing entry: it was dropped before the reader came, or the log has a hole. */
function missing({ trimmed, opening }: LogState, { cursor, place }: PageReader): Error {
  const { maxReplayBytes } = decodeOpening(opening);
  return trimmed !== undefined && compareIds(cursor.id, trimmed) < 0
    ? new ReplayLimitError({ maxReplayBytes })
    : new ProducerLostError({ ...place, reason: 'log' });
}
