import type { Observable } from 'rxjs';
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

/** The types of events, for a short look at a stream. */
export const typesOf = (events: readonly LambdaStreamEvent[]): string => events.map(({ type }) => type).join(' ');

/** The text of all chunks. */
export function textOf(events: readonly LambdaStreamEvent[]): string {
  const decoder = new TextDecoder();
  return events
    .map((event) => (event.type === 'chunk' ? decoder.decode(event.payload, { stream: true }) : ''))
    .join('');
}
