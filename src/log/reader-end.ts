import { asyncScheduler, type Subscription } from 'rxjs';
import { InvocationStoppedError, ProducerLostError } from '../errors.js';
import { compareIds, lastTakeoverSlot, positionOf } from './entry-id.js';
import type { EntryId } from './invocation-log.js';
import type { DecodedEntry, Ending } from './log-records.js';
import { takeOver, type ProducerOptions, type TakeOverHost } from './take-over.js';

/** A reader that has come to an end entry. */
export interface EndedReader extends TakeOverHost {
  /** The newest entry at the time when the reader came. Older entries are not news to it. */
  readonly history: EntryId | undefined;
  readonly options: {
    /** The options of a consumer that may produce. Absent for a follower. */
    readonly producer?: ProducerOptions;
    /** Whether the reader waits after a loss until another process takes over. */
    readonly followsLoss: boolean;
  };
}

/**
 * Gives the end of a run to the consumer, or goes on after the loss of its producer.
 *
 * @returns The wait for another process that takes over. Any further entry ends the wait.
 */
export function passEnd(reader: EndedReader, ending: Ending, entry: DecodedEntry): Subscription | undefined {
  const { outlet } = reader;
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
      return passLoss(reader, ending.reason, entry);
  }
  return undefined;
}

function passLoss(
  reader: EndedReader,
  reason: 'lease' | 'closed' | 'log',
  { entry, place }: DecodedEntry,
): Subscription | undefined {
  const { room, outlet, history, options } = reader;
  const { producer, followsLoss } = options;
  // This loss is older than the consumer, and another process has taken over. The consumer does not see the loss.
  if (history !== undefined && compareIds(entry.id, history) < 0) return undefined;
  const error = new ProducerLostError({ ...outlet.place, reason });
  if (room.isClosing || place.slot >= lastTakeoverSlot) outlet.fail(error);
  else if (producer?.takeOver) takeOver(reader, { producer, mode: producer.takeOver, lost: entry.id, error });
  else if (followsLoss) return asyncScheduler.schedule(() => outlet.fail(error), room.leaseMs);
  else outlet.fail(error);
  return undefined;
}
