import { Observable, Subject, type Observer, type SubjectLike } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';

/** What a relay tells a subscriber that comes after the start. */
export interface RelayHistory {
  append(event: LambdaStreamEvent): void;
  /** Throws for a subscriber that cannot be served. */
  events(): readonly LambdaStreamEvent[];
}

/**
 * A Subject that first tells each subscriber the history, and does one thing at a time.
 *
 * Consumers act from within `next`: one may resume a paused source, so that another event arrives while this one is
 * still being handed out; one may subscribe another consumer. An event that arrives meanwhile waits, so that every
 * consumer sees the same order, and none sees an event twice or not at all.
 */
export function createRelay(history: RelayHistory): SubjectLike<LambdaStreamEvent> {
  const live = new Subject<LambdaStreamEvent>();
  const waiting: LambdaStreamEvent[] = [];
  let end: ((observer: Observer<LambdaStreamEvent>) => void) | undefined;
  let busy = false;

  function hand(event: LambdaStreamEvent): void {
    // First into the history: a consumer that subscribes from within `live.next` is told it from there.
    history.append(event);
    live.next(event);
  }

  function settle(): void {
    for (let event = waiting.shift(); event; event = waiting.shift()) hand(event);
    busy = false;
    end?.(live);
  }

  function finish(notify: (observer: Observer<LambdaStreamEvent>) => void): void {
    end = notify;
    if (!busy) notify(live);
  }

  const observable = new Observable<LambdaStreamEvent>((subscriber) => {
    const outermost = !busy;
    busy = true;
    try {
      for (const event of history.events()) {
        subscriber.next(event);
        if (subscriber.closed) break;
      }
      return live.subscribe(subscriber);
    } finally {
      if (outermost) settle();
    }
  });

  return {
    next(event) {
      if (busy) {
        waiting.push(event);
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
