import { Observable, Subject, type Observer, type SubjectLike } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { captureContext } from '../shared/async-context.js';
import { assertAttached } from '../shared/bytes.js';
import { copyUnknown } from '../shared/unknown-event.js';

/** The events that a late subscriber gets first. */
export interface EventHistory {
  append(event: LambdaStreamEvent): void;
  /** Returns the events so far. Throws where a late subscriber cannot be served. */
  events(): Iterable<LambdaStreamEvent>;
}

/** @throws {@link DetachedPayloadError} for an event whose bytes are gone. */
export function assertEventAttached(event: LambdaStreamEvent): void {
  if (event.type === 'chunk' || event.type === 'unknown') assertAttached(event.payload);
}

/** Copies a waiting event, because a consumer may transfer its buffer meanwhile. */
function copyOf(event: LambdaStreamEvent): LambdaStreamEvent {
  if (event.type === 'unknown') return copyUnknown(event);
  return event.type === 'chunk' ? { ...event, payload: event.payload.slice() } : event;
}

/**
 * Makes a Subject that gives each subscriber the history first, and that handles one event at a time.
 *
 * A consumer may act from within `next`. It may resume a paused source, so that another event arrives while the present
 * one is still being handed out, or subscribe another consumer. An event that arrives meanwhile waits. So every
 * consumer gets the events in the same order, and each event once.
 *
 * Each consumer gets its events in the async context in which it subscribed.
 */
export function createFanOut(history: EventHistory): SubjectLike<LambdaStreamEvent> {
  const live = new Subject<LambdaStreamEvent>();
  let waiting: LambdaStreamEvent[] = [];
  let end: ((observer: Observer<LambdaStreamEvent>) => void) | undefined;
  let busy = false;

  function hand(event: LambdaStreamEvent): void {
    // The history takes the event first. A consumer that subscribes from within `live.next` gets it from there.
    history.append(event);
    live.next(event);
  }

  function settle(): void {
    while (waiting.length > 0) {
      const events = waiting;
      waiting = [];
      // Events that arrive meanwhile wait for the next round. Removing each from the array's front would take quadratic
      // time.
      for (const event of events) hand(event);
    }
    busy = false;
    end?.(live);
  }

  function finish(notify: (observer: Observer<LambdaStreamEvent>) => void): void {
    end = notify;
    if (!busy) notify(live);
  }

  const observable = new Observable<LambdaStreamEvent>((subscriber) => {
    const run = captureContext();
    const outermost = !busy;
    busy = true;
    try {
      for (const event of history.events()) {
        subscriber.next(event);
        if (subscriber.closed) break;
      }
      return live.subscribe({
        next: (event) => run(tell, event),
        error: (error: unknown) => run(() => subscriber.error(error), undefined),
        complete: () => run(() => subscriber.complete(), undefined),
      });
    } finally {
      if (outermost) settle();
    }

    function tell(event: LambdaStreamEvent): void {
      try {
        // A consumer before this one may have transferred the buffer.
        assertEventAttached(event);
      } catch (error) {
        subscriber.error(error);
        return;
      }
      subscriber.next(event);
    }
  });

  return {
    next(event) {
      if (busy) {
        waiting.push(copyOf(event));
        return;
      }
      busy = true;
      hand(event);
      settle();
    },
    error: (error: unknown) => finish((observer) => observer.error(error)),
    complete: () => finish((observer) => observer.complete()),
    subscribe: (observer) => observable.subscribe(observer),
  };
}
