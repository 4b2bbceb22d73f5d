import { asyncScheduler, type Observable, type Subscriber, type Subscription } from 'rxjs';
import { InvocationStoppedError, ProducerLostError, ReplayLimitError, UnknownInvocationError } from '../errors.js';
import type { RetryEvent } from '../events.js';
import { captureContext } from '../shared/async-context.js';
import { compareIds, lastTakeoverSlot, placeOf, positionOf, type Place, type Position } from './entry-id.js';
import type { EntryId, JoinAnswer, LogClaim, LogPage, LogState } from './invocation-log.js';
import type { KeyRoom } from './key-room.js';
import { decodeEntry, decodeOpening, type DecodedEntry, type Ending, type PositionedEvent } from './log-records.js';
import { startOf, wasGiven } from './reader-start.js';
import type { replayAfter } from './replayed-source.js';
import type { ReaderPlace, RoomReader } from './room-readers.js';
import { firstClaim, takeOver, type ProducerOptions } from './take-over.js';

/** A page of a reader that never pauses, and of one that holds what it has not passed on yet, in bytes. */
const pageBytes = 1024 * 1024;
const pausablePageBytes = 64 * 1024;

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
  let isAdded = false;
  let isPlaced = false;
  let isPaused = false;
  /** Whether entries are taken as they are offered. */
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
      setLive(false);
      waitingSince ??= asyncScheduler.now();
      work();
    },
    poke() {
      if (!isPlaced) return;
      setLive(false);
      mustRead = true;
      work();
    },
    fail(error) {
      fail(error(place()));
    },
  };

  function setLive(next: boolean): void {
    if (isLive === next) return;
    isLive = next;
    room.setLive(reader, next);
  }

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
    // Ids are taken apart only where they must be: this runs once a consumer and event (bench/relay).
    const isNext = entry.previous === cursor;
    if (!isNext && compareIds(entry.id, cursor) <= 0) return;
    if (kind === 'event' && decoded.event.type === 'chunk') {
      const { payload } = decoded.event;
      if (payload.length !== end.bytes - before.bytes) {
        if (payload.length > 0) throw new ProducerLostError({ ...place(), reason: 'log' });
        // Another consumer has given the buffer away: the log has the bytes still.
        setLive(false);
        mustRead = true;
        mustRun = true;
        held = [];
        return;
      }
      const skipped = isNext ? 0 : bytesSince(before, end.generation);
      moveTo(entry.id);
      emit(skipped > 0 ? { ...decoded.event, payload: payload.subarray(skipped) } : decoded.event);
      return;
    }
    moveTo(entry.id);
    if (kind === 'event') emit(decoded.event);
    else if (kind === 'open') opened(decoded.opening.retry, end);
    else if (kind === 'end') ended(decoded.ending, decoded);
  }

  /** How many bytes of an entry this reader has already. */
  function bytesSince(before: Place, generation: number): number {
    const here = placeOf(cursor);
    return here.generation === generation ? here.bytes - before.bytes : 0;
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
    else if (producer?.takeOver) tryToTakeOver(producer, producer.takeOver, decoded.entry.id, error);
    else if (options.followsLoss) waitForTakeover(error);
    else subscriber.error(error);
  }

  function waitForTakeover(error: ProducerLostError): void {
    waitsForTakeover = asyncScheduler.schedule(() => fail(error), room.leaseMs);
    subscriber.add(waitsForTakeover);
  }

  function tryToTakeOver(
    from: ProducerOptions,
    mode: NonNullable<ProducerOptions['takeOver']>,
    last: EntryId,
    error: ProducerLostError,
  ): void {
    const host = {
      room,
      error,
      fail,
      produce: (answer: JoinAnswer, owner: string, attempt: number, replayed?: ReturnType<typeof replayAfter>) =>
        took(answer, from, owner, attempt, replayed),
      readOn() {
        if (isPlaced && !subscriber.closed) reader.poke();
      },
      get cursor() {
        return cursor;
      },
      get isClosed() {
        return subscriber.closed;
      },
      get chunks() {
        return chunks;
      },
    };
    takeOver(host, from, mode, last);
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
      unknown();
    } else if (after === undefined || after === 'now') {
      begin(answer, claim);
    } else {
      wasGiven(room.calls, answer.state, after).subscribe({
        next(isGiven) {
          if (subscriber.closed) return;
          if (isGiven) begin(answer, claim);
          else unknown();
        },
        error: fail,
      });
    }
  }

  function unknown(): void {
    const position = after === undefined || after === 'now' ? undefined : positionOf(after);
    fail(new UnknownInvocationError({ key, ...(position !== undefined && { position }) }));
  }

  function begin(answer: JoinAnswer, claim: LogClaim | undefined): void {
    try {
      decodeOpening(answer.state.opening);
      const start = startOf(key, answer.state, after);
      ({ cursor, isEntry, history } = start);
      for (const event of start.events) if (!subscriber.closed) run(emit, event);
    } catch (error) {
      fail(error);
      return;
    }
    isPlaced = true;
    if (producer && claim) took(answer, producer, claim.owner, 1);
    else room.learn(answer.state);
    room.positioned(reader);
    work();
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
      else setLive(true);
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
    held = page.entries.map((entry) => decodeEntry(entry));
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
        if (paused) setLive(false);
        if (isAdded) room.setPaused(paused);
        if (!paused && isPlaced) work();
      },
      error: fail,
    }),
  );
  if (subscriber.closed) return;
  isAdded = true;
  room.add(reader);
  const claim = producer && after === undefined ? firstClaim(producer) : undefined;
  room.join('0-0', claim).subscribe({ next: (answer) => joined(answer, claim), error: fail });
}
