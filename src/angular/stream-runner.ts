import {
  computed,
  linkedSignal,
  NgZone,
  PendingTasks,
  PLATFORM_ID,
  type Injector,
  type WritableSignal,
} from '@angular/core';
import { defer, finalize, type Subscription } from 'rxjs';
import type { CompleteSnapshot, FailedSnapshot, Snapshot } from '../consumers/snapshot-state.js';
import { toSnapshots } from '../consumers/to-snapshots.js';
import { createHandover, type Handover } from './handover.js';
import type { StreamResourceOptions } from './stream-resource.js';

/** A request for one stream. Another stream has another object. */
export interface Request<P> {
  readonly params: P | undefined;
  /** What `params` threw. */
  readonly thrown?: { readonly error: unknown };
  /** 0 for the first stream of these parameters, and one more for each reload. */
  readonly loads: number;
}

/** A stream so far. */
export interface Run<P> {
  readonly request: Request<P>;
  readonly snapshot: Snapshot;
  /** The snapshot's text; at the beginning of a reload the text before. */
  readonly text: string;
}

/** Makes the signal of the present request. It is writable, so that a reload can replace the request. */
export function createRequest<P>(params: () => P | undefined): WritableSignal<Request<P>> {
  const asked = computed<Omit<Request<P>, 'loads'>>(
    () => {
      try {
        return { params: params() };
      } catch (error) {
        return { params: undefined, thrown: { error } };
      }
    },
    { equal: (a, b) => !a.thrown && !b.thrown && Object.is(a.params, b.params) },
  );
  return linkedSignal(() => ({ ...asked(), loads: 0 }));
}

/** Returns a function that begins the stream of a request. It writes the stream's snapshots to `latest`. */
export function createRunner<P>(
  { stream, id }: StreamResourceOptions<P>,
  injector: Injector,
  latest: WritableSignal<Run<P> | undefined>,
): (request: Request<P>) => Subscription | undefined {
  const zone = injector.get(NgZone);
  const isServer = injector.get(PLATFORM_ID) === 'server';
  const handover: Handover | undefined = id === undefined ? undefined : createHandover(injector, id);

  return (request) => {
    const { params, loads } = request;
    if (params === undefined) return undefined;
    const before = loads > 0 ? (latest()?.text ?? '') : '';
    let hasBegun = false;

    function show(snapshot: Snapshot): void {
      hasBegun ||= snapshot.bytes > 0 || isEnd(snapshot);
      latest.set({ request, snapshot, text: hasBegun ? snapshot.text : before });
    }

    const kept = isServer ? undefined : handover?.take(params);
    if (kept) {
      show(kept);
      return undefined;
    }
    // Without an id the text cannot be handed over, and the page would invoke a second time.
    if (isServer && !handover) return undefined;
    // `defer` makes a failed stream of a `stream` that throws.
    const snapshots = defer(() => stream({ params })).pipe(toSnapshots());
    // The server waits. A page does not: hydration ends when the application is stable, and a stream may take minutes.
    const done = isServer ? injector.get(PendingTasks).add() : undefined;
    return zone.runOutsideAngular(() =>
      // eslint-disable-next-line rxjs-x/no-ignored-error -- toSnapshots never errors
      snapshots.pipe(finalize(() => done?.())).subscribe((snapshot) => {
        show(snapshot);
        if (isServer && isEnd(snapshot)) handover?.give(params, snapshot);
      }),
    );
  };
}

export function isEnd(snapshot: Snapshot): snapshot is CompleteSnapshot | FailedSnapshot {
  return snapshot.status === 'complete' || snapshot.status === 'failed';
}
