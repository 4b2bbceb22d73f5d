import { asyncScheduler, type Subscription } from 'rxjs';
import { InvocationStoppedError, ProducerLostError } from '../errors.js';
import { compareIds, lastTakeoverSlot, positionOf } from './entry-id.js';
import type { DecodedEntry, Ending } from './log-records.js';
import type { ReaderOutlet } from './reader-outlet.js';
import { takeOver, type ProducerOptions } from './take-over.js';

/** What a consumer does when its producer is lost. */
export interface LossOptions {
  /** The options of a consumer that may produce. Absent for a follower. */
  readonly producer?: ProducerOptions;
  /** Whether the reader waits after a loss until another process takes over. */
  readonly followsLoss: boolean;
}

/**
 * Gives the end of a run to the consumer, or goes on after the loss of its producer.
 *
 * @returns The wait for another process that takes over. Any further entry ends the wait.
 */
export function passEnd(outlet: ReaderOutlet, ending: Ending, entry: DecodedEntry): Subscription | undefined {
  switch (ending.end) {
    case 'complete':
      if (ending.event) outlet.emit({ ...ending.event, position: positionOf(entry.place) });
      outlet.complete();
      break;
    case 'failed':
      outlet.fail(ending.error);
      break;
    case 'stopped':
      outlet.fail(new InvocationStoppedError(outlet.place));
      break;
    case 'abandoned':
      outlet.fail(new ProducerLostError({ ...outlet.place, reason: 'abandoned' }));
      break;
    case 'lost':
      return passLoss(outlet, ending.reason, entry);
  }
  return undefined;
}

function passLoss(
  outlet: ReaderOutlet,
  reason: 'lease' | 'closed' | 'log',
  { entry, place }: DecodedEntry,
): Subscription | undefined {
  const { room, history, options } = outlet;
  const { producer, followsLoss } = options;
  // This loss is older than the consumer, and another process has taken over. The consumer does not see the loss.
  if (history !== undefined && compareIds(entry.id, history) < 0) return undefined;
  const error = new ProducerLostError({ ...outlet.place, reason });
  if (room.isClosing || place.slot >= lastTakeoverSlot) outlet.fail(error);
  else if (producer?.takeOver) takeOver(outlet, { producer, mode: producer.takeOver, lost: entry.id, error });
  else if (followsLoss) return asyncScheduler.schedule(() => outlet.fail(error), room.leaseMs);
  else outlet.fail(error);
  return undefined;
}
