import type { Plan } from '../plan.js';
import { inWords, type ModelObserver, type ModelSource } from './events.js';

/** A consumer of a pipeline, and all that it has been told, in words. */
export interface ModelConsumer {
  readonly values: readonly string[];
  /** How it ended. It is undefined while the consumer listens, and after the consumer has left. */
  readonly ending: string | undefined;
  readonly listens: boolean;
  subscribe(): void;
  unsubscribe(): void;
  /** The outer Observable of its `switchMap` emits. */
  switch(): void;
  /** The notifier of its `takeUntil` emits. */
  stop(): void;
}

/** Says what a consumer receives of `source` through the plan's `take`, `switchMap` and `takeUntil`. */
export function modelConsumer(plan: Plan, source: ModelSource): ModelConsumer {
  const values: string[] = [];
  let ending: string | undefined;
  let listens = false;
  let inner: { close(): void; complete(): void } | undefined;

  function end(how: string): void {
    ending = how;
    leave();
  }

  function leave(): void {
    listens = false;
    inner?.close();
  }

  /** Begins one subscription of the inner pipeline. */
  function attach(): void {
    let closed = false;
    let taken = 0;

    function close(): void {
      if (closed) return;
      closed = true;
      source.unsubscribe(observer);
    }

    function finish(how: string): void {
      if (closed) return;
      close();
      // The completion of an inner Observable does not complete the outer one.
      if (how !== 'complete' || !plan.switches) end(how);
    }

    const observer: ModelObserver = {
      get closed() {
        return closed;
      },
      next(event) {
        if (closed) return;
        values.push(inWords(event));
        if (++taken === plan.take) finish('complete');
      },
      fail: finish,
      end: () => finish('complete'),
    };

    inner = { close, complete: () => finish('complete') };
    source.subscribe(observer);
  }

  return {
    values,
    get ending() {
      return ending;
    },
    get listens() {
      return listens;
    },
    subscribe() {
      listens = true;
      attach();
    },
    unsubscribe: leave,
    switch() {
      if (!listens || !plan.switches) return;
      inner?.close();
      attach();
    },
    stop() {
      if (!listens) return;
      if (plan.stopsEarly) inner?.complete();
      else end('complete');
    },
  };
}
