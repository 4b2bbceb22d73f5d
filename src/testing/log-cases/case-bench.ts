import { firstValueFrom, from } from 'rxjs';
import type {
  EntryId,
  InvocationLog,
  JoinAnswer,
  LogAnswer,
  LogClaim,
  LogEntry,
  LogState,
  LogWatcher,
} from '../../log/invocation-log.js';

/** Opens the log that is tested, as another process would. All logs that it returns share one storage. */
export type OpenLog = () => InvocationLog | PromiseLike<InvocationLog>;

/** One case of `invocationLogCases`. */
export interface InvocationLogCase {
  /** A sentence that says what holds. */
  readonly name: string;
  /** Rejects with an error that says what does not hold. Closes the logs that it has opened. */
  readonly run: (openLog: OpenLog) => Promise<void>;
}

/** Long times. Nothing expires in a case that does not wait for it, even on a slow machine. */
export const leaseMs = 60_000;
export const ttlMs = 60_000;

/** Short times, for a case in which a lease, a presence or a key expires. */
export const shortLeaseMs = 300;
export const shortTtlMs = 600;

/** How long a case waits for an expected event, in milliseconds. */
export const patienceMs = 10_000;

/** The tools of one case. */
export interface Bench {
  /** A key that no other case has. */
  readonly key: string;
  readonly open: () => Promise<InvocationLog>;
}

export function define(name: string, run: (bench: Bench) => Promise<void>): InvocationLogCase {
  return {
    name,
    async run(openLog) {
      const logs: InvocationLog[] = [];
      const key = `case-${Math.random().toString(36).slice(2)}`;
      const open = async (): Promise<InvocationLog> => {
        const log = await openLog();
        logs.push(log);
        return log;
      };
      try {
        await run({ key, open });
      } finally {
        await Promise.all(logs.map((log) => log.close()));
      }
    },
  };
}

export const claim = (owner: string): LogClaim => ({
  owner,
  over: ['failed', 'abandoned', 'lost'],
  generation: 'new',
  opening: 'opening',
  leaseMs,
  ttlMs,
});

/** Claims a free key as the member `m`, and returns the state after the claim. */
export async function claimed(log: InvocationLog, key: string, rules: Partial<LogClaim> = {}): Promise<LogState> {
  const joined = await answer(log.join({ key, member: 'm', cursor: '0-0', claim: { ...claim('o'), ...rules } }));
  equal(joined?.claimed, true, 'the claim of a key that nobody has');
  return joinedState(joined);
}

export function joinedState(joined: JoinAnswer | undefined): LogState {
  if (joined === undefined) throw new Error('join has no answer');
  return joined.state;
}

export interface NewEntry {
  readonly id: EntryId;
  readonly record: string;
  readonly payload?: readonly number[];
  readonly bytes?: Uint8Array;
}

/** Makes a chain of entries: the `previous` of each is the id of the entry before it. */
export function chain(previous: EntryId, entries: readonly NewEntry[]): LogEntry[] {
  return entries.map(({ id, record, payload = [], bytes = Uint8Array.from(payload) }, index) => ({
    id,
    previous: entries[index - 1]?.id ?? previous,
    record,
    payload: bytes,
  }));
}

export const shown = ({ id, previous, record, payload }: LogEntry): object => ({
  id,
  previous,
  record,
  payload: [...payload],
});

export const silent: LogWatcher = {
  ready: () => undefined,
  entries: () => undefined,
  presence: () => undefined,
  failed: () => undefined,
  closing: () => Promise.resolve(),
};

interface Seen {
  ready: number;
  presence: number;
  readonly entries: Map<EntryId, LogEntry>;
  readonly stop: () => void;
}

/** Watches a key. A log may report an entry twice, and the watch keeps it once. */
export function watchOf(log: InvocationLog, key: string): Seen {
  const counts = { ready: 0, presence: 0 };
  const entries = new Map<EntryId, LogEntry>();
  const stop = log.watch(key, {
    ...silent,
    ready: () => (counts.ready += 1),
    presence: () => (counts.presence += 1),
    entries: (told) => {
      for (const entry of told) if (!entries.has(entry.id)) entries.set(entry.id, entry);
    },
  });
  return Object.defineProperties(
    { entries, stop },
    { ready: { get: () => counts.ready }, presence: { get: () => counts.presence } },
  ) as Seen;
}

export const answer = <T>(given: LogAnswer<T>): Promise<T> =>
  firstValueFrom(from(given), { defaultValue: undefined as T });

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the condition holds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(5);
  }
}

/** Compares by JSON. Writes undefined as a word, because JSON leaves it out. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_name, member: unknown) => (member === undefined ? '(undefined)' : member));
  if (text(actual) !== text(expected)) throw new Error(`${what}: ${text(actual)} instead of ${text(expected)}`);
}
