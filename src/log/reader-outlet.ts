import type { Subscriber } from 'rxjs';
import { captureContext, type RunInContext } from '../shared/async-context.js';
import type { Position } from './entry-id.js';
import type { PositionedEvent } from './log-records.js';
import type { ReaderPlace } from './room-readers.js';

/** The consumer of one reader, and its progress. */
export class ReaderOutlet {
  /** The consumer's async context. The consumer gets all its events in it. */
  readonly run: RunInContext = captureContext();
  /** The place after the consumer's last event. Undefined before the first event. */
  position: Position | undefined;
  /** How many chunks the consumer has got since the last restart. */
  chunks = 0;
  readonly #key: string;
  readonly #subscriber: Subscriber<PositionedEvent>;

  constructor(key: string, subscriber: Subscriber<PositionedEvent>) {
    this.#key = key;
    this.#subscriber = subscriber;
  }

  /** Whether the consumer has left, or got its end. */
  get isClosed(): boolean {
    return this.#subscriber.closed;
  }

  get place(): ReaderPlace {
    const { position } = this;
    return { key: this.#key, ...(position !== undefined && { position }) };
  }

  /** Gives an event to the consumer. Called in the consumer's context, which is entered once for many events. */
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
}
