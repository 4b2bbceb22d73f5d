import { asyncScheduler } from 'rxjs';
import { compareIds, nextEntryId, openingIdOf } from './entry-id.js';
import type {
  AppendAnswer,
  AppendRequest,
  EntryId,
  JoinAnswer,
  JoinRequest,
  LogEntry,
  LogPage,
  LogRoster,
  LogState,
  LogWatcher,
  ReadRequest,
  RenewRequest,
  RestartRequest,
  SealAnswer,
  SealRequest,
} from './invocation-log.js';

/** The most that one page holds, in bytes. */
const maxPageBytes = 1024 * 1024;

/** How often keys whose time is over are looked for, in milliseconds. A key that is asked for is gone at once. */
const sweepMs = 10_000;

interface Presence {
  cursor: EntryId;
  until: number;
}

interface Stored {
  state: Omit<LogState, 'leaseLeftMs'>;
  leaseUntil: number;
  expiresAt: number;
  entries: LogEntry[];
  members: Map<string, Presence>;
}

/** The keys of a memory log, which several handles may share, as machines share a server. */
export interface MemoryStore {
  join(request: JoinRequest): JoinAnswer | undefined;
  append(request: AppendRequest): AppendAnswer;
  restart(request: RestartRequest): AppendAnswer;
  read(request: ReadRequest): LogPage | undefined;
  watch(key: string, watcher: LogWatcher): () => void;
  renew(request: RenewRequest): LogRoster | undefined;
  leave(request: { readonly key: string; readonly member: string }): void;
  seal(request: SealRequest): SealAnswer;
  inspect(key: string): LogState | undefined;
  forget(key: string): void;
  /** How many keys there are. */
  readonly size: number;
}

/** Makes an empty store. Its clock is that of RxJS. */
export function createMemoryStore(): MemoryStore {
  const keys = new Map<string, Stored>();
  const watchers = new Map<string, Set<LogWatcher>>();
  /** The newest generation of any key: none repeats, also not after `forget`. */
  let generations = 0;
  let sweeper: ReturnType<typeof setTimeout> | undefined;

  const now = (): number => asyncScheduler.now();

  function find(key: string): Stored | undefined {
    const stored = keys.get(key);
    if (stored === undefined || stored.expiresAt > now()) return stored;
    keys.delete(key);
    return undefined;
  }

  /** Frees the memory of keys that nobody asks for. The timer does not keep a process alive. */
  function scheduleSweep(): void {
    if (sweeper !== undefined) return;
    sweeper = setTimeout(() => {
      sweeper = undefined;
      for (const key of keys.keys()) find(key);
      if (keys.size > 0) scheduleSweep();
    }, sweepMs);
    (sweeper as { unref?: () => void }).unref?.();
  }

  const stateOf = ({ state, leaseUntil }: Stored): LogState => ({ ...state, leaseLeftMs: leaseUntil - now() });

  function present({ members }: Stored): [string, Presence][] {
    for (const [member, { until }] of members) if (until <= now()) members.delete(member);
    return [...members];
  }

  const rosterOf = (stored: Stored): LogRoster => ({
    state: stateOf(stored),
    present: present(stored).map(([member, { cursor, until }]) => ({ member, cursor, leftMs: until - now() })),
  });

  function keep(stored: Stored): void {
    stored.expiresAt = now() + stored.state.ttlMs;
  }

  function write(key: string, stored: Stored, entries: readonly LogEntry[], state: Partial<LogState> = {}): void {
    // Copies of the store's own: a consumer may give away the bytes that it gets.
    stored.entries.push(...entries.map(copyOf));
    stored.state = { ...stored.state, ...state, last: entries.at(-1)?.id ?? stored.state.last };
  }

  function tell(key: string, call: (watcher: LogWatcher) => void): void {
    // Of a copy: a watcher may leave from within.
    for (const watcher of [...(watchers.get(key) ?? [])]) if (watchers.get(key)?.has(watcher)) call(watcher);
  }

  const tellEntries = (key: string, entries: readonly LogEntry[]): void =>
    tell(key, (watcher) => watcher.entries(entries.map(copyOf)));

  function nextGeneration(): number {
    generations = Math.max(generations + 1, Math.floor(now()));
    return generations;
  }

  const mayWrite = ({ state }: Stored, { owner, generation }: AppendRequest | RestartRequest): boolean =>
    state.owner === owner && state.generation === generation;

  return {
    get size() {
      return keys.size;
    },

    join({ key, member, cursor, claim }) {
      let stored = find(key);
      const holds = stored?.state.status === 'running' && claim !== undefined && stored.state.owner === claim.owner;
      const mayTake =
        claim !== undefined &&
        (stored === undefined
          ? claim.last === undefined
          : stored.state.status !== 'running' &&
            claim.over.includes(stored.state.status) &&
            (claim.last === undefined || claim.last === stored.state.last));
      let opening: LogEntry | undefined;
      if (claim !== undefined && mayTake) {
        const { owner, opening: record, leaseMs, ttlMs } = claim;
        const last = stored?.state.last ?? '0-0';
        const isNew = claim.generation === 'new' || stored === undefined;
        const generation = isNew || stored === undefined ? nextGeneration() : stored.state.generation;
        const id = isNew ? openingIdOf(generation) : nextEntryId(last);
        const { trimmed, head } = stored?.state ?? {};
        opening = { id, previous: last, record, payload: new Uint8Array(0) };
        stored ??= { state: undefined as never, leaseUntil: 0, expiresAt: 0, entries: [], members: new Map() };
        stored.state = {
          generation,
          status: 'running',
          owner,
          last,
          opening: record,
          leaseMs,
          ttlMs,
          ...(trimmed !== undefined && { trimmed }),
          ...(!isNew && head !== undefined && { head }),
        };
        stored.leaseUntil = now() + leaseMs;
        keep(stored);
        write(key, stored, [opening]);
        keys.set(key, stored);
        scheduleSweep();
      }
      if (stored === undefined) return undefined;
      const joins = stored.state.status === 'running';
      if (joins) stored.members.set(member, { cursor, until: now() + stored.state.leaseMs });
      const answer = { ...rosterOf(stored), claimed: opening !== undefined || holds };
      if (opening !== undefined) tellEntries(key, [opening]);
      if (joins) tell(key, (watcher) => watcher.presence());
      return answer;
    },

    append(request) {
      const { key, entries, head, end, trim } = request;
      const stored = find(key);
      if (stored === undefined) return { result: 'refused' };
      if (!mayWrite(stored, request)) return { result: 'refused', state: stateOf(stored) };
      const newest = entries.at(-1);
      // The end that somebody else has written may have the id of the entry that comes now.
      const isOwn = end === undefined ? stored.state.status === 'running' : stored.state.end === newest?.record;
      if (stored.state.last === newest?.id && isOwn) return { result: 'again', state: stateOf(stored) };
      if (stored.state.status !== 'running' || stored.state.last !== entries[0]?.previous) {
        return { result: 'refused', state: stateOf(stored) };
      }
      write(key, stored, entries, {
        ...(head !== undefined && { head }),
        ...(end !== undefined && { status: end, end: entries.at(-1)?.record ?? '' }),
        ...(trim !== undefined && { trimmed: trim }),
      });
      if (trim !== undefined) {
        const kept = stored.entries.findIndex(({ id }) => compareIds(id, trim) > 0);
        stored.entries.splice(0, kept < 0 ? stored.entries.length - 1 : kept);
      }
      if (end !== undefined) keep(stored);
      const answer = { result: 'appended', state: stateOf(stored) } as const;
      tellEntries(key, entries);
      return answer;
    },

    restart(request) {
      const { key, previous, opening: record } = request;
      const stored = find(key);
      if (stored === undefined) return { result: 'refused' };
      const newest = stored.entries.at(-1);
      const isAgain =
        stored.state.owner === request.owner &&
        newest?.previous === previous &&
        newest.id === openingIdOf(stored.state.generation) &&
        stored.state.generation !== request.generation;
      if (isAgain) return { result: 'again', state: stateOf(stored) };
      if (!mayWrite(stored, request) || stored.state.status !== 'running' || stored.state.last !== previous) {
        return { result: 'refused', state: stateOf(stored) };
      }
      const generation = nextGeneration();
      const opening = { id: openingIdOf(generation), previous, record, payload: new Uint8Array(0) };
      const { head: _, ...rest } = stored.state;
      stored.state = { ...rest, generation, opening: record };
      write(key, stored, [opening]);
      const answer = { result: 'appended', state: stateOf(stored) } as const;
      tellEntries(key, [opening]);
      return answer;
    },

    read({ key, after, maxBytes = maxPageBytes }) {
      const stored = find(key);
      if (stored === undefined) return undefined;
      const page: LogEntry[] = [];
      let bytes = 0;
      for (let index = indexAfter(stored.entries, after); index < stored.entries.length; index++) {
        const entry = stored.entries[index] as LogEntry;
        bytes += entry.payload.length + entry.record.length;
        if (page.length > 0 && bytes > Math.min(maxBytes, maxPageBytes)) break;
        page.push(copyOf(entry));
      }
      return { state: stateOf(stored), entries: page };
    },

    watch(key, watcher) {
      const ofKey = watchers.get(key) ?? new Set();
      watchers.set(key, ofKey.add(watcher));
      watcher.ready();
      return () => {
        ofKey.delete(watcher);
        if (ofKey.size === 0 && watchers.get(key) === ofKey) watchers.delete(key);
      };
    },

    renew({ key, reader, announce, producer }) {
      const stored = find(key);
      if (stored === undefined) return undefined;
      const { state } = stored;
      const isRunning = state.status === 'running';
      if (isRunning && reader) {
        stored.members.set(reader.member, { cursor: reader.cursor, until: now() + state.leaseMs });
      }
      if (isRunning && producer?.owner === state.owner && producer.generation === state.generation) {
        stored.leaseUntil = now() + state.leaseMs;
        keep(stored);
      }
      const roster = rosterOf(stored);
      if (isRunning && reader && announce) tell(key, (watcher) => watcher.presence());
      return roster;
    },

    leave({ key, member }) {
      if (find(key)?.members.delete(member)) tell(key, (watcher) => watcher.presence());
    },

    seal({ key, generation, owner, condition, end, record }) {
      const stored = find(key);
      if (stored === undefined) return { sealed: false };
      const { state } = stored;
      const holds =
        state.status === 'running' &&
        (generation === undefined || generation === state.generation) &&
        (owner === undefined || owner === state.owner) &&
        (condition !== 'lease-over' || stored.leaseUntil <= now()) &&
        (condition !== 'nobody-present' || present(stored).length === 0);
      if (!holds) return { sealed: false, state: stateOf(stored) };
      const entry = { id: nextEntryId(state.last), previous: state.last, record, payload: new Uint8Array(0) };
      write(key, stored, [entry], { status: end, end: record });
      keep(stored);
      const answer = { sealed: true, state: stateOf(stored) };
      tellEntries(key, [entry]);
      return answer;
    },

    inspect(key) {
      const stored = find(key);
      return stored && stateOf(stored);
    },

    forget(key) {
      keys.delete(key);
    },
  };
}

const copyOf = (entry: LogEntry): LogEntry =>
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
