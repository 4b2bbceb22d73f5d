import { compareIds, placeOf, type Place } from './entry-id.js';
import type { EntryId, LogEntry, LogState } from './invocation-log.js';
import type { DecodedEntry } from './log-records.js';

/**
 * The newest knowledge of a process about a key. Answers and messages may overtake each other, and older ones are
 * ignored.
 *
 * All objects that each token of a reader touches are classes. One object of fields costs the processor fewer cache
 * lines than a closure for each method.
 */
export class KnownLog {
  /** The newest state. Undefined until the log has told one. */
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

  /** Takes a state. Returns false if a newer one is known. */
  learn(next: LogState): boolean {
    if (this.state && compareIds(next.last, this.state.last) < 0) return false;
    this.setState(next);
    this.leaseMs = next.leaseMs;
    if (next.last !== this.known) this.advance(next.last, placeOf(next.last));
    return true;
  }

  /** Tells whether an entry is new. Nearly every new entry follows the newest one, which is checked first. */
  isNews({ id, previous }: LogEntry): boolean {
    return previous === this.newest || compareIds(id, this.newest) > 0;
  }

  /** Takes a new entry. Returns whether a run has begun or ended with it, so that the log need not be asked. */
  tell({ kind, place, entry: { id, previous } }: DecodedEntry): boolean {
    this.newest = id;
    if (previous === this.known) this.setKnown(id, place);
    else this.advance(id, place);
    if (!this.state || (kind !== 'end' && kind !== 'open')) return false;
    const { generation } = place;
    this.setState({ ...this.state, generation, last: id, status: kind === 'end' ? 'complete' : 'running' });
    return true;
  }

  /** Notes that all entries up to this one are known. */
  skipTo(last: EntryId): void {
    if (compareIds(last, this.newest) > 0) this.newest = last;
  }

  /** Takes a state behind which the log has lost entries. */
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
