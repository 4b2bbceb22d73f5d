import type { Plan } from '../plan.js';
import type { ModelClock } from './clock.js';
import type { ModelEvent, ModelObserver, ModelSource } from './events.js';
import { decodeHttp } from './http.js';
import { isShown, snapshotOf, type Ending } from './snapshots.js';
import { view, type Seen } from './views.js';

/** A consumer of a pipeline, and all that it has been told, in words. */
export interface ModelConsumer {
  readonly values: readonly string[];
  /** How it ended; absent while it listens, and after it has left. */
  readonly ending: string | undefined;
  readonly listens: boolean;
  subscribe(): void;
  unsubscribe(): void;
  /** The outer Observable of its `switchMap` emits. */
  switch(): void;
  /** The notifier of its `takeUntil` emits. */
  stop(): void;
}

/** What a consumer sees of `source` through the decoders and operators of the plan. */
export function modelConsumer(plan: Plan, clock: ModelClock, source: ModelSource): ModelConsumer {
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

  /** One subscription of the inner pipeline. */
  function attach(): void {
    const upstream: ModelEvent[] = [];
    const events: ModelEvent[] = [];
    let closed = false;
    let taken = 0;
    let textLength = 0;
    // Of snapshots: the timer since the last one, and whether there is something new since.
    let cancelTimer: (() => void) | undefined;
    let changed = false;

    function close(): void {
      if (closed) return;
      closed = true;
      cancelTimer?.();
      source.unsubscribe(observer);
    }

    function finish(how: string): void {
      if (closed) return;
      close();
      // The outer Observable is not complete.
      if (how !== 'complete' || !plan.switches) end(how);
    }

    function emit(value: string): void {
      if (closed) return;
      values.push(value);
      if (++taken === plan.take) finish('complete');
    }

    function emitSnapshot(intervalMs: number): void {
      changed = false;
      cancelTimer = clock.schedule(intervalMs, () => {
        cancelTimer = undefined;
        if (changed) emitSnapshot(intervalMs);
      });
      emit(snapshotOf(events, undefined));
    }

    function emitLastSnapshot(how: Ending): void {
      emit(snapshotOf(events, how));
      finish('complete');
    }

    function showAll({ values: all, error }: Seen): void {
      if (plan.view.of === 'text') {
        const more = all.join('').slice(textLength);
        textLength += more.length;
        if (more !== '') emit(more);
      } else {
        for (const value of all.slice(taken)) emit(value);
      }
      if (error !== undefined) finish(error);
    }

    /** Shows what the decoded events are by now, one after the other. */
    function decode(ended: boolean): void {
      const decoded = plan.http ? decodeHttp(plan.http, upstream, ended) : { events: upstream };
      for (const event of decoded.events.slice(events.length)) {
        if (closed) return;
        events.push(event);
        if (plan.view.of !== 'snapshots') showAll(view(plan.view, events, false));
        else if (!isShown(event)) continue;
        else if (cancelTimer) changed = true;
        else emitSnapshot(plan.view.intervalMs);
      }
      if (decoded.error !== undefined) fail(decoded.error);
    }

    function fail(error: string): void {
      if (plan.view.of === 'snapshots') emitLastSnapshot({ error });
      else finish(error);
    }

    const observer: ModelObserver = {
      get closed() {
        return closed;
      },
      next(event) {
        upstream.push(event);
        decode(false);
      },
      fail,
      end() {
        decode(true);
        if (plan.view.of === 'snapshots') emitLastSnapshot('complete');
        else if (!closed) showAll(view(plan.view, events, true));
        finish('complete');
      },
    };

    inner = { close, complete: () => observer.end() };
    if (plan.view.of === 'snapshots') emitSnapshot(plan.view.intervalMs);
    // The first snapshot may have closed it, which narrowing cannot see.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (!closed) source.subscribe(observer);
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
