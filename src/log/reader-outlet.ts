import { asyncScheduler, type Subscriber, type Subscription } from 'rxjs';
import { ProducerLostError } from '../errors.js';
import { captureContext, type RunInContext } from '../shared/async-context.js';
import { compareIds, positionOf, type Place, type Position } from './entry-id.js';
import type { EntryId } from './invocation-log.js';
import type { KeyRoom } from './key-room.js';
import type { DecodedEntry, Opening, PositionedEvent } from './log-records.js';
import { ReaderCursor } from './reader-cursor.js';
import { passEnd, type LossOptions } from './reader-end.js';
import type { ReaderPlace, RoomReader } from './room-readers.js';

/** The way from a reader to its consumer: passes each entry on once and in order, until the end. */
export class ReaderOutlet {
  readonly room: KeyRoom;
  readonly reader: RoomReader;
  readonly options: LossOptions;
  /** The consumer's async context. The consumer gets all its events in it. */
  readonly run: RunInContext = captureContext();
  readonly cursor = new ReaderCursor();
  /** The newest entry at the time when the reader came. Older entries are not news to it. */
  history: EntryId | undefined;
  /** The time since which entries wait for the consumer. Undefined while it has all of them. */
  waitingSince: number | undefined;
  /** The place after the consumer's last event. Undefined before the first event. */
  position: Position | undefined;
  /** How many chunks the consumer has got since the last restart. */
  chunks = 0;
  #waitsForTakeover: Subscription | undefined;
  readonly #subscriber: Subscriber<PositionedEvent>;

  constructor(room: KeyRoom, reader: RoomReader, subscriber: Subscriber<PositionedEvent>, options: LossOptions) {
    this.room = room;
    this.reader = reader;
    this.options = options;
    this.#subscriber = subscriber;
  }

  /** Whether the consumer has left, or got its end. */
  get isClosed(): boolean {
    return this.#subscriber.closed;
  }

  get place(): ReaderPlace {
    const { position } = this;
    return { key: this.room.calls.key, ...(position !== undefined && { position }) };
  }

  /**
   * Passes one entry on. Called in the consumer's context. Returns false if another consumer has transferred the
   * buffer: the log still has the bytes.
   *
   * Each outlet has this function of its own, so that `run` takes it as it is, without a new function for each entry.
   */
  readonly pass = (decoded: DecodedEntry): boolean => {
    const { entry, kind } = decoded;
    const { cursor } = this;
    const isNext = entry.previous === cursor.id;
    if (!isNext && compareIds(entry.id, cursor.id) <= 0) return true;
    if (kind === 'event' && decoded.event.type === 'chunk') {
      const { payload } = decoded.event;
      if (payload.length !== decoded.place.bytes - decoded.before.bytes) {
        if (payload.length > 0) throw new ProducerLostError({ ...this.place, reason: 'log' });
        return false;
      }
      const skipped = isNext ? 0 : cursor.bytesOf(decoded);
      this.#moveTo(entry.id);
      this.emit(skipped > 0 ? { ...decoded.event, payload: payload.subarray(skipped) } : decoded.event);
      return true;
    }
    this.#moveTo(entry.id);
    if (kind === 'event') this.emit(decoded.event);
    else if (kind === 'open') this.#open(decoded.opening, decoded.place);
    else if (kind === 'end') this.#waitsForTakeover = passEnd(this, decoded.ending, decoded);
    return true;
  };

  /** Gives an event to the consumer, in whose context it is called. */
  emit(event: PositionedEvent): void {
    this.position = event.position;
    if (event.type === 'chunk') this.chunks++;
    this.#subscriber.next(event);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  fail(error: unknown): void {
    if (this.isClosed) return;
    this.run((it) => this.#subscriber.error(it), error);
  }

  /** The consumer has left, or got its end. */
  close(): void {
    this.#waitsForTakeover?.unsubscribe();
  }

  #moveTo(id: EntryId): void {
    this.cursor.moveTo(id);
    this.waitingSince = compareIds(id, this.room.known) < 0 ? asyncScheduler.now() : undefined;
    this.#waitsForTakeover?.unsubscribe();
  }

  #open({ retry }: Opening, at: Place): void {
    if (!retry) return;
    this.emit({ ...retry, position: positionOf(at) });
    if (retry.mode === 'restart') this.chunks = 0;
  }
}
