import { BehaviorSubject, concat, filter, firstValueFrom, Observable, of, Subject, type Subscription } from 'rxjs';
import type { HeadEvent, LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import type { Outcome } from '../support/collect.js';
import { gate } from '../support/live.js';

/** An invocation that a test writes piece by piece. */
export interface WrittenInvocation {
  /** The `open` of a grant. */
  readonly open: () => Observable<LambdaStreamEvent>;
  /** How often it was opened. */
  readonly opened: () => number;
  /** Resolves as soon as it is read. */
  readonly running: Promise<void>;
  readonly write: (text: string) => void;
  readonly finish: () => void;
}

/** Makes an invocation that begins with its head, and goes on as the test writes. */
export function writtenInvocation(head: HeadEvent = headEvent()): WrittenInvocation {
  const events = new Subject<LambdaStreamEvent>();
  const { opened: running, open: run } = gate();
  let opened = 0;
  const written = new Observable<LambdaStreamEvent>((subscriber) => {
    const subscription = events.subscribe(subscriber);
    run();
    return subscription;
  });
  return {
    running,
    opened: () => opened,
    open: () => (opened++, concat(of(head), written)),
    write: (text) => events.next(chunkEvent(text)),
    finish() {
      events.next(completeEvent());
      events.complete();
    },
  };
}

/** A subscription whose course a test can wait for. */
export interface Followed<T> {
  readonly values: readonly T[];
  /** Resolves as soon as this holds for what has come. Rejects where the stream ends before. */
  readonly until: (holds: (values: readonly T[]) => boolean) => Promise<unknown>;
  readonly outcome: Promise<Outcome<T>>;
  readonly leave: () => void;
}

/** Subscribes, and keeps what comes. */
export function follow<T>(source: Observable<T>): Followed<T> {
  const values: T[] = [];
  const changes = new BehaviorSubject<readonly T[]>(values);
  let subscription!: Subscription;
  const outcome = new Promise<Outcome<T>>((resolve) => {
    function end(ending: Omit<Outcome<T>, 'values'>): void {
      resolve({ values, ...ending });
      changes.complete();
    }
    subscription = source.subscribe({
      next(value) {
        values.push(value);
        changes.next(values);
      },
      error: (error: unknown) => end({ error, completed: false }),
      complete: () => end({ completed: true }),
    });
  });
  return {
    values,
    outcome,
    until: (holds) => firstValueFrom(changes.pipe(filter(holds))),
    leave: () => subscription.unsubscribe(),
  };
}
