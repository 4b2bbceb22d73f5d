import type { ObservableInput } from 'rxjs';

/**
 * The place of an entry in its log: `<generation>-<bytes * 1024 + slot>`, two whole numbers without leading zeros.
 *
 * `bytes` is the payload of the generation up to and including this entry; `slot` numbers the entries without payload
 * at one place, so that a chunk's slot is 0. Ids grow: first by generation, then by the second number. Both numbers are
 * safe integers of JavaScript.
 */
export type EntryId = `${number}-${number}`;

/** One entry of a log. A log stores it, returns it unchanged, and reads nothing of it except its ids. */
export interface LogEntry {
  readonly id: EntryId;
  /** The id of the entry before it in the same key, over generations too; `0-0` for the key's first entry. */
  readonly previous: EntryId;
  /** The entry's kind and fields as JSON. Empty for a chunk. At most 64 KiB of UTF-8. */
  readonly record: string;
  /** Raw bytes, at most 64 KiB; empty where the entry has none. */
  readonly payload: Uint8Array;
}

/** How an invocation ended. */
export type LogEnd = 'complete' | 'failed' | 'stopped' | 'lost' | 'abandoned';

/** Whether an invocation runs, or how it ended. */
export type LogStatus = 'running' | LogEnd;

/** The state of one key. All fields are read at one moment. */
export interface LogState {
  readonly generation: number;
  readonly status: LogStatus;
  /** The token of the producer that holds, or last held, the key. */
  readonly owner: string;
  /** The newest entry. */
  readonly last: EntryId;
  /** The newest entry id that a `trim` has dropped; absent while everything is held. */
  readonly trimmed?: EntryId;
  /** The record of the newest opening entry: the one of the newest claim or restart. */
  readonly opening: string;
  /** The record of the generation's newest head. It is kept when the head's entry is trimmed. */
  readonly head?: string;
  /** The record of the end entry; present exactly where `status` is not 'running'. */
  readonly end?: string;
  /** The lease of the newest claim. */
  readonly leaseMs: number;
  /** The time to live of the newest claim. */
  readonly ttlMs: number;
  /** What is left of the producer's lease by the log's clock, in milliseconds; 0 or less where it is over. */
  readonly leaseLeftMs: number;
}

/** A process that reads a key. */
export interface LogMember {
  /** A token that no other process and no other key has. */
  readonly member: string;
  /** How far its slowest reader has come. */
  readonly cursor: EntryId;
}

/** A member whose presence has not run out by the log's clock. */
export interface PresentMember extends LogMember {
  /** What is left of its presence, in milliseconds. */
  readonly leftMs: number;
}

/** A log's state, and who is present. */
export interface LogRoster {
  readonly state: LogState;
  readonly present: readonly PresentMember[];
}

/** The request of a process that wants to be the producer. */
export interface LogClaim {
  /** A token that no other claim has. */
  readonly owner: string;
  /** In which states the key may be taken. A key that the log does not have may be taken unless `last` is given. */
  readonly over: readonly LogEnd[];
  /** Where given, the claim holds only while this is the newest entry: a take-over of exactly this loss. */
  readonly last?: EntryId;
  /**
   * Whether bytes begin at 0 again: `new` makes generation max(last one + 1, the log's clock in milliseconds since
   * 1970), so that a generation never repeats, also after a loss of the log; `same` keeps the generation, and needs
   * `last`.
   */
  readonly generation: 'new' | 'same';
  /** The opening entry's record. Its id is `<generation>-0`, or the newest id plus 1 where the generation is kept. */
  readonly opening: string;
  /** How long the producer's lease, and the presence of members, last without being renewed, in milliseconds. */
  readonly leaseMs: number;
  /** How long the log keeps the key without a renewal or an end, in milliseconds. */
  readonly ttlMs: number;
}

/** The arguments of `join`: a process comes to read, and perhaps to produce. */
export interface JoinRequest extends LogMember {
  readonly key: string;
  readonly claim?: LogClaim;
}

/** The answer of `join`: the members after it, and whether the claim was granted. */
export interface JoinAnswer extends LogRoster {
  /** Whether the claim was granted. */
  readonly claimed: boolean;
}

/** The arguments of `append`: new entries of the producer. */
export interface AppendRequest {
  readonly key: string;
  readonly owner: string;
  readonly generation: number;
  /** At least one entry, each holding the id of the one before it; the first one's `previous` is compared. */
  readonly entries: readonly LogEntry[];
  /** The newest of these entries that is a head: its record, to be kept in the state. */
  readonly head?: string;
  /** The last of these entries is the end: its record is kept in the state, which becomes this. */
  readonly end?: 'complete' | 'failed';
  /** All entries up to and including this id may be dropped. */
  readonly trim?: EntryId;
}

/** The arguments of `restart`: bytes count from 0 again. The entries before it stay until they are trimmed. */
export interface RestartRequest {
  readonly key: string;
  readonly owner: string;
  readonly generation: number;
  /** The newest entry as the producer knows it; compared as in an append. */
  readonly previous: EntryId;
  /** The record of the opening entry `<new generation>-0`. */
  readonly opening: string;
}

/** The answer of `append` and `restart`. */
export interface AppendAnswer {
  /**
   * - `appended`: all entries stand in the log.
   * - `again`: they stood there already, since the call was repeated after its answer was lost.
   * - `refused`: nothing was written. `state` says why: another owner, generation, status or newest entry.
   */
  readonly result: 'appended' | 'again' | 'refused';
  /**
   * The state after the call. Absent if the log does not have the key. An `append` with the result `appended` may leave
   * it out, because the state would cost as much as the token that was appended.
   */
  readonly state?: LogState;
}

/** The arguments of `read`: which entries to read. */
export interface ReadRequest {
  readonly key: string;
  /** Entries after this id are wanted; it does not have to be an entry's id. */
  readonly after: EntryId;
  /** At most so many bytes of records and payloads, and never more than 1 MiB, which is the default. */
  readonly maxBytes?: number;
}

/** Entries in the order of their ids, without a gap between them. */
export interface LogPage {
  readonly state: LogState;
  /** At most what was asked for, but at least one entry where there is one. */
  readonly entries: readonly LogEntry[];
}

/** The arguments of `renew`: a reader's presence, a producer's lease, or both. */
export interface RenewRequest {
  readonly key: string;
  readonly reader?: LogMember;
  /** Tells the other watchers of this reader's cursor: they get `presence`. */
  readonly announce?: boolean;
  readonly producer?: { readonly owner: string; readonly generation: number };
}

/** The arguments of `seal`: ends an invocation if a condition holds at the moment of writing. */
export interface SealRequest {
  readonly key: string;
  /** Where given, the key has to be in this generation. */
  readonly generation?: number;
  /** Where given, this has to be the owner. */
  readonly owner?: string;
  /**
   * What has to hold besides the status 'running':
   *
   * - `running`: nothing else.
   * - `lease-over`: the producer's lease is over by the log's clock.
   * - `nobody-present`: no member is present by the log's clock.
   */
  readonly condition: 'running' | 'lease-over' | 'nobody-present';
  readonly end: LogEnd;
  /** The record of the end entry. Its id is the newest id plus 1. */
  readonly record: string;
}

/** The answer of `seal`: whether the end was written, and the state after it. */
export interface SealAnswer {
  /** Whether this call wrote the end. */
  readonly sealed: boolean;
  /** The state after the call; absent where the log does not have the key. */
  readonly state?: LogState;
}

/** The callbacks of a process that watches a key. No method throws, and each may call the log again at once. */
export interface LogWatcher {
  /**
   * Called when the watch is established: every later entry is reported. Called again after each moment in which
   * entries may have been missed, such as a cut connection. The readers then read the log at once.
   */
  ready(): void;
  /**
   * Called with new entries of any process, opening and end entries too, in the order of their ids. An entry may come
   * twice, and entries may be missing between two calls. The ids tell.
   */
  entries(entries: readonly LogEntry[]): void;
  /** Called when a member joined, left, or announced its cursor. May be called without such a change. */
  presence(): void;
  /** Called when the log refuses to be watched for good, such as without permission for its channels. */
  failed(error: unknown): void;
  /**
   * Called by `close`. The log still works until the promise has settled: productions end themselves by a `seal`.
   */
  closing(): PromiseLike<unknown>;
}

/** The answer of a log: a promise, or an Observable of one value. A memory's answer may come synchronously. */
export type LogAnswer<T> = ObservableInput<T>;

/**
 * Stores invocations, so that consumers on many machines share them. `memoryLog` and `redisLog` make one.
 *
 * An application only makes it, passes it on and closes it. All other methods are for authors of another log, which
 * `invocationLogCases` of `rx-lambda-stream/testing` tests. Code above this interface decides, once for all logs, who
 * produces, when a producer counts as lost, when an invocation is abandoned, and all limits and pace.
 *
 * Rules for all methods:
 *
 * - The call does the work, once, whether or not the answer is subscribed to.
 * - Each call is one atomic step: no other call sees a part of it. Its times are those of the log's own clock.
 * - A call whose answer was lost may be repeated; the methods say how a repetition is answered. A log repeats calls by
 *   itself after a cut connection. An answer that fails is final, and is a `LogUnavailableError`: the log refuses.
 * - A call that writes entries then also gives them to every watcher of the key, payloads included.
 * - Everything that belongs to a key is removed together, `ttlMs` after the last claim, renewal of the producer, or
 *   end. A log whose key is gone answers undefined, `refused` or `sealed: false`.
 * - Keys are any text of 1 to 512 bytes of UTF-8.
 */
export interface InvocationLog {
  /**
   * Adds the member to those present, and grants the claim where it may be granted, writing its opening entry.
   *
   * A claim is granted where the log lacks the key (unless `claim.last` is given) or its status is one of `claim.over`
   * (and its newest entry is `claim.last`, where given). It makes the status 'running', starts the lease, drops the
   * `head` where the generation is new, and drops `end`. A claim whose owner holds the running key already is granted
   * again, and writes nothing.
   *
   * The member is present for `leaseMs`, or its presence is renewed; the other watchers are told by `presence`. Where
   * the key is not running after the call, nobody is added. Without a claim, and without the key, the answer is
   * undefined and nothing is written.
   */
  join(request: JoinRequest): LogAnswer<JoinAnswer | undefined>;

  /**
   * Writes entries, if the key is running in this generation under this owner and its newest entry is the first entry's
   * `previous`. This comparison is what fences off a producer that was declared lost.
   *
   * Where owner and generation are right and the newest entry is the *last* of these, the answer is `again`, also after
   * the end that this call wrote. Does not renew the lease. With `trim`, older entries are dropped: nearly all at once,
   * the rest with later calls; the newest entry never is.
   */
  append(request: AppendRequest): LogAnswer<AppendAnswer>;

  /**
   * Writes the opening entry of a new generation under the same conditions as `append`. `generation` is found as for a
   * claim. `head` is dropped. Where this owner's newest opening entry was written after `previous` and is the newest
   * entry, the answer is `again`.
   */
  restart(request: RestartRequest): LogAnswer<AppendAnswer>;

  /** Reads entries; undefined where the log does not have the key. */
  read(request: ReadRequest): LogAnswer<LogPage | undefined>;

  /**
   * Tells what happens in a key, until the returned function is called. Watchers of one log share connections.
   *
   * A process watches a key once, before it joins.
   */
  watch(key: string, watcher: LogWatcher): () => void;

  /**
   * Renews the reader's presence (adding it where it had run out) with its cursor, and the producer's lease. Both only
   * while the key is running; the lease only where owner and generation are the key's, also where it is over: a lease
   * that ran out can be taken back until a `seal` has ended the run.
   *
   * A producer's renewal keeps everything of the key for `ttlMs` from now. The answer is undefined where the log does
   * not have the key.
   */
  renew(request: RenewRequest): LogAnswer<LogRoster | undefined>;

  /** Removes a member, and tells the other watchers by `presence`. */
  leave(request: { readonly key: string; readonly member: string }): LogAnswer<void>;

  /** Writes an end entry, if the key is running and the condition holds. Keeps everything for `ttlMs` from now. */
  seal(request: SealRequest): LogAnswer<SealAnswer>;

  /** Returns the state; undefined where the log does not have the key. */
  inspect(key: string): LogAnswer<LogState | undefined>;

  /** Removes everything of the key. The watchers are not told. */
  forget(key: string): LogAnswer<void>;

  /**
   * Ends what this process produces with an end entry, so that the others take over or are told at once, and lets go of
   * the log: for SIGTERM at a deploy. Calls after it fail with a `LogUnavailableError`. Resolves when it is done, also
   * where the log does not answer; a second call returns the first one's promise.
   *
   * An implementation calls `closing` of every watcher, waits for what they return, and then lets go of its
   * connections. A client that was passed in stays open.
   */
  close(): Promise<void>;
}
