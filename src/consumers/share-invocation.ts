import {
  BehaviorSubject,
  EMPTY,
  filter,
  race,
  share,
  timer,
  type MonoTypeOperatorFunction,
  type SubjectLike,
} from 'rxjs';
import { ReplayLimitError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import { maxTimerMs } from '../shared/check-options.js';
import { createRelay, type RelayHistory } from './share-relay.js';
import { createReplayLog } from './replay-log.js';

/** Options of {@link shareInvocation}. */
export interface ShareInvocationOptions {
  /**
   * What a subscriber is told that comes while the invocation runs: `all` of the response from its start, or `none` of
   * what has passed. Only with `all` is a complete response kept for those that come after it.
   *
   * @defaultValue `'all'`
   */
  readonly replay?: 'all' | 'none';
  /**
   * How much payload is held for late subscribers, in bytes. Past it nothing is held any more, those that are
   * subscribed go on, and one that comes later gets a {@link ReplayLimitError}: also after the end, until a new
   * shared Observable is made.
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  readonly maxReplayBytes?: number;
  /**
   * How long the connection stays open, and the response is read on, after the last subscriber has left, in
   * milliseconds: for a consumer that comes back soon, as components do on a route change. Not past `maxReplayBytes`,
   * where nobody could come back.
   *
   * @defaultValue 0
   */
  readonly lingerMs?: number;
}

/**
 * Shares one invocation among many subscribers, however late they come.
 *
 *     source  --h-a-------b-(c|)    h: head, a, b: chunks, c: complete
 *     first   --h-a-------b-(c|)
 *     late    ------(ha)--b-(c|)    subscribes in frame 6
 *
 * - **Emits** the source's events to each subscriber, in one order; to one that comes late everything from the start
 *   first,
 *   chunks joined to few. After a `restart` that is the start.
 * - **Completes** with the source. A subscriber after that gets the whole response again, without a request.
 * - **Errors** with the source's error, unchanged, which is not kept: the next subscriber invokes anew. A late
 *   subscriber past `maxReplayBytes` gets a `ReplayLimitError`, never a text that is cut.
 * - **Unsubscribing** the last subscriber unsubscribes from the source, after `lingerMs`; the next one invokes anew.
 * - **Memory** at most about twice `maxReplayBytes` until the last subscriber has left; of a complete response as long
 *   as the shared Observable lives. Each chunk is copied once.
 *
 * A consumer that throws or leaves does not touch the others. A slow one (see `createFlowControl`) slows all.
 *
 * @example
 * const response = invokeWithResponseStream(client, { FunctionName: 'report' }).pipe(shareInvocation());
 * response.pipe(decodeText()).subscribe((text) => process.stdout.write(text));
 * response.pipe(parseNdjson()).subscribe((record) => table.add(record));
 *
 * @param options.replay - `all` or `none`. @defaultValue `'all'`
 * @param options.maxReplayBytes - The most that is held for late subscribers, in bytes. @defaultValue 16,777,216 (16
 * MiB)
 * @param options.lingerMs - How long the connection outlives the last subscriber, in milliseconds. @defaultValue 0
 */
export function shareInvocation(options: ShareInvocationOptions = {}): MonoTypeOperatorFunction<LambdaStreamEvent> {
  const { replay = 'all', maxReplayBytes = 16 * 1024 * 1024, lingerMs = 0 } = options;
  if (!['all', 'none'].includes(replay)) throw new TypeError(`replay must be 'all' or 'none'`);
  if (!Number.isInteger(maxReplayBytes) || maxReplayBytes < 0) {
    throw new RangeError(`maxReplayBytes must be a whole number of bytes, not ${maxReplayBytes}`);
  }
  if (!(lingerMs >= 0 && lingerMs <= maxTimerMs)) {
    throw new RangeError(`lingerMs must be from 0 to ${maxTimerMs} milliseconds, not ${lingerMs}`);
  }
  return (source) => {
    /** Whether the present response has passed the limit. Outlives the connection, and so holds nothing else of it. */
    let overflowed = new BehaviorSubject(false);
    /** Whether there is a connection to outlive its subscribers: the end of the response is their leaving too. */
    let running = false;

    function createHistory(): RelayHistory {
      if (replay === 'none') return { append: () => undefined, events: () => [] };
      const log = createReplayLog(maxReplayBytes);
      const state = new BehaviorSubject(false);
      overflowed = state;
      return {
        append(event) {
          log.append(event);
          if (log.overflowed !== state.value) state.next(log.overflowed);
        },
        events() {
          if (log.overflowed) throw new ReplayLimitError({ maxReplayBytes });
          return log.events();
        },
      };
    }

    function connect(): SubjectLike<LambdaStreamEvent> {
      const relay = createRelay(createHistory());
      running = true;
      return {
        ...relay,
        error(error) {
          running = false;
          relay.error(error);
        },
        complete() {
          running = false;
          relay.complete();
        },
      };
    }

    return source.pipe(
      share({
        connector: connect,
        resetOnError: true,
        resetOnComplete: replay === 'none',
        resetOnRefCountZero:
          lingerMs === 0 || (() => (running ? race(timer(lingerMs), overflowed.pipe(filter(Boolean))) : EMPTY)),
      }),
    );
  };
}
