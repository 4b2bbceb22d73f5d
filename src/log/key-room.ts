import { asyncScheduler, takeUntil, timer, type Observable, type Subscription } from 'rxjs';
import { LogUnavailableError, ProducerLostError } from '../errors.js';
import { compareIds, placeOf, type Position } from './entry-id.js';
import type {
  EntryId,
  InvocationLog,
  JoinAnswer,
  LogClaim,
  LogEntry,
  LogPage,
  LogState,
  RenewRequest,
} from './invocation-log.js';
import { createLeaseWatch } from './lease-watch.js';
import { createLogCalls, type LogCalls } from './log-calls.js';
import { decodeEntry, decodeOpening, type DecodedEntry } from './log-records.js';
import { createProduction, type Production, type ProductionInit } from './production.js';
import { older } from './reader-pace.js';
import { entryBytes } from './replay-window.js';

/** So many renewals are made in a lease. */
const renewalsPerLease = 3;

/** A reader announces its place each time that it has read this part of the window. */
const announcedPart = 4;

/** One consumer, as its room sees it. */
export interface RoomReader {
  /** The last entry, or byte, that it has passed on. */
  readonly cursor: EntryId;
  /** Since when it has not taken what is there; undefined while it has all. */
  readonly waitingSince: number | undefined;
  readonly paused: boolean;
  readonly mayTakeOver: boolean;
  /** An entry has been written. */
  offer(entry: DecodedEntry): void;
  /** The log may have entries that were not offered. */
  poke(): void;
  fail(error: (place: ReaderPlace) => unknown): void;
}

/** Where a reader is, for its error. */
export interface ReaderPlace {
  readonly key: string;
  readonly position?: Position;
}

/** What all consumers of one key in this process share: presence, watch, renewals, and perhaps the production. */
export interface KeyRoom {
  readonly calls: LogCalls;
  readonly leaseMs: number;
  /** The newest entry that is known to stand. */
  readonly known: EntryId;
  /** Whether the log is being closed: nobody begins anything here. */
  readonly isClosing: boolean;
  add(reader: RoomReader): void;
  remove(reader: RoomReader): void;
  join(cursor: EntryId, claim?: LogClaim): Observable<JoinAnswer | undefined>;
  /** Reads a page; readers at the same place share the answer. */
  read(after: EntryId, maxBytes: number): Observable<LogPage | undefined>;
  learn(state: LogState): void;
  produce(init: ProductionInit): void;
  /** A reader knows where it begins. */
  positioned(): void;
  /** Readers have moved. */
  moved(): void;
  /** A reader has paused or resumed. */
  paceChanged(): void;
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
  const readers = new Set<RoomReader>();
  const reading = new Map<string, Observable<LogPage | undefined>>();
  let leaseMs = firstLeaseMs;
  let state: LogState | undefined;
  let known: EntryId = '0-0';
  let newest: EntryId = '0-0';
  let reported: EntryId = '0-0';
  /** Entries that came since `reported` was told. Each counts towards the window, besides its bytes. */
  let entriesSinceReport = 0;
  let maxReplayBytes = Infinity;
  let production: Production | undefined;
  let unwatch: (() => void) | undefined;
  let ticking: Subscription | undefined;
  let isRenewing = false;
  let renewAgain: { announce: boolean } | undefined;
  let delivering = false;
  let isClosing = false;

  const calls = createLogCalls(log, key, () => leaseMs);

  const leaseWatch = createLeaseWatch({
    mayTakeOver: () => [...readers].some((reader) => reader.mayTakeOver),
    seal: (record) => {
      if (!state) return;
      const { generation } = state;
      calls
        .seal({ generation, condition: 'lease-over', end: 'lost', record })
        .subscribe({ next: (answer) => (answer.state ? learn(answer.state) : gone()), error: failAll });
    },
  });

  /** One walk and no list: asked for whenever one of many readers moves or leaves. */
  function slowest(): EntryId | undefined {
    const now = asyncScheduler.now();
    let ofMoving: EntryId | undefined;
    let ofAll: EntryId | undefined;
    for (const { cursor, waitingSince = now } of readers) {
      if (cursor === '0-0') continue;
      ofAll = older(ofAll, cursor);
      if (now - waitingSince < leaseMs) ofMoving = older(ofMoving, cursor);
    }
    return ofMoving ?? ofAll;
  }

  function failAll(error: unknown): void {
    production?.stop();
    for (const reader of [...readers]) reader.fail(() => error);
  }

  function gone(): void {
    production?.stop();
    for (const reader of [...readers]) reader.fail((place) => new ProducerLostError({ ...place, reason: 'log' }));
  }

  /**
   * Compares an answer with what was known to stand when it was asked for. A log that lacks such entries has lost them:
   * a replica was promoted without them. Whoever has read them is told; the others go on from where the log is.
   */
  function compareWith(knownThen: EntryId, next: LogState): void {
    if (compareIds(next.last, knownThen) >= 0) return;
    state = next;
    known = next.last;
    newest = next.last;
    for (const reader of [...readers]) {
      if (compareIds(reader.cursor, known) <= 0) continue;
      reader.fail((place) => new ProducerLostError({ ...place, reason: 'log' }));
    }
    production?.rewound(next);
  }

  function learn(next: LogState): void {
    // Answers may overtake each other.
    if (state && compareIds(next.last, state.last) < 0) return;
    state = next;
    leaseMs = next.leaseMs;
    if (compareIds(next.last, known) > 0) known = next.last;
    poke();
    schedule();
  }

  function poke(): void {
    for (const reader of [...readers]) if (compareIds(reader.cursor, known) < 0) reader.poke();
  }

  function deliver(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (compareIds(entry.id, newest) <= 0) continue;
      newest = entry.id;
      entriesSinceReport++;
      if (compareIds(entry.id, known) > 0) known = entry.id;
      let decoded: DecodedEntry;
      try {
        decoded = decodeEntry(entry);
      } catch (error) {
        failAll(error);
        return;
      }
      follow(decoded);
      production?.observe(decoded);
      // From within a consumer's `next`: the readers find it in the log, in order, when all have got the one before.
      if (delivering) continue;
      delivering = true;
      try {
        for (const reader of [...readers]) if (readers.has(reader)) reader.offer(decoded);
      } finally {
        delivering = false;
      }
    }
    if (delivering) return;
    poke();
    moved();
  }

  /** Keeps the state by what is told, so that nothing is asked about a run that is over. */
  function follow({ kind, place, entry }: DecodedEntry): void {
    if (!state || (kind !== 'end' && kind !== 'open')) return;
    const { generation } = place;
    state = { ...state, generation, last: entry.id, status: kind === 'end' ? 'complete' : 'running' };
    schedule();
  }

  /** Tells the producer, here or elsewhere, how far the slowest reader is, where that matters. */
  function moved(): void {
    if (production) {
      production.readersMoved();
      return;
    }
    if (maxReplayBytes === Infinity || readers.size === 0 || state?.status !== 'running') return;
    const here = placeOf(known);
    const told = placeOf(reported);
    const part = maxReplayBytes / announcedPart - entriesSinceReport * entryBytes;
    if (here.generation === told.generation && here.bytes - told.bytes < part) return;
    const cursor = slowest();
    if (cursor === undefined || compareIds(cursor, reported) <= 0) return;
    const { generation, bytes } = placeOf(cursor);
    if (generation === told.generation && bytes - told.bytes < part) return;
    renew(true);
  }

  /** One renewal at a time: each tells where the readers are now. */
  function renew(announce: boolean): void {
    if (isRenewing) {
      renewAgain = { announce: announce || renewAgain?.announce === true };
      return;
    }
    const cursor = slowest();
    const request: Omit<RenewRequest, 'key'> = {
      ...(cursor !== undefined && { reader: { member, cursor } }),
      ...(cursor !== undefined && announce && { announce }),
      ...(production && { producer: production.lease }),
    };
    if (!request.reader && !request.producer) return;
    if (cursor !== undefined) {
      reported = cursor;
      entriesSinceReport = 0;
    }
    isRenewing = true;
    const sentAt = asyncScheduler.now();
    const knownThen = known;
    calls.renew(request).subscribe({
      next(roster) {
        isRenewing = false;
        if (roster === undefined) {
          gone();
          return;
        }
        compareWith(knownThen, roster.state);
        const again = renewAgain;
        renewAgain = undefined;
        learn(roster.state);
        production?.roster(roster);
        if (!production) leaseWatch.see(roster.state, sentAt);
        schedule(production && readers.size === 0 ? Math.max(0, ...roster.present.map(({ leftMs }) => leftMs)) : 0);
        if (again) renew(again.announce);
      },
      error(error: unknown) {
        isRenewing = false;
        failAll(error);
      },
    });
  }

  /** @param leftMs - When the last presence of another process runs out, which nobody tells. */
  function schedule(leftMs = 0): void {
    ticking?.unsubscribe();
    ticking = undefined;
    if (state?.status !== 'running' || (readers.size === 0 && !production)) return;
    const waits = [leaseMs / renewalsPerLease];
    if (leftMs > 0) waits.push(leftMs + 1);
    if (!production) waits.push(leaseWatch.nextMs(state));
    ticking = asyncScheduler.schedule(() => renew(false), Math.max(1, Math.min(...waits)));
  }

  function leave(): void {
    if (state?.status !== 'running') return;
    // Nobody is here to be told of a failure, and a presence runs out by itself.
    void calls.leave(member);
  }

  function disposeIfEmpty(): void {
    if (readers.size > 0 || production) return;
    ticking?.unsubscribe();
    unwatch?.();
    unwatch = undefined;
    onEmpty();
  }

  async function closing(): Promise<void> {
    isClosing = true;
    const isProducing = production !== undefined;
    const sealed = production?.close();
    // Not for longer than others would need to notice.
    if (sealed) await new Promise<void>((resolve) => whenSettled(sealed.pipe(takeUntil(timer(leaseMs))), resolve));
    for (const reader of [...readers]) {
      reader.fail((place) =>
        isProducing
          ? new ProducerLostError({ ...place, reason: 'closed' })
          : new LogUnavailableError('it was closed', { key }),
      );
    }
  }

  function watch(): void {
    let stopped = false;
    const stop = log.watch(key, {
      ready() {
        leaseWatch.reset();
        for (const reader of [...readers]) reader.poke();
        if (production) renew(false);
      },
      entries: deliver,
      presence() {
        if (production) renew(false);
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
      return leaseMs;
    },
    get known() {
      return known;
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
      if (!readers.delete(reader)) return;
      if (readers.size === 0) {
        leave();
        production?.lastReaderLeft(reader.cursor);
      }
      production?.readersChanged();
      disposeIfEmpty();
    },
    join(cursor, claim) {
      return calls.join({ member, cursor: slowest() ?? cursor, ...(claim && { claim }) });
    },
    read(after, maxBytes) {
      const id = `${after}/${maxBytes}`;
      const shared = reading.get(id);
      if (shared) return shared;
      const knownThen = known;
      const answer = calls.read({ after, maxBytes });
      reading.set(id, answer);
      const done = (): unknown => reading.delete(id);
      answer.subscribe({
        next(page) {
          done();
          entriesSinceReport += page?.entries.length ?? 0;
          if (page) compareWith(knownThen, page.state);
        },
        error: done,
      });
      return answer;
    },
    learn(next) {
      maxReplayBytes = decodeOpening(next.opening).maxReplayBytes;
      learn(next);
    },
    produce(init) {
      if (compareIds(init.state.last, newest) > 0) newest = init.state.last;
      production = createProduction(
        {
          calls,
          member,
          slowest,
          hasReaders: () => readers.size > 0,
          allPaused: () => readers.size > 0 && [...readers].every(({ paused }) => paused),
          deliver,
          learn,
          gone,
          failed: failAll,
          renewNow: () => renew(false),
          ended() {
            production = undefined;
            disposeIfEmpty();
            schedule();
          },
        },
        init,
      );
      production.start();
      schedule();
    },
    positioned() {
      if (!production && state?.status === 'running') renew(true);
    },
    moved,
    paceChanged: () => production?.readersChanged(),
  };
}

function whenSettled(answer: Observable<unknown>, done: () => void): void {
  answer.subscribe({ complete: done, error: done });
}

/** A name that nobody else has: 128 random bits. */
export function createToken(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');
}
