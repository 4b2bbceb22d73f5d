import { asyncScheduler, type Observable, type Subscriber, type Subscription } from 'rxjs';
import { InvocationStoppedError, ProducerLostError, ReplayLimitError, UnknownInvocationError } from '../errors.js';
import type { RetryEvent } from '../events.js';
import { captureContext } from '../shared/async-context.js';
import {
  compareIds,
  entryIdOf,
  lastTakeoverSlot,
  openingIdOf,
  placeOf,
  positionOf,
  type Place,
  type Position,
} from './entry-id.js';
import type { EntryId, JoinAnswer, LogClaim, LogPage, LogState } from './invocation-log.js';
import { createToken, type KeyRoom, type ReaderPlace, type RoomReader } from './key-room.js';
import {
  decodeEntry,
  decodeEvent,
  decodeOpening,
  encodeOpening,
  type DecodedEntry,
  type Ending,
  type PositionedEvent,
} from './log-records.js';
import type { OpenInvocation } from './production.js';
import { replayAfter } from './replayed-source.js';

/** A page of a reader that never pauses, and of one that holds what it has not passed on yet, in bytes. */
const pageBytes = 1024 * 1024;
const pausablePageBytes = 64 * 1024;

/** What a consumer that may produce brings with it. */
export interface ProducerOptions {
  readonly open: OpenInvocation;
  readonly lingerMs: number;
  readonly ttlMs: number;
  readonly leaseMs: number;
  readonly maxReplayBytes: number;
  /** How this consumer goes on after a loss; absent where it does not. */
  readonly takeOver?: 'restart' | 'replay' | 'continue';
}

export interface ReaderOptions {
  readonly after: Place | 'now' | undefined;
  readonly pauseWhile: Observable<boolean> | undefined;
  /** Absent for a consumer that only follows. */
  readonly producer?: ProducerOptions;
  /** Waits at a loss for somebody who takes over. */
  readonly followsLoss: boolean;
}

/** Reads a key for one consumer, and produces where it is the first. Runs until the consumer is closed. */
export function startReader(room: KeyRoom, subscriber: Subscriber<PositionedEvent>, options: ReaderOptions): void {
  const { after, producer } = options;
  const { key } = room.calls;
  const run = captureContext();
  let cursor: EntryId = '0-0';
  /** Whether the cursor is an entry, and not a byte that somebody else has counted. */
  let isEntry = false;
  /** What was written before this consumer came, and is no news to it. */
  let history: EntryId | undefined;
  let held: DecodedEntry[] = [];
  let isPlaced = false;
  let isPaused = false;
  let isLive = false;
  let isReading = false;
  let isBusy = false;
  let mustRun = false;
  let mustRead = false;
  let delivered: Position | undefined;
  let chunks = 0;
  let waitingSince: number | undefined;
  let waitsForTakeover: Subscription | undefined;

  const place = (): ReaderPlace => ({ key, ...(delivered !== undefined && { position: delivered }) });

  const reader: RoomReader = {
    get cursor() {
      return cursor;
    },
    get waitingSince() {
      return waitingSince;
    },
    get paused() {
      return isPaused;
    },
    mayTakeOver: producer?.takeOver !== undefined,
    offer(entry) {
      if (!isPlaced) return;
      if (isLive && !isPaused && !isBusy && follows(entry)) {
        isBusy = true;
        try {
          run(pass, entry);
        } catch (error) {
          fail(error);
        }
        isBusy = false;
        if (mustRun) work();
        return;
      }
      if (compareIds(entry.entry.id, cursor) <= 0) return;
      isLive = false;
      waitingSince ??= asyncScheduler.now();
      work();
    },
    poke() {
      if (!isPlaced) return;
      isLive = false;
      mustRead = true;
      work();
    },
    fail(error) {
      fail(error(place()));
    },
  };

  function fail(error: unknown): void {
    if (subscriber.closed) return;
    run((it) => subscriber.error(it), error);
  }

  function emit(event: PositionedEvent): void {
    delivered = event.position;
    if (event.type === 'chunk') chunks++;
    subscriber.next(event);
  }

  /** Whether an entry comes right after what was passed on, or holds the byte where this reader is. */
  function follows({ entry, before, place: end }: DecodedEntry): boolean {
    if (entry.previous === cursor) return true;
    const here = placeOf(cursor);
    if (before.generation !== here.generation || end.generation !== here.generation) return false;
    return isEntry ? before.bytes < here.bytes && here.bytes < end.bytes : before.bytes <= here.bytes;
  }

  /** Passes one entry on. */
  function pass(decoded: DecodedEntry): void {
    const { entry, kind, place: end, before } = decoded;
    if (compareIds(entry.id, cursor) <= 0) return;
    if (kind === 'event' && decoded.event.type === 'chunk') {
      const { payload } = decoded.event;
      if (payload.length !== end.bytes - before.bytes) {
        if (payload.length > 0) throw new ProducerLostError({ ...place(), reason: 'log' });
        // Another consumer has given the buffer away: the log has the bytes still.
        isLive = false;
        mustRead = true;
        mustRun = true;
        held = [];
        return;
      }
      const here = placeOf(cursor);
      const skipped = here.generation === end.generation ? here.bytes - before.bytes : 0;
      moveTo(entry.id);
      emit(skipped > 0 ? { ...decoded.event, payload: payload.subarray(skipped) } : decoded.event);
      return;
    }
    moveTo(entry.id);
    if (kind === 'event') emit(decoded.event);
    else if (kind === 'open') opened(decoded.opening.retry, end);
    else if (kind === 'end') ended(decoded.ending, decoded);
  }

  function moveTo(id: EntryId): void {
    cursor = id;
    isEntry = true;
    waitingSince = compareIds(cursor, room.known) < 0 ? asyncScheduler.now() : undefined;
    waitsForTakeover?.unsubscribe();
  }

  function opened(retry: RetryEvent | undefined, at: Place): void {
    if (retry) emit({ ...retry, position: positionOf(at) });
    if (retry?.mode === 'restart') chunks = 0;
  }

  function ended(ending: Ending, decoded: DecodedEntry): void {
    switch (ending.end) {
      case 'complete':
        if (ending.event) emit({ ...ending.event, position: positionOf(decoded.place) });
        subscriber.complete();
        break;
      case 'failed':
        subscriber.error(ending.error);
        break;
      case 'stopped':
        subscriber.error(new InvocationStoppedError(place()));
        break;
      case 'abandoned':
        subscriber.error(new ProducerLostError({ ...place(), reason: 'abandoned' }));
        break;
      case 'lost':
        lost(ending.reason, decoded);
        break;
    }
  }

  function lost(reason: 'lease' | 'closed' | 'log', decoded: DecodedEntry): void {
    // Over before this consumer came, and somebody has taken over: it is served as if it had not been.
    if (history !== undefined && compareIds(decoded.entry.id, history) < 0) return;
    const error = new ProducerLostError({ ...place(), reason });
    if (room.isClosing || decoded.place.slot >= lastTakeoverSlot) subscriber.error(error);
    else if (producer?.takeOver) takeOver(producer, producer.takeOver, decoded, error);
    else if (options.followsLoss) waitForTakeover(error);
    else subscriber.error(error);
  }

  function waitForTakeover(error: ProducerLostError): void {
    waitsForTakeover = asyncScheduler.schedule(() => fail(error), room.leaseMs);
    subscriber.add(waitsForTakeover);
  }

  function takeOver(
    from: ProducerOptions,
    mode: 'restart' | 'replay' | 'continue',
    { entry: { id: last }, place: end }: DecodedEntry,
    error: ProducerLostError,
  ): void {
    room.calls.inspect().subscribe({
      next(state) {
        if (subscriber.closed) return;
        if (state === undefined) {
          fail(new ProducerLostError({ ...place(), reason: 'log' }));
        } else if (state.last !== last) {
          // Somebody was faster.
          room.learn(state);
          reader.poke();
        } else if (mode === 'replay' && state.trimmed !== undefined && placeOf(state.trimmed).bytes > 0) {
          fail(error);
        } else {
          claimLoss(state);
        }
      },
      error: fail,
    });

    function claimLoss(state: LogState): void {
      const attempt = decodeOpening(state.opening).attempt + 1;
      const retry: RetryEvent = {
        type: 'retry',
        attempt,
        delayMs: 0,
        error,
        mode,
        delivered: { chunks, bytes: end.bytes },
      };
      const claim = claimOf(from, attempt, retry, {
        over: ['lost'],
        last,
        generation: mode === 'restart' ? 'new' : 'same',
      });
      const replayed = mode === 'replay' ? replayAfter(room.calls, last, error) : undefined;
      room.join(cursor, claim).subscribe({
        next(answer) {
          if (answer) took(answer, from, claim.owner, attempt, replayed);
          else fail(new ProducerLostError({ ...place(), reason: 'log' }));
          if (isPlaced && !subscriber.closed) reader.poke();
        },
        error: fail,
      });
    }
  }

  function claimOf(
    { leaseMs, ttlMs, maxReplayBytes }: ProducerOptions,
    attempt: number,
    retry: RetryEvent | undefined,
    rules: Pick<LogClaim, 'over' | 'last' | 'generation'>,
  ): LogClaim {
    const opening = encodeOpening({ maxReplayBytes, attempt, ...(retry && { retry }) });
    return { owner: createToken(), opening, leaseMs, ttlMs, ...rules };
  }

  function took(
    { claimed, state }: JoinAnswer,
    { open, lingerMs, maxReplayBytes }: ProducerOptions,
    owner: string,
    attempt: number,
    replayed?: ReturnType<typeof replayAfter>,
  ): void {
    room.learn(state);
    if (!claimed) return;
    const init = { owner, state, open, lingerMs, maxReplayBytes, attempt, ...(replayed && { replayed }) };
    run((it) => room.produce(it), init);
  }

  function joined(answer: JoinAnswer | undefined, claim: LogClaim | undefined): void {
    if (subscriber.closed) return;
    if (answer === undefined) {
      fail(
        new UnknownInvocationError({
          key,
          ...(after !== undefined && after !== 'now' && { position: positionOf(after) }),
        }),
      );
      return;
    }
    try {
      begin(answer.state);
    } catch (error) {
      fail(error);
      return;
    }
    if (producer && claim) took(answer, producer, claim.owner, 1);
    else room.learn(answer.state);
    room.positioned();
    work();
  }

  /** Finds the place to begin at. */
  function begin(state: LogState): void {
    const { maxReplayBytes } = decodeOpening(state.opening);
    const { generation, last, trimmed } = state;
    const head = state.head === undefined ? undefined : decodeEvent(state.head);
    let isHeld = true;
    if (after === undefined) {
      cursor = openingIdOf(generation);
      isEntry = true;
      history = last;
      isHeld = trimmed === undefined || compareIds(trimmed, cursor) <= 0;
    } else if (after === 'now') {
      // Of what is over, the end is still to come.
      cursor = state.status === 'running' ? last : entryBefore(last);
    } else if (
      after.generation > generation ||
      (after.generation === generation && after.bytes > placeOf(last).bytes)
    ) {
      throw new UnknownInvocationError({ key, position: positionOf(after) });
    } else if (after.generation < generation) {
      cursor = openingIdOf(generation);
      isEntry = true;
      isHeld = trimmed === undefined || compareIds(trimmed, cursor) <= 0;
      if (isHeld) restarted(after, cursor);
    } else {
      cursor = entryIdOf(after);
      isHeld =
        trimmed === undefined || placeOf(trimmed).generation < generation || placeOf(trimmed).bytes <= after.bytes;
    }
    if (!isHeld) {
      throw state.status === 'stopped' ? new InvocationStoppedError(place()) : new ReplayLimitError({ maxReplayBytes });
    }
    const { bytes } = placeOf(cursor);
    // Told again to whoever comes back, since the entry itself may be dropped.
    if (head && after !== undefined && bytes > 0) {
      run(emit, { ...head, position: positionOf({ generation, bytes, slot: 0 }) });
    }
    isPlaced = true;
  }

  /** The response that this consumer had begun is void: another one has taken its place. */
  function restarted(had: Place, opening: EntryId): void {
    const position = positionOf(had);
    run(emit, {
      type: 'retry',
      attempt: 2,
      delayMs: 0,
      error: new UnknownInvocationError({ key, position }),
      mode: 'restart',
      delivered: { chunks: 0, bytes: had.bytes },
      position: positionOf(placeOf(opening)),
    });
  }

  /** Passes on what is held, and reads on, until the newest entry is reached or the consumer pauses. */
  function work(): void {
    mustRun = true;
    if (isBusy) return;
    isBusy = true;
    while (mustRun) {
      mustRun = false;
      if (held.length > 0 && !isPaused && !subscriber.closed) run(passHeld, undefined);
      if (isPaused || subscriber.closed || isReading || held.length > 0 || isLive) continue;
      if (mustRead || compareIds(cursor, room.known) < 0) readOn();
      else isLive = true;
    }
    isBusy = false;
  }

  function passHeld(): void {
    const entries = held;
    let index = 0;
    try {
      for (; index < entries.length && !isPaused && !subscriber.closed && held === entries; index++) {
        pass(entries[index] as DecodedEntry);
      }
    } catch (error) {
      fail(error);
    }
    if (held === entries) held = entries.slice(index);
    room.moved();
  }

  function readOn(): void {
    mustRead = false;
    isReading = true;
    const maxBytes = options.pauseWhile ? pausablePageBytes : pageBytes;
    room.read(cursor, maxBytes).subscribe({
      next(page) {
        if (subscriber.closed) return;
        const readsAgain = mustRead;
        try {
          // Still reading: the state of the page pokes the readers, and this one would read the same place again.
          take(page);
        } catch (error) {
          fail(error);
          return;
        }
        isReading = false;
        mustRead = readsAgain;
        work();
      },
      error: fail,
    });
  }

  function take(page: LogPage | undefined): void {
    if (page === undefined) throw new ProducerLostError({ ...place(), reason: 'log' });
    room.learn(page.state);
    const [first] = page.entries;
    if (first === undefined) {
      // Nothing new. What is known to stand, and is not there, was lost.
      if (compareIds(page.state.last, cursor) > 0) throw new ProducerLostError({ ...place(), reason: 'log' });
      return;
    }
    held = page.entries.map(decodeEntry);
    const isFirst = after === 'now' && delivered === undefined && !isEntry;
    let previous: DecodedEntry | undefined;
    for (const entry of held) {
      const isNext = previous ? entry.entry.previous === previous.entry.id : isFirst || follows(entry);
      if (!isNext) throw missing(page.state);
      previous = entry;
    }
  }

  /** What a reader lacks was dropped before it came, or is a hole in the log. */
  function missing({ trimmed, opening }: LogState): Error {
    const { maxReplayBytes } = decodeOpening(opening);
    return trimmed !== undefined && compareIds(cursor, trimmed) < 0
      ? new ReplayLimitError({ maxReplayBytes })
      : new ProducerLostError({ ...place(), reason: 'log' });
  }

  subscriber.add(() => {
    waitsForTakeover?.unsubscribe();
    room.remove(reader);
  });
  subscriber.add(
    options.pauseWhile?.subscribe({
      next(paused) {
        if (paused === isPaused) return;
        isPaused = paused;
        if (paused) isLive = false;
        room.paceChanged();
        if (!paused && isPlaced) work();
      },
      error: fail,
    }),
  );
  if (subscriber.closed) return;
  room.add(reader);
  const claim =
    producer && after === undefined
      ? claimOf(producer, 1, undefined, { over: ['failed', 'abandoned', 'lost'], generation: 'new' })
      : undefined;
  room.join('0-0', claim).subscribe({ next: (answer) => joined(answer, claim), error: fail });
}

function entryBefore(id: EntryId): EntryId {
  const { generation, bytes, slot } = placeOf(id);
  return entryIdOf({ generation, bytes, slot: slot - 1 });
}
