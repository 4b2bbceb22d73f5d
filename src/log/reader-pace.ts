import { asyncScheduler } from 'rxjs';
import { compareIds } from './entry-id.js';
import type { EntryId, LogMember } from './invocation-log.js';

/** Tells for which readers a producer waits: all that move and, while nobody reads, those that may come back. */
export interface ReaderPace {
  /** Notes the place of every reader. `excused`: all of them have paused, and so has the source. */
  see(last: EntryId, local: EntryId | undefined, others: readonly LogMember[], excused: boolean): void;
  /** Notes the place at which the last reader of this process has left. */
  left(cursor: EntryId): void;
  /** Returns up to where all awaited readers have read. Undefined if no reader is awaited. */
  floor(local: EntryId | undefined, others: readonly LogMember[]): EntryId | undefined;
}

/** @param leaseMs - How long the producer waits for a reader that does not move, in milliseconds. */
export function createReaderPace(leaseMs: number): ReaderPace {
  let seen = new Map<string, { readonly cursor: EntryId; readonly since: number }>();
  /** The last known place of the slowest reader. */
  let lastFloor: EntryId | undefined;

  function cursors(local: EntryId | undefined, others: readonly LogMember[]): [string, EntryId][] {
    const all = others.map(({ member, cursor }): [string, EntryId] => [member, cursor]);
    if (local !== undefined) all.push(['', local]);
    // A member without a place yet does not count. It will begin with the entries that are held then.
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
      // There is no reader, or only one that comes back and has not told its place yet.
      if (all.length === 0) return lastFloor;
      const now = asyncScheduler.now();
      const moving = all.filter(([member]) => now - (seen.get(member)?.since ?? now) < leaseMs);
      return oldest(moving.map(([, cursor]) => cursor));
    },
  };
}

/** Returns the oldest of the ids, or undefined for an empty list. */
function oldest(ids: readonly EntryId[]): EntryId | undefined {
  return ids.reduce<EntryId | undefined>(older, undefined);
}

/** Returns the older one of two ids. The first may be undefined. */
export function older(least: EntryId | undefined, id: EntryId): EntryId {
  return least === undefined || compareIds(id, least) < 0 ? id : least;
}
