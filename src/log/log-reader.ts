import { asyncScheduler, type Observable, type Subscriber, type Subscription } from 'rxjs';
import { ProducerLostError } from '../errors.js';
import { compareIds, positionOf, type Place } from './entry-id.js';
import type { EntryId, LogClaim, LogPage } from './invocation-log.js';
import type { KeyRoom } from './key-room.js';
import type { DecodedEntry, Opening, PositionedEvent } from './log-records.js';
import { ReaderCursor } from './reader-cursor.js';
import { passEnd, type EndedReader } from './reader-end.js';
import { ReaderOutlet } from './reader-outlet.js';
import { decodePage } from './reader-page.js';
import { enter, type Entrance } from './reader-start.js';
import type { ReaderPlace, RoomReader } from './room-readers.js';
import { firstClaim, produceAs } from './take-over.js';

/** The page size, in bytes, of a reader that never pauses, and of one that may pause and hold a page. */
const pageBytes = 1024 * 1024;
const pausablePageBytes = 64 * 1024;

export type ReaderOptions = EndedReader['options'] & {
  readonly after: Place | 'now' | undefined;
  readonly pauseWhile: Observable<boolean> | undefined;
};

const nothing: readonly DecodedEntry[] = [];

/** Reads a key for one consumer. The first consumer also produces. Runs until the consumer is closed. */
export function startReader(room: KeyRoom, subscriber: Subscriber<PositionedEvent>, options: ReaderOptions): void {
  new LogReader(room, subscriber, options).start(subscriber);
}

/** A class, because a relay has thousands of readers. With closures and getters each one took 8 KB more. */
class LogReader implements RoomReader, EndedReader {
  readonly room: KeyRoom;
  readonly outlet: ReaderOutlet;
  readonly options: ReaderOptions;
  history: EntryId | undefined;
  paused = false;
  waitingSince: number | undefined;
  readonly #cursor = new ReaderCursor();
  /** The entries of a page that were not passed on yet. */
  #held = nothing;
  #isAdded = false;
  #isPlaced = false;
  /** Whether entries are taken as they are offered. */
  #isLive = false;
  #isReading = false;
  #isBusy = false;
  #mustRun = false;
  #mustRead = false;
  #waitsForTakeover: Subscription | undefined;

  constructor(room: KeyRoom, subscriber: Subscriber<PositionedEvent>, options: ReaderOptions) {
    this.room = room;
    this.outlet = new ReaderOutlet(room.calls.key, subscriber);
    this.options = options;
  }

  get cursor(): EntryId {
    return this.#cursor.id;
  }

  get mayTakeOver(): boolean {
    return this.options.producer?.takeOver !== undefined;
  }

  start(subscriber: Subscriber<PositionedEvent>): void {
    const { room, outlet, options } = this;
    const { after, pauseWhile, producer } = options;
    const error = (failure: unknown): void => outlet.fail(failure);
    subscriber.add(() => {
      this.#waitsForTakeover?.unsubscribe();
      room.remove(this);
    });
    subscriber.add(pauseWhile?.subscribe({ next: (paused) => this.#setPaused(paused), error }));
    if (outlet.isClosed) return;
    this.#isAdded = true;
    room.add(this);
    const claim = producer && after === undefined ? firstClaim(producer) : undefined;
    enter(this, after, claim).subscribe({ next: (entrance) => this.#begin(entrance, claim), error });
  }

  offer(entry: DecodedEntry): void {
    if (!this.#isPlaced) return;
    if (this.#isLive && !this.paused && !this.#isBusy && this.#cursor.isBefore(entry)) {
      this.#isBusy = true;
      try {
        this.outlet.run(this.#pass, entry);
      } catch (error) {
        this.outlet.fail(error);
      }
      this.#isBusy = false;
      if (this.#mustRun) this.#work();
      return;
    }
    if (compareIds(entry.entry.id, this.cursor) <= 0) return;
    this.#setLive(false);
    this.waitingSince ??= asyncScheduler.now();
    this.#work();
  }

  poke(): void {
    if (!this.#isPlaced) return;
    this.#setLive(false);
    this.#mustRead = true;
    this.#work();
  }

  fail(error: (place: ReaderPlace) => unknown): void {
    this.outlet.fail(error(this.outlet.place));
  }

  readOn(): void {
    if (!this.outlet.isClosed) this.poke();
  }

  #setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    if (paused) this.#setLive(false);
    if (this.#isAdded) this.room.setPaused(paused);
    if (!paused && this.#isPlaced) this.#work();
  }

  #setLive(isLive: boolean): void {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.room.setLive(this, isLive);
  }

  #begin({ answer, start }: Entrance, claim: LogClaim | undefined): void {
    const { room, outlet, options } = this;
    this.#cursor.id = start.cursor;
    this.#cursor.isEntry = start.isEntry;
    this.history = start.history;
    for (const event of start.events) if (!outlet.isClosed) outlet.run((it) => outlet.emit(it), event);
    this.#isPlaced = true;
    if (options.producer && claim) produceAs(this, options.producer, claim, { answer, attempt: 1 });
    else room.learn(answer.state);
    room.positioned(this);
    this.#work();
  }

  /** Passes the held entries on, and reads more, until the newest entry is reached or the consumer pauses. */
  #work(): void {
    const { room, outlet } = this;
    this.#mustRun = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#mustRun) {
      this.#mustRun = false;
      if (this.#held.length > 0 && !this.paused && !outlet.isClosed) outlet.run((it) => it.#passHeld(), this);
      if (this.paused || outlet.isClosed || this.#isReading || this.#held.length > 0 || this.#isLive) continue;
      if (this.#mustRead || compareIds(this.cursor, room.known) < 0) this.#read();
      else this.#setLive(true);
    }
    this.#isBusy = false;
  }

  #passHeld(): void {
    const entries = this.#held;
    let index = 0;
    try {
      for (; index < entries.length && !this.paused && !this.outlet.isClosed && this.#held === entries; index++) {
        this.#pass(entries[index] as DecodedEntry);
      }
    } catch (error) {
      this.outlet.fail(error);
    }
    if (this.#held === entries) this.#held = index < entries.length ? entries.slice(index) : nothing;
    this.room.moved();
  }

  #read(): void {
    const { room, outlet, options } = this;
    this.#mustRead = false;
    this.#isReading = true;
    room.read(this.cursor, options.pauseWhile ? pausablePageBytes : pageBytes).subscribe({
      next: (page) => {
        if (outlet.isClosed) return;
        const readsAgain = this.#mustRead;
        try {
          // Still reading: the state of the page pokes the readers, and this one would read the same place again.
          this.#take(page);
        } catch (error) {
          outlet.fail(error);
          return;
        }
        this.#isReading = false;
        this.#mustRead = readsAgain;
        this.#work();
      },
      error: (error: unknown) => outlet.fail(error),
    });
  }

  #take(page: LogPage | undefined): void {
    const { position, place } = this.outlet;
    const cursor = this.#cursor;
    if (page === undefined) throw new ProducerLostError({ ...place, reason: 'log' });
    this.room.learn(page.state);
    const beginsAnywhere = this.options.after === 'now' && position === undefined && !cursor.isEntry;
    this.#held = decodePage(page, { cursor, beginsAnywhere, place });
  }

  /** Passes one entry on. The one function of each reader: it is called in the consumer's context. */
  readonly #pass = (decoded: DecodedEntry): void => {
    const { entry, kind } = decoded;
    const { outlet } = this;
    const cursor = this.#cursor;
    const isNext = entry.previous === cursor.id;
    if (!isNext && compareIds(entry.id, cursor.id) <= 0) return;
    if (kind === 'event' && decoded.event.type === 'chunk') {
      const { payload } = decoded.event;
      if (payload.length !== decoded.place.bytes - decoded.before.bytes) {
        if (payload.length > 0) throw new ProducerLostError({ ...outlet.place, reason: 'log' });
        // Another consumer has transferred the buffer. The log still has the bytes.
        this.#setLive(false);
        this.#mustRead = true;
        this.#mustRun = true;
        this.#held = nothing;
        return;
      }
      const skipped = isNext ? 0 : cursor.bytesOf(decoded);
      this.#moveTo(entry.id);
      outlet.emit(skipped > 0 ? { ...decoded.event, payload: payload.subarray(skipped) } : decoded.event);
      return;
    }
    this.#moveTo(entry.id);
    if (kind === 'event') outlet.emit(decoded.event);
    else if (kind === 'open') this.#opened(decoded.opening, decoded.place);
    else if (kind === 'end') this.#waitsForTakeover = passEnd(this, decoded.ending, decoded);
  };

  #moveTo(id: EntryId): void {
    this.#cursor.moveTo(id);
    this.waitingSince = compareIds(id, this.room.known) < 0 ? asyncScheduler.now() : undefined;
    this.#waitsForTakeover?.unsubscribe();
  }

  #opened({ retry }: Opening, at: Place): void {
    if (!retry) return;
    this.outlet.emit({ ...retry, position: positionOf(at) });
    if (retry.mode === 'restart') this.outlet.chunks = 0;
  }
}
