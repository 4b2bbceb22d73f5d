import { compareIds, placeOf, type Place } from './entry-id.js';
import type { EntryId, LogEntry, LogState } from './invocation-log.js';
import type { DecodedEntry } from './log-records.js';

/**
 * What a process knows of a key. Answers and messages may overtake each other: what is older counts no more.
 *
 * It is a class, as are the others that each token of a reader touches: one object of fields costs the processor fewer
 * cache lines than a closure for each method.
 */
export class KnownLog {
  /** The newest state; undefined until the log has told one. */
  state: LogState | undefined;
  /** The lease of the invocation. The first one counts until the log has told the invocation's own. */
  leaseMs: number;
  isRunning = false;
  /** The newest entry that is known to stand. */
  known: EntryId = '0-0';
  knownPlace = placeOf('0-0');
  /** The newest entry that was told. */
  private newest: EntryId = '0-0';

  constructor(firstLeaseMs: number) {
    this.leaseMs = firstLeaseMs;
  }

  /** Takes a state in. Returns false where a newer one is known. */
  learn(next: LogState): boolean {
    if (this.state && compareIds(next.last, this.state.last) < 0) return false;
    this.setState(next);
    this.leaseMs = next.leaseMs;
    if (next.last !== this.known) this.advance(next.last, placeOf(next.last));
    return true;
  }

  /** Whether an entry was not told before. Nearly every one follows the newest, which is seen at a glance. */
  isNews({ id, previous }: LogEntry): boolean {
    return previous === this.newest || compareIds(id, this.newest) > 0;
  }

  /** An entry was told. Returns whether the run has begun or ended by it, so that nothing is asked about it. */
  tell({ kind, place, entry: { id, previous } }: DecodedEntry): boolean {
    this.newest = id;
    if (previous === this.known) this.setKnown(id, place);
    else this.advance(id, place);
    if (!this.state || (kind !== 'end' && kind !== 'open')) return false;
    const { generation } = place;
    this.setState({ ...this.state, generation, last: id, status: kind === 'end' ? 'complete' : 'running' });
    return true;
  }

  /** What stands up to here has been told. */
  skipTo(last: EntryId): void {
    if (compareIds(last, this.newest) > 0) this.newest = last;
  }

  /** The log has lost entries after this state. */
  setBack(next: LogState): void {
    this.setState(next);
    this.setKnown(next.last, placeOf(next.last));
    this.newest = next.last;
  }

  private setState(next: LogState): void {
    this.state = next;
    this.isRunning = next.status === 'running';
  }

  private advance(id: EntryId, place: Place): void {
    if (compareIds(id, this.known) > 0) this.setKnown(id, place);
  }

  private setKnown(id: EntryId, place: Place): void {
    this.known = id;
    this.knownPlace = place;
  }
}
