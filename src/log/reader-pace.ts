import { asyncScheduler } from 'rxjs';
import { compareIds } from './entry-id.js';
import type { EntryId, LogMember } from './invocation-log.js';

/** Knows for whom a producer waits: for every reader that moves, and for those who may come back while nobody reads. */
export interface ReaderPace {
  /** Notes where everybody is. `excused`: all of them have paused, and the source with them. */
  see(last: EntryId, local: EntryId | undefined, others: readonly LogMember[], excused: boolean): void;
  /** The last reader of this process has left, at this place. */
  left(cursor: EntryId): void;
  /** Up to where everybody has read who is waited for; undefined where nobody is. */
  floor(local: EntryId | undefined, others: readonly LogMember[]): EntryId | undefined;
}

/** @param leaseMs - How long a reader that does not move is waited for, in milliseconds. */
export function createReaderPace(leaseMs: number): ReaderPace {
  let seen = new Map<string, { readonly cursor: EntryId; readonly since: number }>();
  /** Where the slowest reader was when somebody was there. */
  let lastFloor: EntryId | undefined;

  function cursors(local: EntryId | undefined, others: readonly LogMember[]): [string, EntryId][] {
    const all = others.map(({ member, cursor }): [string, EntryId] => [member, cursor]);
    if (local !== undefined) all.push(['', local]);
    // A member that has not found its place yet reads from what is held then.
    return all.filter(([, cursor]) => cursor !== '0-0');
  }

  return {
    see(last, local, others, excused) {
      const now = asyncScheduler.now();
      const next: typeof seen = new Map();
      for (const [member, cursor] of cursors(local, others)) {
        const before = seen.get(member);
        const stands = before?.cursor === cursor && compareIds(cursor, last) < 0 && !excused;
        next.set(member, stands ? before : { cursor, since: now });
      }
      seen = next;
      if (seen.size > 0) lastFloor = oldest([...seen.values()].map(({ cursor }) => cursor));
    },
    left(cursor) {
      if (cursor !== '0-0') lastFloor = cursor;
    },
    floor(local, others) {
      const all = cursors(local, others);
      // Nobody, or somebody who comes back and has not said yet from where.
      if (all.length === 0) return lastFloor;
      const now = asyncScheduler.now();
      const moving = all.filter(([member]) => now - (seen.get(member)?.since ?? now) < leaseMs);
      return oldest(moving.map(([, cursor]) => cursor));
    },
  };
}

/** The oldest of the ids; undefined for none. */
function oldest(ids: readonly EntryId[]): EntryId | undefined {
  return ids.reduce<EntryId | undefined>(older, undefined);
}

/** The older one of two ids, of which the first may not be there yet. */
export function older(least: EntryId | undefined, id: EntryId): EntryId {
  return least === undefined || compareIds(id, least) < 0 ? id : least;
}
