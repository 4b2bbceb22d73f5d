import { asyncScheduler } from 'rxjs';
import { openingIdOf } from './entry-id.js';
import type {
  AppendAnswer,
  AppendRequest,
  JoinAnswer,
  JoinRequest,
  LogClaim,
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
import { copyOf, StoredKey } from './stored-key.js';

/** How often keys whose time is over are looked for, in milliseconds. A key that is asked for is gone at once. */
const sweepMs = 10_000;

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
  const keys = new Map<string, StoredKey>();
  const watchers = new Map<string, Set<LogWatcher>>();
  /** The newest generation of any key: none repeats, also not after `forget`. */
  let generations = 0;
  let sweeper: ReturnType<typeof setTimeout> | undefined;

  function find(key: string): StoredKey | undefined {
    const stored = keys.get(key);
    if (!stored?.isExpired) return stored;
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

  function tell(key: string, call: (watcher: LogWatcher) => void): void {
    // Of a copy: a watcher may leave from within.
    for (const watcher of [...(watchers.get(key) ?? [])]) if (watchers.get(key)?.has(watcher)) call(watcher);
  }

  const tellEntries = (key: string, entries: readonly LogEntry[]): void =>
    tell(key, (watcher) => watcher.entries(entries.map(copyOf)));

  function nextGeneration(): number {
    generations = Math.max(generations + 1, Math.floor(asyncScheduler.now()));
    return generations;
  }

  /** Begins the run of a claim that was granted. */
  function begin(key: string, stored: StoredKey | undefined, claim: LogClaim): [StoredKey, LogEntry] {
    const isNew = claim.generation === 'new' || stored === undefined;
    const generation = isNew ? nextGeneration() : stored.state.generation;
    const run = stored ?? new StoredKey();
    const opening = run.begin(claim, generation, isNew);
    keys.set(key, run);
    scheduleSweep();
    return [run, opening];
  }

  return {
    get size() {
      return keys.size;
    },

    join({ key, member, cursor, claim }) {
      let stored = find(key);
      let claimed = claim !== undefined && stored?.isRunning === true && stored.state.owner === claim.owner;
      let opening: LogEntry | undefined;
      if (claim !== undefined && mayTake(stored, claim)) {
        [stored, opening] = begin(key, stored, claim);
        claimed = true;
      }
      if (stored === undefined) return undefined;
      const joins = stored.isRunning;
      if (joins) stored.admit({ member, cursor });
      const answer = { ...stored.roster(), claimed };
      if (opening !== undefined) tellEntries(key, [opening]);
      if (joins) tell(key, (watcher) => watcher.presence());
      return answer;
    },

    append(request) {
      const { key, entries, end } = request;
      const stored = find(key);
      if (stored === undefined) return { result: 'refused' };
      const { state, isRunning } = stored;
      const newest = entries.at(-1);
      // The end that somebody else has written may have the id of the entry that comes now.
      const isOwn = end === undefined ? isRunning : state.end === newest?.record;
      const isAgain = isProducer(state, request) && state.last === newest?.id && isOwn;
      if (isAgain) return { result: 'again', state: stored.tell() };
      if (!mayWrite(stored, request, entries[0]?.previous)) return { result: 'refused', state: stored.tell() };
      stored.append(request);
      const answer = { result: 'appended', state: stored.tell() } as const;
      tellEntries(key, entries);
      return answer;
    },

    restart(request) {
      const { key, previous, opening: record } = request;
      const stored = find(key);
      if (stored === undefined) return { result: 'refused' };
      const { state, newest } = stored;
      const isAgain =
        state.owner === request.owner &&
        newest?.previous === previous &&
        newest.id === openingIdOf(state.generation) &&
        state.generation !== request.generation;
      if (isAgain) return { result: 'again', state: stored.tell() };
      if (!mayWrite(stored, request, previous)) return { result: 'refused', state: stored.tell() };
      const opening = stored.restart(nextGeneration(), record);
      const answer = { result: 'appended', state: stored.tell() } as const;
      tellEntries(key, [opening]);
      return answer;
    },

    read({ key, after, maxBytes }) {
      const stored = find(key);
      return stored && { state: stored.tell(), entries: stored.page(after, maxBytes) };
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
      const { isRunning } = stored;
      if (isRunning && reader) stored.admit(reader);
      if (isRunning && producer && isProducer(stored.state, producer)) stored.lease();
      const roster = stored.roster();
      if (isRunning && reader && announce) tell(key, (watcher) => watcher.presence());
      return roster;
    },

    leave({ key, member }) {
      if (find(key)?.dismiss(member)) tell(key, (watcher) => watcher.presence());
    },

    seal({ key, generation, owner, condition, end, record }) {
      const stored = find(key);
      if (stored === undefined) return { sealed: false };
      const { state, isRunning } = stored;
      const holds =
        isRunning &&
        (generation === undefined || generation === state.generation) &&
        (owner === undefined || owner === state.owner) &&
        (condition !== 'lease-over' || stored.isLeaseOver) &&
        (condition !== 'nobody-present' || stored.present().length === 0);
      if (!holds) return { sealed: false, state: stored.tell() };
      const entry = stored.end(end, record);
      const answer = { sealed: true, state: stored.tell() };
      tellEntries(key, [entry]);
      return answer;
    },

    inspect: (key) => find(key)?.tell(),

    forget(key) {
      keys.delete(key);
    },
  };
}

type Writing = Pick<RestartRequest, 'owner' | 'generation'>;

const isProducer = (state: StoredKey['state'], { owner, generation }: Writing): boolean =>
  state.owner === owner && state.generation === generation;

function mayWrite(
  { state, isRunning }: StoredKey,
  request: Writing,
  previous: LogEntry['previous'] | undefined,
): boolean {
  return isProducer(state, request) && isRunning && state.last === previous;
}

function mayTake(stored: StoredKey | undefined, { over, last }: LogClaim): boolean {
  if (stored === undefined) return last === undefined;
  const { status, last: newest } = stored.state;
  return status !== 'running' && over.includes(status) && (last === undefined || last === newest);
}
