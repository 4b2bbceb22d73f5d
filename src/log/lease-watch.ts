import { asyncScheduler } from 'rxjs';
import type { LogState } from './invocation-log.js';
import { encodeEnding } from './log-records.js';

/** What part of a lease a producer has to take its lease back, once a reader has seen that it is over. */
const patience = 1 / 2;

/** By how much longer a reader waits that may not take over: one that may is to be first. */
const deference = 5 / 4;

/** An answer that took longer than this part of a lease says nothing about the producer: the log stood still. */
const slowAnswer = 1 / 4;

/** Decides when a producer counts as lost. */
export interface LeaseWatch {
  /** Takes the answer to a renewal. */
  see(state: LogState, sentAt: number): void;
  /** Called after a cut connection. Earlier observations then do not count. */
  reset(): void;
  /** Returns when to look again, in milliseconds. */
  nextMs(state: LogState): number;
}

/**
 * Watches the lease of a producer in another process.
 *
 * A lease that ran out is no death: the log may have stood still, and the producer then takes its lease back. It is
 * lost when its lease has been seen to be over for half a lease, by answers that came without delay. The log checks
 * once more when it writes the loss down.
 */
export function createLeaseWatch(host: { mayTakeOver(): boolean; seal(record: string): void }): LeaseWatch {
  let overSince: number | undefined;

  const patienceMs = ({ leaseMs }: LogState): number => leaseMs * patience * (host.mayTakeOver() ? 1 : deference);

  return {
    see(state, sentAt) {
      if (state.status !== 'running' || state.leaseLeftMs > 0) {
        overSince = undefined;
        return;
      }
      const now = asyncScheduler.now();
      if (overSince === undefined || now - sentAt > state.leaseMs * slowAnswer) overSince = now;
      if (now - overSince < patienceMs(state)) return;
      overSince = undefined;
      host.seal(encodeEnding({ end: 'lost', reason: 'lease' }));
    },
    reset() {
      overSince = undefined;
    },
    nextMs(state) {
      if (overSince !== undefined) return overSince + patienceMs(state) - asyncScheduler.now();
      return Math.max(0, state.leaseLeftMs) + 1;
    },
  };
}
