import { asyncScheduler } from 'rxjs';
import { compareIds, nextEntryId, openingIdOf } from './entry-id.js';
import type {
  AppendRequest,
  EntryId,
  LogClaim,
  LogEntry,
  LogMember,
  LogRoster,
  LogState,
  PresentMember,
} from './invocation-log.js';

/** The most that one page holds, in bytes. */
const maxPageBytes = 1024 * 1024;

type StoredState = Omit<LogState, 'leaseLeftMs'>;

/** Before the first claim. */
const none: StoredState = {
  generation: 0,
  status: 'abandoned',
  owner: '',
  last: '0-0',
  opening: '',
  leaseMs: 0,
  ttlMs: 0,
};

const now = (): number => asyncScheduler.now();

/** What a memory log holds of one key. */
export class StoredKey {
  #state = none;
  #leaseUntil = 0;
  #expiresAt = 0;
  readonly #entries: LogEntry[] = [];
  readonly #members = new Map<string, { readonly cursor: EntryId; readonly until: number }>();

  get state(): StoredState {
    return this.#state;
  }

  get isRunning(): boolean {
    return this.#state.status === 'running';
  }

  get isLeaseOver(): boolean {
    return this.#leaseUntil <= now();
  }

  get isExpired(): boolean {
    return this.#expiresAt <= now();
  }

  get newest(): LogEntry | undefined {
    return this.#entries.at(-1);
  }

  /** The state as it is told. */
  tell(): LogState {
    return { ...this.#state, leaseLeftMs: this.#leaseUntil - now() };
  }

  roster(): LogRoster {
    return { state: this.tell(), present: this.present() };
  }

  present(): PresentMember[] {
    for (const [member, { until }] of this.#members) if (until <= now()) this.#members.delete(member);
    return [...this.#members].map(([member, { cursor, until }]) => ({ member, cursor, leftMs: until - now() }));
  }

  /** Adds a member to those present, or renews its presence. */
  admit({ member, cursor }: LogMember): void {
    this.#members.set(member, { cursor, until: now() + this.#state.leaseMs });
  }

  /** Returns false for a member that is not there. */
  dismiss(member: string): boolean {
    return this.#members.delete(member);
  }

  /** Starts the producer's lease anew. */
  lease(): void {
    this.#leaseUntil = now() + this.#state.leaseMs;
    this.keep();
  }

  /** Keeps everything for the key's time to live from now. */
  keep(): void {
    this.#expiresAt = now() + this.#state.ttlMs;
  }

  /** Begins the run of a claim that was granted. */
  begin({ owner, opening, leaseMs, ttlMs }: LogClaim, generation: number, isNew: boolean): LogEntry {
    const { last, trimmed, head } = this.#state;
    this.#state = {
      generation,
      status: 'running',
      owner,
      last,
      opening,
      leaseMs,
      ttlMs,
      ...(trimmed !== undefined && { trimmed }),
      ...(!isNew && head !== undefined && { head }),
    };
    this.lease();
    return this.#open(isNew ? openingIdOf(generation) : nextEntryId(last), opening);
  }

  /** Begins a new generation of the same run. */
  restart(generation: number, opening: string): LogEntry {
    const { head: _, ...rest } = this.#state;
    this.#state = { ...rest, generation, opening };
    return this.#open(openingIdOf(generation), opening);
  }

  append({ entries, head, end, trim }: AppendRequest): void {
    this.#write(entries, {
      ...(head !== undefined && { head }),
      ...(end !== undefined && { status: end, end: entries.at(-1)?.record ?? '' }),
      ...(trim !== undefined && { trimmed: trim }),
    });
    if (trim !== undefined) {
      const kept = indexAfter(this.#entries, trim);
      this.#entries.splice(0, Math.min(kept, this.#entries.length - 1));
    }
    if (end !== undefined) this.keep();
  }

  end(end: Exclude<LogState['status'], 'running'>, record: string): LogEntry {
    const { last } = this.#state;
    const entry = { id: nextEntryId(last), previous: last, record, payload: new Uint8Array(0) };
    this.#write([entry], { status: end, end: record });
    this.keep();
    return entry;
  }

  /** At least one entry, where there is one. */
  page(after: EntryId, maxBytes = maxPageBytes): LogEntry[] {
    const page: LogEntry[] = [];
    let bytes = 0;
    for (let index = indexAfter(this.#entries, after); index < this.#entries.length; index++) {
      const entry = this.#entries[index] as LogEntry;
      bytes += entry.payload.length + entry.record.length;
      if (page.length > 0 && bytes > Math.min(maxBytes, maxPageBytes)) break;
      page.push(copyOf(entry));
    }
    return page;
  }

  #open(id: EntryId, record: string): LogEntry {
    const entry = { id, previous: this.#state.last, record, payload: new Uint8Array(0) };
    this.#write([entry]);
    return entry;
  }

  #write(entries: readonly LogEntry[], state: Partial<StoredState> = {}): void {
    // Copies of the store's own: a consumer may give away the bytes that it gets.
    for (const entry of entries) this.#entries.push(copyOf(entry));
    this.#state = { ...this.#state, ...state, last: entries.at(-1)?.id ?? this.#state.last };
  }
}

/** An entry with bytes of its own. */
export const copyOf = (entry: LogEntry): LogEntry =>
  entry.payload.length === 0 ? entry : { ...entry, payload: entry.payload.slice() };

/** The index of the first entry with a greater id, by halving. */
function indexAfter(entries: readonly LogEntry[], after: EntryId): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds((entries[middle] as LogEntry).id, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
