import { takeUntil, timer, type Observable } from 'rxjs';
import { LogUnavailableError, ProducerLostError } from '../errors.js';
import { compareIds } from './entry-id.js';
import type { EntryId, InvocationLog, JoinAnswer, LogClaim, LogEntry, LogPage, LogState } from './invocation-log.js';
import { KnownLog } from './known-log.js';
import { createLogCalls, type LogCalls } from './log-calls.js';
import { decodeEntry, decodeOpening, type DecodedEntry } from './log-records.js';
import { createProduction, type Production, type ProductionInit } from './production.js';
import { createRenewals } from './renewals.js';
import { RoomReaders, type ReaderPlace, type RoomReader } from './room-readers.js';
import { createSharedPages } from './shared-pages.js';

/** The common parts of all consumers of one key in this process: presence, watch, renewals, maybe the production. */
export interface KeyRoom {
  readonly calls: LogCalls;
  readonly leaseMs: number;
  /** The newest entry that is known to stand. */
  readonly known: EntryId;
  /** Whether the log is being closed. Then nothing begins here any more. */
  readonly isClosing: boolean;
  add(reader: RoomReader): void;
  remove(reader: RoomReader): void;
  join(cursor: EntryId, claim?: LogClaim): Observable<JoinAnswer | undefined>;
  /** Reads a page. Readers at the same place share the answer. */
  read(after: EntryId, maxBytes: number): Observable<LogPage | undefined>;
  learn(state: LogState): void;
  produce(init: ProductionInit): void;
  /** Adds a reader that has found its place. */
  positioned(reader: RoomReader): void;
  /** Notes whether a reader takes offered entries from now on, or reads the log by itself. */
  setLive(reader: RoomReader, isLive: boolean): void;
  /** Called when readers have moved. */
  moved(): void;
  /** Called when a reader has paused or resumed. */
  setPaused(isPaused: boolean): void;
}

const registry = new WeakMap<InvocationLog, Map<string, KeyRoom>>();

/** The room of a key. It exists while somebody reads or produces in it. */
export function roomOf(log: InvocationLog, key: string, leaseMs: number): KeyRoom {
  const rooms = registry.get(log) ?? new Map<string, KeyRoom>();
  registry.set(log, rooms);
  const existing = rooms.get(key);
  if (existing && !existing.isClosing) return existing;
  const room = createKeyRoom(log, key, leaseMs, () => {
    if (rooms.get(key) === room) rooms.delete(key);
  });
  rooms.set(key, room);
  return room;
}

function createKeyRoom(log: InvocationLog, key: string, firstLeaseMs: number, onEmpty: () => void): KeyRoom {
  const member = createToken();
  const readers = new RoomReaders();
  const knownLog = new KnownLog(firstLeaseMs);
  const calls = createLogCalls(log, key, () => knownLog.leaseMs);
  const pages = createSharedPages(calls);
  let production: Production | undefined;
  let unwatch: (() => void) | undefined;
  /** The claims that are not answered yet. The room stays for them: what is granted is produced. */
  let claims = 0;
  let delivering = false;
  let isClosing = false;

  const renewals = createRenewals({
    calls,
    member,
    readers,
    log: knownLog,
    get production() {
      return production;
    },
    answered(roster, knownThen) {
      compareWith(knownThen, roster.state);
      learn(roster.state);
      production?.roster(roster);
    },
    sealLoss(record) {
      if (!knownLog.state) return;
      const { generation } = knownLog.state;
      calls
        .seal({ generation, condition: 'lease-over', end: 'lost', record })
        .subscribe({ next: ({ state }) => (state ? learn(state) : gone()), error: failAll });
    },
    gone,
    failed: failAll,
  });

  const slowest = (): EntryId | undefined => readers.slowest(knownLog.leaseMs);

  const lostByLog = (place: ReaderPlace): Error => new ProducerLostError({ ...place, reason: 'log' });

  function failAll(error: unknown): void {
    production?.stop();
    readers.failAll(() => error);
  }

  function gone(): void {
    production?.stop();
    readers.failAll(lostByLog);
  }

  /**
   * Compares an answer with the newest entry that was known when the call was made. If the log lacks that entry, a
   * replica was promoted without it. Readers of lost entries fail. The others go on from the log's newest entry.
   */
  function compareWith(knownThen: EntryId, next: LogState): void {
    if (compareIds(next.last, knownThen) >= 0) return;
    knownLog.setBack(next);
    readers.failAfter(next.last, lostByLog);
    production?.rewound(next);
  }

  function learn(next: LogState): void {
    if (!knownLog.learn(next)) return;
    readers.pokeUpTo(knownLog.known);
    renewals.schedule();
  }

  function deliver(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (!knownLog.isNews(entry)) continue;
      let decoded: DecodedEntry;
      try {
        decoded = decodeEntry(entry, knownLog.known, knownLog.knownPlace);
      } catch (error) {
        failAll(error);
        return;
      }
      renewals.count(1);
      if (knownLog.tell(decoded)) renewals.schedule();
      production?.observe(decoded);
      // A consumer's `next` has caused this entry. The readers find it in the log after they got the entry before it.
      if (delivering) continue;
      delivering = true;
      try {
        readers.offer(decoded);
      } finally {
        delivering = false;
      }
    }
    if (delivering) return;
    readers.pokeUpTo(knownLog.known);
    moved();
  }

  /** Tells the producer, in this process or another, the place of the slowest reader. */
  function moved(): void {
    if (production) production.readersMoved();
    else renewals.moved();
  }

  function disposeIfEmpty(): void {
    if (readers.size > 0 || production || claims > 0) return;
    renewals.stop();
    unwatch?.();
    unwatch = undefined;
    onEmpty();
  }

  /** The consumer has left before its claim was answered. The invocation lingers, as if it had left right after. */
  function leftEarly(): void {
    void calls.leave(member);
    production?.readersChanged();
  }

  async function closing(): Promise<void> {
    isClosing = true;
    const isProducing = production !== undefined;
    const sealed = production?.close();
    // Waits no longer than other processes would need to notice the loss.
    if (sealed) {
      await new Promise<void>((resolve) => whenSettled(sealed.pipe(takeUntil(timer(knownLog.leaseMs))), resolve));
    }
    readers.failAll((place) =>
      isProducing
        ? new ProducerLostError({ ...place, reason: 'closed' })
        : new LogUnavailableError('it was closed', { key }),
    );
  }

  function watch(): void {
    let stopped = false;
    const stop = log.watch(key, {
      ready() {
        renewals.reset();
        readers.pokeAll();
        if (production) renewals.renew(false);
      },
      entries: deliver,
      presence() {
        if (production) renewals.renew(false);
      },
      failed: failAll,
      closing,
    });
    unwatch = () => {
      if (!stopped) stop();
      stopped = true;
    };
  }

  return {
    calls,
    get leaseMs() {
      return knownLog.leaseMs;
    },
    get known() {
      return knownLog.known;
    },
    get isClosing() {
      return isClosing;
    },
    add(reader) {
      readers.add(reader);
      if (!unwatch) watch();
      production?.readersChanged();
    },
    remove(reader) {
      if (!readers.remove(reader)) return;
      if (readers.size === 0) {
        // No reader is left to get a failure, and the presence expires by itself.
        if (knownLog.isRunning) void calls.leave(member);
        production?.lastReaderLeft(reader.cursor);
      }
      production?.readersChanged();
      disposeIfEmpty();
    },
    join(cursor, claim) {
      const answer = calls.join({ member, cursor: slowest() ?? cursor, ...(claim && { claim }) });
      if (claim) {
        claims++;
        const settled = (): void => {
          claims--;
          disposeIfEmpty();
        };
        answer.subscribe({ complete: settled, error: settled });
      }
      return answer;
    },
    read(after, maxBytes) {
      const knownThen = knownLog.known;
      return pages.read(after, maxBytes, (page) => {
        renewals.count(page.entries.length);
        compareWith(knownThen, page.state);
      });
    },
    learn(next) {
      renewals.setWindow(decodeOpening(next.opening).maxReplayBytes);
      learn(next);
    },
    produce(init) {
      knownLog.skipTo(init.state.last);
      production = createProduction(
        {
          calls,
          member,
          slowest,
          hasReaders: () => readers.size > 0,
          allPaused: () => readers.allPaused,
          deliver,
          learn,
          gone,
          failed: failAll,
          renewNow: () => renewals.renew(false),
          ended() {
            production = undefined;
            disposeIfEmpty();
            renewals.schedule();
          },
        },
        init,
      );
      if (isClosing) {
        void production.close();
        return;
      }
      production.start();
      if (readers.size === 0) leftEarly();
      renewals.schedule();
    },
    positioned(reader) {
      readers.setLive(reader, false);
      if (!production && knownLog.isRunning) renewals.renew(true);
    },
    setLive: (reader, isLive) => readers.setLive(reader, isLive),
    moved,
    setPaused(isPaused) {
      readers.setPaused(isPaused);
      production?.readersChanged();
    },
  };
}

function whenSettled(answer: Observable<unknown>, done: () => void): void {
  answer.subscribe({ complete: done, error: done });
}

/** Makes a unique name of 128 random bits. */
export function createToken(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');
}
