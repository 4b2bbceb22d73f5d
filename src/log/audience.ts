import { asyncScheduler, type Subscription } from 'rxjs';
import type { EntryId, LogRoster } from './invocation-log.js';
import { createReaderPace } from './reader-pace.js';

/** What an audience needs of its producer. */
export interface AudienceHost {
  readonly member: string;
  /** Where the slowest reader of this process is, of those that move; undefined where there are none. */
  slowest(): EntryId | undefined;
  /** Whether readers of this process are there. */
  hasReaders(): boolean;
  /** Whether all readers of this process have paused. */
  allPaused(): boolean;
}

/** Those who read what one producer writes, in this process and in others. */
export interface Audience {
  /** Whether all readers of this process have paused, and no other process reads. */
  readonly hasPaused: boolean;
  /** A renewal has told who is present. */
  learn(present: LogRoster['present']): void;
  /** Looks who is there and where, with `last` the newest entry. Lingers from when nobody is there any more. */
  look(last: EntryId): void;
  /** The last reader of this process has left, at this place. It may come back. */
  left(cursor: EntryId): void;
  /** Up to where everybody has read who is waited for; undefined where nobody is. */
  floor(): EntryId | undefined;
  /** Waits for nobody to come back. */
  stopLingering(): void;
}

/** @param abandon - Called when nobody has been there for `lingerMs`. */
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
