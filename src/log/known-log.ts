import { compareIds, placeOf, type Place } from './entry-id.js';
import type { EntryId, LogEntry, LogState } from './invocation-log.js';
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
  isNews(entry: LogEntry): boolean;
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
    if (compareIds(id, known) > 0) setKnown(id, place);
  }

  function setKnown(id: EntryId, place: Place): void {
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
    // Nearly every entry follows the newest one, which is seen at a glance: this runs for each token.
    isNews: ({ id, previous }) => previous === newest || compareIds(id, newest) > 0,
    tell({ kind, place, entry }) {
      newest = entry.id;
      if (entry.previous === known) setKnown(entry.id, place);
      else advance(entry.id, place);
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
      setKnown(next.last, placeOf(next.last));
      newest = next.last;
    },
  };
}
