import { asyncScheduler, type Subscription } from 'rxjs';
import { compareIds, placeOf } from './entry-id.js';
import type { EntryId, LogRoster, LogState, RenewRequest } from './invocation-log.js';
import type { KnownLog } from './known-log.js';
import { createLeaseWatch } from './lease-watch.js';
import type { LogCalls } from './log-calls.js';
import type { Production } from './production.js';
import { entryBytes } from './replay-window.js';
import type { RoomReaders } from './room-readers.js';

/** So many renewals are made in a lease. */
const renewalsPerLease = 3;

/** A reader announces its place each time that it has read this part of the window. */
const announcedPart = 4;

/** What renewing needs of its room. */
export interface RenewalsHost {
  readonly calls: LogCalls;
  readonly member: string;
  readonly readers: RoomReaders;
  readonly log: KnownLog;
  readonly production: Production | undefined;
  /** A renewal was answered. `knownThen` was known to stand when it was sent. */
  answered(roster: LogRoster, knownThen: EntryId): void;
  /** Marks the loss of the producer. */
  sealLoss(record: string): void;
  /** The log does not have the key any more. */
  gone(): void;
  failed(error: unknown): void;
}

/** Keeps a process's presence and lease alive, and tells where its readers are. */
export interface Renewals {
  /** Renews now. `announce`: the producer is told at once where the readers are. */
  renew(announce: boolean): void;
  /** Finds the next time to renew. */
  schedule(): void;
  /** Readers have moved: tells the producer, where that matters to it. */
  moved(): void;
  /** So many entries have come. Each counts towards the window, besides its bytes. */
  count(entries: number): void;
  /** What the invocation holds for its readers. */
  setWindow(maxReplayBytes: number): void;
  /** The connection was cut: what was seen of the producer's lease before it does not count. */
  reset(): void;
  stop(): void;
}

export function createRenewals(host: RenewalsHost): Renewals {
  const { calls, member, readers, log } = host;
  let reported: EntryId = '0-0';
  let reportedPlace = placeOf(reported);
  let entriesSinceReport = 0;
  let maxReplayBytes = Infinity;
  let ticking: Subscription | undefined;
  let isRenewing = false;
  let renewAgain: { announce: boolean } | undefined;

  const leaseWatch = createLeaseWatch({
    mayTakeOver: () => readers.mayTakeOver,
    seal: (record) => host.sealLoss(record),
  });

  function moved(): void {
    if (maxReplayBytes === Infinity || readers.size === 0 || !log.isRunning) return;
    // Places are kept apart, and not read from ids: this runs for each token (`npm run bench -- log`).
    const here = log.knownPlace;
    const told = reportedPlace;
    const part = maxReplayBytes / announcedPart - entriesSinceReport * entryBytes;
    if (here.generation === told.generation && here.bytes - told.bytes < part) return;
    const cursor = readers.slowest(log.leaseMs);
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
    host.production?.renewing();
    const cursor = readers.slowest(log.leaseMs);
    const request: Omit<RenewRequest, 'key'> = {
      ...(cursor !== undefined && { reader: { member, cursor } }),
      ...(cursor !== undefined && announce && { announce }),
      ...(host.production && { producer: host.production.lease }),
    };
    if (!request.reader && !request.producer) return;
    if (cursor !== undefined) {
      reported = cursor;
      reportedPlace = placeOf(cursor);
      entriesSinceReport = 0;
    }
    isRenewing = true;
    const sentAt = asyncScheduler.now();
    const knownThen = log.known;
    calls.renew(request).subscribe({
      next(roster) {
        isRenewing = false;
        if (roster === undefined) {
          host.gone();
          return;
        }
        const again = renewAgain;
        renewAgain = undefined;
        host.answered(roster, knownThen);
        if (!host.production) leaseWatch.see(roster.state, sentAt);
        schedule(host.production && readers.size === 0 ? longestPresence(roster) : 0);
        if (again) renew(again.announce);
      },
      error(error: unknown) {
        isRenewing = false;
        host.failed(error);
      },
    });
  }

  /** @param leftMs - When the last presence of another process runs out, which nobody tells. */
  function schedule(leftMs = 0): void {
    ticking?.unsubscribe();
    ticking = undefined;
    const { state } = log;
    if (state?.status !== 'running' || (readers.size === 0 && !host.production)) return;
    ticking = asyncScheduler.schedule(() => renew(false), Math.max(1, nextMs(state, leftMs)));
  }

  function nextMs(state: LogState, leftMs: number): number {
    const waits = [log.leaseMs / renewalsPerLease];
    if (leftMs > 0) waits.push(leftMs + 1);
    if (!host.production) waits.push(leaseWatch.nextMs(state));
    return Math.min(...waits);
  }

  return {
    renew,
    schedule: () => schedule(),
    moved,
    count(entries) {
      entriesSinceReport += entries;
    },
    setWindow(bytes) {
      maxReplayBytes = bytes;
    },
    reset: () => leaseWatch.reset(),
    stop: () => ticking?.unsubscribe(),
  };
}

const longestPresence = ({ present }: LogRoster): number => Math.max(0, ...present.map(({ leftMs }) => leftMs));
