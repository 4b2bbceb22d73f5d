import { asyncScheduler, type Subscription } from 'rxjs';
import { compareIds, placeOf } from './entry-id.js';
import type { EntryId, LogRoster, LogState, RenewRequest } from './invocation-log.js';
import type { KnownLog } from './known-log.js';
import { createLeaseWatch } from './lease-watch.js';
import type { LogCalls } from './log-calls.js';
import type { Production } from './production.js';
import { entryBytes } from './replay-window.js';
import type { RoomReaders } from './room-readers.js';

/** The number of renewals in each lease. */
const renewalsPerLease = 3;

/** The part of the window after which a reader announces its place again. */
const announcedPart = 4;

/** The parts of its room that the renewals use. */
export interface RenewalsHost {
  readonly calls: LogCalls;
  readonly member: string;
  readonly readers: RoomReaders;
  readonly log: KnownLog;
  readonly production: Production | undefined;
  /** Called with the answer to a renewal. `knownThen` is the newest entry that was known when it was sent. */
  answered(roster: LogRoster, knownThen: EntryId): void;
  /** Marks the loss of the producer. */
  sealLoss(record: string): void;
  /** Called when the log no longer has the key. */
  gone(): void;
  failed(error: unknown): void;
}

/** Keeps a process's presence and lease alive, and announces the place of its readers. */
export interface Renewals {
  /** Renews now. With `announce` the producer is told the place of the readers at once. */
  renew(announce: boolean): void;
  /** Schedules the next renewal. */
  schedule(): void;
  /** Called when readers have moved. Tells the producer if it may wait for them. */
  moved(): void;
  /** Counts entries that have come. Each counts towards the window, in addition to its bytes. */
  count(entries: number): void;
  /** Sets the size of the invocation's window, in bytes. */
  setWindow(maxReplayBytes: number): void;
  /** Called after a cut connection. Earlier observations of the producer's lease then do not count. */
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
    // Places are stored instead of parsed from ids, because this runs for each token (`npm run bench -- log`).
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

  /** Renews, one call at a time. Each call tells the present place of the readers. */
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

  /** @param leftMs - When the last presence of another process expires, in milliseconds. No message tells of it. */
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
