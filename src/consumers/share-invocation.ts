import {
  BehaviorSubject,
  NEVER,
  of,
  share,
  switchMap,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
  type SubjectLike,
} from 'rxjs';
import { ReplayLimitError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import { checkOptions, delayMs, limitFrom, oneOf } from '../shared/check-options.js';
import { assertEventAttached, createFanOut, type EventHistory } from './fan-out.js';
import { createReplayBuffer } from './replay-buffer.js';

/** Options of {@link shareInvocation}. */
export interface ShareInvocationOptions {
  /**
   * Which events a late subscriber gets: with `all` the whole response from its start, with `none` only those that are
   * still to come. With `all` a complete response is kept for later subscribers.
   *
   * @defaultValue `'all'`
   */
  readonly replay?: 'all' | 'none';
  /**
   * How many bytes are held for late subscribers. Payload, events of unknown types and retries count. Past this limit
   * everything held is dropped. Present subscribers go on. A later subscriber gets a {@link ReplayLimitError}, also
   * after the end of the response, until a new shared Observable is made. `Infinity` sets no limit.
   *
   * @defaultValue 16,777,216 (16 MiB)
   */
  readonly maxReplayBytes?: number;
  /**
   * How long the response is read after the last subscriber has left, in milliseconds. It serves a consumer that comes
   * back soon, as components do on a route change. Past `maxReplayBytes` the connection closes at once, because no
   * subscriber could get the start of the response.
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
 * - **Emits** the source's events to each subscriber, in the same order. A late subscriber first gets everything from
 *   the start, its chunks joined to few. After a `restart` the start is there.
 * - **Completes** with the source. A later subscriber gets the whole response again, without a request.
 * - **Errors** with the source's error, unchanged. The error is not kept, and the next subscriber invokes anew. A late
 *   subscriber past `maxReplayBytes` gets a `ReplayLimitError`, and never a part of the response. Where one consumer
 *   transfers the bytes of a chunk, the consumers after it get a `DetachedPayloadError`.
 * - **Unsubscribing** the last subscriber unsubscribes from the source after `lingerMs`. The next subscriber invokes
 *   anew.
 * - **Memory** at most about twice `maxReplayBytes`, until the last subscriber has left. A complete response is held as
 *   long as the shared Observable lives. Each chunk is copied once, and once more for each late subscriber.
 *
 * Each consumer gets its events in the async context (AsyncLocalStorage, OpenTelemetry) in which it subscribed. A
 * consumer that throws or leaves does not disturb the others. A slow consumer (see `createFlowControl`) slows all.
 *
 * @example
 * const response = invokeWithResponseStream(client, { FunctionName: 'report' }).pipe(shareInvocation());
 * response.pipe(decodeText()).subscribe((text) => process.stdout.write(text));
 * response.pipe(parseNdjson()).subscribe((record) => table.add(record));
 *
 * @param options.replay - Whether a late subscriber gets `all` events or `none` of the past. @defaultValue `'all'`
 * @param options.maxReplayBytes - The most that is held for late subscribers, in bytes.
 * @defaultValue 16,777,216 (16 MiB)
 * @param options.lingerMs - How long the connection outlives the last subscriber, in milliseconds. @defaultValue 0
 */
export function shareInvocation(options: ShareInvocationOptions = {}): MonoTypeOperatorFunction<LambdaStreamEvent> {
  checkOptions('shareInvocation', options, {
    replay: oneOf(['all', 'none']),
    maxReplayBytes: limitFrom(0),
    lingerMs: delayMs,
  });
  const { replay = 'all', maxReplayBytes = 16 * 1024 * 1024, lingerMs = 0 } = options;
  return (source) => {
    let response = createResponseState();
    return source.pipe(
      // An event whose bytes are gone fails the stream. Its copy would be empty.
      tap(assertEventAttached),
      share({
        connector() {
          response = createResponseState();
          return createSharedSubject(response, replay === 'none' ? noHistory : createHistory(maxReplayBytes, response));
        },
        resetOnError: true,
        resetOnComplete: replay === 'none',
        resetOnRefCountZero: lingerMs === 0 || (() => response.abandonedAfter(lingerMs)),
      }),
    );
  };
}

/**
 * - `running`: the connection is open, and a late subscriber gets everything.
 * - `overflowed`: the connection is open, but a late subscriber cannot be served past `maxReplayBytes`.
 * - `ended`: the connection is closed.
 */
type ResponseStatus = 'running' | 'overflowed' | 'ended';

/** The state of one response. It lives longer than the connection, and so it holds no events. */
interface ResponseState {
  become(status: ResponseStatus): void;
  /** Emits when the connection is to be closed after the last subscriber has left. */
  abandonedAfter(lingerMs: number): Observable<unknown>;
}

function createResponseState(): ResponseState {
  const status = new BehaviorSubject<ResponseStatus>('running');
  return {
    become(next) {
      if (status.value !== 'ended' && status.value !== next) status.next(next);
    },
    abandonedAfter: (lingerMs) =>
      status.pipe(
        switchMap((present) => {
          if (present === 'running') return timer(lingerMs);
          // Completing the response also unsubscribes its consumers, and leaves no connection to close.
          return present === 'overflowed' ? of(present) : NEVER;
        }),
      ),
  };
}

function createSharedSubject(response: ResponseState, history: EventHistory): SubjectLike<LambdaStreamEvent> {
  const fanOut = createFanOut(history);
  return {
    ...fanOut,
    error(error) {
      response.become('ended');
      fanOut.error(error);
    },
    complete() {
      response.become('ended');
      fanOut.complete();
    },
  };
}

const noHistory: EventHistory = { append: () => undefined, events: () => [] };

function createHistory(maxReplayBytes: number, response: ResponseState): EventHistory {
  const buffer = createReplayBuffer(maxReplayBytes);
  return {
    append(event) {
      buffer.append(event);
      response.become(buffer.overflowed ? 'overflowed' : 'running');
    },
    events() {
      if (buffer.overflowed) throw new ReplayLimitError({ maxReplayBytes });
      return buffer.events();
    },
  };
}
