import type { Observable, Subscription } from 'rxjs';
import type { LambdaStreamEvent } from 'rx-lambda-stream';

/** Everything that a stream did until it ended. */
export interface Outcome<T> {
  readonly values: T[];
  /** What it errored with; absent where it completed. */
  readonly error?: unknown;
  readonly completed: boolean;
}

/** Waits for a stream's end, whichever it is. */
export function outcomeOf<T>(source: Observable<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const values: T[] = [];
    source.subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => resolve({ values, error, completed: false }),
      complete: () => resolve({ values, completed: true }),
    });
  });
}

/** What a subscriber has been told. `end` is 'complete', the error, or 'nothing' while the stream goes on. */
export interface Told<T> {
  readonly values: T[];
  end: unknown;
}

/** Subscribes, and returns what was told synchronously. What comes later is added. */
export function outcomeNow<T>(source: Observable<T>): Told<T> {
  const told: Told<T> = { values: [], end: 'nothing' };
  source.subscribe({
    next: (value) => told.values.push(value),
    error: (error: unknown) => (told.end = error),
    complete: () => (told.end = 'complete'),
  });
  return told;
}

/** A subscription that goes on, with everything that it was told. */
export interface Running<T> {
  readonly subscription: Subscription;
  readonly events: readonly T[];
  readonly errors: readonly unknown[];
}

/** Subscribes and waits for the first event that is the moment. Events that come after it are added. */
export function subscribeUntil<T>(source: Observable<T>, isMoment: (event: T) => boolean): Promise<Running<T>> {
  return new Promise((resolve) => {
    const events: T[] = [];
    const errors: unknown[] = [];
    const subscription = source.subscribe({
      next(event) {
        events.push(event);
        // In a later turn: a synchronous source emits before `subscribe` has returned.
        if (isMoment(event)) setTimeout(() => resolve({ subscription, events, errors }));
      },
      error: (error: unknown) => errors.push(error),
    });
  });
}

/** Tells an event of this type. */
export const ofType =
  (type: LambdaStreamEvent['type']) =>
  (event: LambdaStreamEvent): boolean =>
    event.type === type;

/** The types of events, for a short look at a stream. */
export const typesOf = (events: readonly LambdaStreamEvent[]): string => events.map(({ type }) => type).join(' ');

/** The text of all chunks. */
export function textOf(events: readonly LambdaStreamEvent[]): string {
  const decoder = new TextDecoder();
  return events
    .map((event) => (event.type === 'chunk' ? decoder.decode(event.payload, { stream: true }) : ''))
    .join('');
}
