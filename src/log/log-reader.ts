import { asyncScheduler, type Observable, type Subscriber } from 'rxjs';
import { ProducerLostError } from '../errors.js';
import { compareIds, type Place } from './entry-id.js';
import type { EntryId, LogClaim, LogPage } from './invocation-log.js';
import type { KeyRoom } from './key-room.js';
import type { DecodedEntry, PositionedEvent } from './log-records.js';
import type { LossOptions } from './reader-end.js';
import { ReaderOutlet } from './reader-outlet.js';
import { decodePage } from './reader-page.js';
import { enter, type Entrance } from './reader-start.js';
import type { ReaderPlace, RoomReader } from './room-readers.js';
import { firstClaim, produceAs } from './take-over.js';

/** The page size, in bytes, of a reader that never pauses, and of one that may pause and hold a page. */
const pageBytes = 1024 * 1024;
const pausablePageBytes = 64 * 1024;

export interface ReaderOptions extends LossOptions {
  readonly after: Place | 'now' | undefined;
  readonly pauseWhile: Observable<boolean> | undefined;
}

const nothing: readonly DecodedEntry[] = [];

/** Reads a key for one consumer. The first consumer also produces. Runs until the consumer is closed. */
export function startReader(room: KeyRoom, subscriber: Subscriber<PositionedEvent>, options: ReaderOptions): void {
  new LogReader(room, subscriber, options).start(subscriber);
}

/**
 * Takes entries as they are offered while the consumer has all earlier ones. Otherwise it reads the log.
 *
 * A class, because a relay has thousands of readers. With closures and getters each one took 2 KiB more
 * (`npm run bench -- relay`).
 */
class LogReader implements RoomReader {
  paused = false;
  readonly #room: KeyRoom;
  readonly #outlet: ReaderOutlet;
  readonly #options: ReaderOptions;
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

  constructor(room: KeyRoom, subscriber: Subscriber<PositionedEvent>, options: ReaderOptions) {
    this.#room = room;
    this.#outlet = new ReaderOutlet(room, this, subscriber, options);
    this.#options = options;
  }

  get cursor(): EntryId {
    return this.#outlet.cursor.id;
  }

  get waitingSince(): number | undefined {
    return this.#outlet.waitingSince;
  }

  get mayTakeOver(): boolean {
    return this.#options.producer?.takeOver !== undefined;
  }

  start(subscriber: Subscriber<PositionedEvent>): void {
    const room = this.#room;
    const outlet = this.#outlet;
    const { after, pauseWhile, producer } = this.#options;
    const error = (failure: unknown): void => outlet.fail(failure);
    subscriber.add(() => {
      outlet.close();
      room.remove(this);
    });
    subscriber.add(pauseWhile?.subscribe({ next: (paused) => this.#setPaused(paused), error }));
    if (outlet.isClosed) return;
    this.#isAdded = true;
    room.add(this);
    const claim = producer && after === undefined ? firstClaim(producer) : undefined;
    enter(outlet, after, claim).subscribe({ next: (entrance) => this.#begin(entrance, claim), error });
  }

  offer(entry: DecodedEntry): void {
    if (!this.#isPlaced) return;
    if (this.#isLive && !this.paused && !this.#isBusy && this.#outlet.cursor.isBefore(entry)) {
      const outlet = this.#outlet;
      this.#isBusy = true;
      try {
        if (!outlet.run(outlet.pass, entry)) this.#readAgain();
      } catch (error) {
        outlet.fail(error);
      }
      this.#isBusy = false;
      if (this.#mustRun) this.#work();
      return;
    }
    if (compareIds(entry.entry.id, this.cursor) <= 0) return;
    this.#setLive(false);
    this.#outlet.waitingSince ??= asyncScheduler.now();
    this.#work();
  }

  poke(): void {
    if (!this.#isPlaced) return;
    this.#setLive(false);
    this.#mustRead = true;
    this.#work();
  }

  fail(error: (place: ReaderPlace) => unknown): void {
    this.#outlet.fail(error(this.#outlet.place));
  }

  #setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    if (paused) this.#setLive(false);
    if (this.#isAdded) this.#room.setPaused(paused);
    if (!paused && this.#isPlaced) this.#work();
  }

  #setLive(isLive: boolean): void {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.#room.setLive(this, isLive);
  }

  #begin({ answer, start }: Entrance, claim: LogClaim | undefined): void {
    const room = this.#room;
    const outlet = this.#outlet;
    const { producer } = this.#options;
    outlet.cursor.id = start.cursor;
    outlet.cursor.isEntry = start.isEntry;
    outlet.history = start.history;
    for (const event of start.events) if (!outlet.isClosed) outlet.run((it) => outlet.emit(it), event);
    this.#isPlaced = true;
    if (producer && claim) produceAs(outlet, producer, claim, { answer, attempt: 1 });
    else room.learn(answer.state);
    room.positioned(this);
    this.#work();
  }

  /** Passes the held entries on, and reads more, until the newest entry is reached or the consumer pauses. */
  #work(): void {
    const outlet = this.#outlet;
    this.#mustRun = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#mustRun) {
      this.#mustRun = false;
      if (this.#held.length > 0 && !this.paused && !outlet.isClosed) outlet.run((it) => it.#passHeld(), this);
      if (this.paused || outlet.isClosed || this.#isReading || this.#held.length > 0 || this.#isLive) continue;
      if (this.#mustRead || compareIds(this.cursor, this.#room.known) < 0) this.#read();
      else this.#setLive(true);
    }
    this.#isBusy = false;
  }

  #passHeld(): void {
    const outlet = this.#outlet;
    const entries = this.#held;
    let index = 0;
    try {
      for (; index < entries.length && !this.paused && !outlet.isClosed && this.#held === entries; index++) {
        if (!outlet.pass(entries[index] as DecodedEntry)) this.#readAgain();
      }
    } catch (error) {
      outlet.fail(error);
    }
    if (this.#held === entries) this.#held = index < entries.length ? entries.slice(index) : nothing;
    this.#room.moved();
  }

  #read(): void {
    const outlet = this.#outlet;
    this.#mustRead = false;
    this.#isReading = true;
    this.#room.read(this.cursor, this.#options.pauseWhile ? pausablePageBytes : pageBytes).subscribe({
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

  /** Drops the held entries. The log still has their bytes. */
  #readAgain(): void {
    this.#setLive(false);
    this.#mustRead = true;
    this.#mustRun = true;
    this.#held = nothing;
  }

  #take(page: LogPage | undefined): void {
    const { position, place, cursor } = this.#outlet;
    if (page === undefined) throw new ProducerLostError({ ...place, reason: 'log' });
    this.#room.learn(page.state);
    const beginsAnywhere = this.#options.after === 'now' && position === undefined && !cursor.isEntry;
    this.#held = decodePage(page, { cursor, beginsAnywhere, place });
  }
}
