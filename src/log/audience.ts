import { asyncScheduler, type Subscription } from 'rxjs';
import type { EntryId, LogRoster } from './invocation-log.js';
import { createReaderPace } from './reader-pace.js';

/** The facts that an audience gets from its producer. */
export interface AudienceHost {
  readonly member: string;
  /** Returns the place of the slowest moving reader of this process. Undefined if no reader moves. */
  slowest(): EntryId | undefined;
  /** Whether this process has readers. */
  hasReaders(): boolean;
  /** Whether all readers of this process have paused. */
  allPaused(): boolean;
}

/** The readers of one producer's entries, in this process and in others. */
export interface Audience {
  /** Whether all readers of this process have paused, and no other process reads. */
  readonly hasPaused: boolean;
  /** Takes the members that a renewal has told. */
  learn(present: LogRoster['present']): void;
  /** Notes the readers and their places. `last` is the newest entry. Lingering begins when the last reader has left. */
  look(last: EntryId): void;
  /** Notes the place at which the last reader of this process has left. It may come back. */
  left(cursor: EntryId): void;
  /** Returns up to where all awaited readers have read. Undefined if no reader is awaited. */
  floor(): EntryId | undefined;
  /** Stops waiting for readers to come back. */
  stopLingering(): void;
}

/** @param abandon - Called after `lingerMs` without readers. */
export function createAudience(
  host: AudienceHost,
  { lingerMs, leaseMs, abandon }: { readonly lingerMs: number; readonly leaseMs: number; readonly abandon: () => void },
): Audience {
  const pace = createReaderPace(leaseMs);
  let others: LogRoster['present'] = [];
  let linger: Subscription | undefined;

  const hasPaused = (): boolean => host.allPaused() && others.length === 0;

  function stopLingering(): void {
    linger?.unsubscribe();
    linger = undefined;
  }

  return {
    get hasPaused() {
      return hasPaused();
    },
    learn(present) {
      others = present.filter(({ member }) => member !== host.member);
    },
    look(last) {
      pace.see(last, host.slowest(), others, hasPaused());
      if (host.hasReaders() || others.length > 0) {
        stopLingering();
      } else {
        linger ??= asyncScheduler.schedule(() => {
          linger = undefined;
          abandon();
        }, lingerMs);
      }
    },
    left: (cursor) => pace.left(cursor),
    floor: () => pace.floor(host.slowest(), others),
    stopLingering,
  };
}
