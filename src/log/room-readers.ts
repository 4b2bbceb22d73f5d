import { asyncScheduler } from 'rxjs';
import { compareIds, type Position } from './entry-id.js';
import type { EntryId } from './invocation-log.js';
import type { DecodedEntry } from './log-records.js';
import { older } from './reader-pace.js';

/** One consumer, as its room sees it. */
export interface RoomReader {
  /** The last entry or byte that it has passed on. `0-0` until it has found its place. */
  readonly cursor: EntryId;
  /** The time since which it has not taken the waiting entries. Undefined while it has all entries. */
  readonly waitingSince: number | undefined;
  readonly paused: boolean;
  readonly mayTakeOver: boolean;
  /** Takes an entry that has been written. */
  offer(entry: DecodedEntry): void;
  /** Makes it read the log, which may have entries that were not offered. */
  poke(): void;
  fail(error: (place: ReaderPlace) => unknown): void;
}

/** The place of a reader, for its error. */
export interface ReaderPlace {
  readonly key: string;
  readonly position?: Position;
}

/**
 * The readers of a room: live ones, which take offered entries, and others, which read the log by themselves.
 *
 * Nearly all readers of a key are live and at the same place. A join, a leave or a move looks only at the others. With
 * a loop over all readers each join took 2 ms at 4,000 clients of a relay.
 */
export class RoomReaders {
  private readonly all = new Set<RoomReader>();
  private readonly live = new Set<RoomReader>();
  /** The readers that have found their place and are not live. */
  private readonly behind = new Set<RoomReader>();
  /** The entry that all live readers have passed on. */
  private reached: EntryId = '0-0';
  private paused = 0;
  private takers = 0;

  get size(): number {
    return this.all.size;
  }

  /** Whether there are readers, and all of them have paused. */
  get allPaused(): boolean {
    return this.all.size > 0 && this.paused === this.all.size;
  }

  /** Whether one of them may take over from a producer that is lost. */
  get mayTakeOver(): boolean {
    return this.takers > 0;
  }

  add(reader: RoomReader): void {
    this.all.add(reader);
    if (reader.mayTakeOver) this.takers++;
    if (reader.paused) this.paused++;
  }

  /** Removes a reader. Returns false for an unknown one. */
  remove(reader: RoomReader): boolean {
    if (!this.all.delete(reader)) return false;
    this.live.delete(reader);
    this.behind.delete(reader);
    if (reader.mayTakeOver) this.takers--;
    if (reader.paused) this.paused--;
    return true;
  }

  /** Notes that a reader has found its place, and takes offered entries or reads the log by itself. */
  setLive(reader: RoomReader, isLive: boolean): void {
    if (!this.all.has(reader)) return;
    if (isLive) {
      this.reached = this.live.size === 0 ? reader.cursor : older(this.reached, reader.cursor);
      this.behind.delete(reader);
      this.live.add(reader);
    } else {
      this.live.delete(reader);
      this.behind.add(reader);
    }
  }

  /** Notes that a reader has paused or resumed. */
  setPaused(isPaused: boolean): void {
    this.paused += isPaused ? 1 : -1;
  }

  /** Offers an entry to all readers. */
  offer(entry: DecodedEntry): void {
    // The loop over a set skips readers that are removed meanwhile, and needs no copy for each token.
    for (const reader of this.all) reader.offer(entry);
    const { id, previous } = entry.entry;
    if (previous === this.reached || compareIds(id, this.reached) > 0) this.reached = id;
  }

  /** Makes the readers read on that lack entries up to `known`. */
  pokeUpTo(known: EntryId): void {
    if (compareIds(this.reached, known) < 0) {
      // This entry was not offered, so that the live readers may lack it.
      for (const reader of [...this.live]) if (compareIds(reader.cursor, known) < 0) this.setLive(reader, false);
      this.reached = known;
    }
    if (this.behind.size === 0) return;
    for (const reader of [...this.behind]) if (compareIds(reader.cursor, known) < 0) reader.poke();
  }

  pokeAll(): void {
    for (const reader of [...this.all]) reader.poke();
  }

  failAll(error: (place: ReaderPlace) => unknown): void {
    for (const reader of [...this.all]) reader.fail(error);
  }

  /** Fails the readers that have read entries after `last`. */
  failAfter(last: EntryId, error: (place: ReaderPlace) => unknown): void {
    for (const reader of [...this.all]) if (compareIds(reader.cursor, last) > 0) reader.fail(error);
  }

  /** The place of the slowest reader that moved within a lease, or else of all readers. Undefined without readers. */
  slowest(leaseMs: number): EntryId | undefined {
    const now = asyncScheduler.now();
    let ofAll = this.live.size > 0 ? this.reached : undefined;
    let ofMoving = ofAll;
    for (const { cursor, waitingSince = now } of this.behind) {
      if (cursor === '0-0') continue;
      ofAll = older(ofAll, cursor);
      if (now - waitingSince < leaseMs) ofMoving = older(ofMoving, cursor);
    }
    return ofMoving ?? ofAll;
  }
}
