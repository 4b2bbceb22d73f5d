import { compareIds, placeOf, type Place } from './entry-id.js';
import type { EntryId, LogState } from './invocation-log.js';
import type { DecodedEntry } from './log-records.js';

/** What a process knows of a key. Answers and messages may overtake each other: what is older counts no more. */
export interface KnownLog {
  /** The newest state; undefined until the log has told one. */
  readonly state: LogState | undefined;
  /** The lease of the invocation. */
  readonly leaseMs: number;
  readonly isRunning: boolean;
  /** The newest entry that is known to stand. */
  readonly known: EntryId;
  readonly knownPlace: Place;
  /** Takes a state in. Returns false where a newer one is known. */
  learn(next: LogState): boolean;
  /** Whether an entry was not told before. */
  isNews(id: EntryId): boolean;
  /** An entry was told. Returns whether the run has begun or ended by it, so that nothing is asked about it. */
  tell(entry: DecodedEntry): boolean;
  /** What stands up to here has been told. */
  skipTo(last: EntryId): void;
  /** The log has lost entries after this state. */
  setBack(next: LogState): void;
}

/** @param firstLeaseMs - Counts until the log has told the invocation's own lease. */
export function createKnownLog(firstLeaseMs: number): KnownLog {
  let state: LogState | undefined;
  let leaseMs = firstLeaseMs;
  let known: EntryId = '0-0';
  let knownPlace = placeOf(known);
  let newest: EntryId = '0-0';

  function advance(id: EntryId, place: Place): void {
    if (compareIds(id, known) <= 0) return;
    known = id;
    knownPlace = place;
  }

  return {
    get state() {
      return state;
    },
    get leaseMs() {
      return leaseMs;
    },
    get isRunning() {
      return state?.status === 'running';
    },
    get known() {
      return known;
    },
    get knownPlace() {
      return knownPlace;
    },
    learn(next) {
      if (state && compareIds(next.last, state.last) < 0) return false;
      state = next;
      leaseMs = next.leaseMs;
      if (next.last !== known) advance(next.last, placeOf(next.last));
      return true;
    },
    isNews: (id) => compareIds(id, newest) > 0,
    tell({ kind, place, entry }) {
      newest = entry.id;
      advance(entry.id, place);
      if (!state || (kind !== 'end' && kind !== 'open')) return false;
      const { generation } = place;
      state = { ...state, generation, last: entry.id, status: kind === 'end' ? 'complete' : 'running' };
      return true;
    },
    skipTo(last) {
      if (compareIds(last, newest) > 0) newest = last;
    },
    setBack(next) {
      state = next;
      known = next.last;
      knownPlace = placeOf(known);
      newest = next.last;
    },
  };
}
