import {
  assertInInjectionContext,
  computed,
  effect,
  inject,
  Injector,
  signal,
  untracked,
  type Resource,
  type ResourceSnapshot,
  type ResourceStatus,
  type Signal,
} from '@angular/core';
import type { Observable } from 'rxjs';
import type { Snapshot } from '../consumers/snapshot-state.js';
import { callback, checkOptions, checkValue, text, objectLike, type OptionRule } from '../shared/check-options.js';
import type { PayloadSource } from '../shared/payload.js';
import { createRequest, createRunner, isEnd, type Run } from './stream-runner.js';

/** Options of {@link streamResource}. */
export interface StreamResourceOptions<P> {
  /**
   * Returns the parameters of the stream, or undefined for no stream. The signals that it reads are watched. Other
   * parameters close the connection and begin another stream. With `undefined` the connection closes, and `text` keeps
   * what arrived.
   */
  readonly params: () => P | undefined;
  /**
   * Makes the stream for the parameters: events of this package, or plain bytes. The signals that it reads are not
   * watched.
   */
  readonly stream: (context: { readonly params: NoInfer<P> }) => Observable<PayloadSource>;
  /**
   * Names the stream for server rendering, uniquely in the page. With an id, the server waits for the stream's end and
   * hands the text over to the page, which does not invoke again. The parameters must then be JSON. Without an id, the
   * server invokes nothing, and the page does.
   *
   * @defaultValue the server invokes nothing
   */
  readonly id?: string;
  /** Needed only for a call outside of an injection context. @defaultValue the injector of the caller */
  readonly injector?: Injector;
}

/** A response's text as Angular's `Resource`, while it streams in. Made by {@link streamResource}. */
export interface StreamResource extends Resource<string> {
  /**
   * The text so far. It never throws. After a failure, and while `params` is `undefined`, it stays as it was. A stream
   * for other parameters empties it, and a reload keeps it until new text comes.
   */
  readonly text: Signal<string>;
  /** The latest snapshot of the response: its status, its counts, its error. Undefined while there is no stream. */
  readonly progress: Signal<Snapshot | undefined>;
  /** Invokes again for the same parameters. Returns false, and does nothing, while it loads and while it is idle. */
  reload(): boolean;
  /** Closes the connection for good, and makes the resource idle. */
  destroy(): void;
}

const injectorRule: OptionRule = {
  expected: 'an Injector',
  isValid: (value) => callback.isValid((Object(value) as { get?: unknown }).get),
};

/**
 * A response's text as an Angular `Resource`: signals that follow the stream, at most one change a frame.
 *
 *     source  h-a-b----------------c--(e|)      h: head, a to c: chunks, e: complete
 *     result  s---------------t-------(u|)      s: loading; t: loading, 'ab'; u: resolved, 'abc'
 *
 * - **Invokes** when change detection first runs, for other `params`, and after `reload()`. Each time it subscribes to
 *   what `stream` returns, once. A server invokes only with an `id`.
 * - **Status** `loading` (`reloading`) until the stream's end, whatever has arrived; then `resolved` or `error`; `idle`
 *   while `params` is `undefined`.
 * - **Value** the text so far. In status `error` it throws, as Angular's does; `text` keeps what arrived.
 * - **Unsubscribing**: other `params`, `undefined`, `destroy()` and the end of the component or injector close the
 *   connection.
 * - **Zones**: the stream runs outside of NgZone. Only a change of the signals causes change detection.
 * - **Memory** the whole text. Unlimited.
 *
 * @example
 * export class Answer {
 *   readonly #streams = injectLambdaStreams();
 *   readonly prompt = input.required<string>();
 *   readonly answer = streamResource({
 *     params: () => ({ prompt: this.prompt() }),
 *     stream: ({ params }) => this.#streams.invoke({ FunctionName: 'chat', Payload: params }).pipe(retryInvocation()),
 *   });
 * }
 *
 * @param options.params - Returns the parameters of the stream, or undefined for no stream.
 * @param options.stream - Makes the stream.
 * @param options.id - Names the stream for server rendering. @defaultValue the server invokes nothing
 * @param options.injector - Outside of an injection context. @defaultValue the injector of the caller
 * @throws TypeError at the call for an option of another type; Angular's NG0203 without an injector.
 */
export function streamResource<P>(options: StreamResourceOptions<P>): StreamResource {
  checkValue('streamResource', 'options', options, objectLike('{ params, stream }'));
  checkOptions('streamResource', options, { id: text, injector: injectorRule });
  checkValue('streamResource', 'params', options.params, callback);
  checkValue('streamResource', 'stream', options.stream, callback);
  if (!options.injector) assertInInjectionContext(streamResource);
  const injector = options.injector ?? inject(Injector);

  const isDestroyed = signal(false);
  const request = createRequest(() => (isDestroyed() ? undefined : options.params()));
  const latest = signal<Run<P> | undefined>(undefined);
  const run = createRunner(options, injector, latest);
  const runner = effect(
    (onCleanup) => {
      const current = request();
      const subscription = untracked(() => run(current));
      onCleanup(() => subscription?.unsubscribe());
    },
    { injector },
  );

  /** The run of the present request. Undefined until it has begun. */
  const current = computed(() => (latest()?.request === request() ? latest() : undefined));
  const progress = computed(() => current()?.snapshot);
  const status = computed<ResourceStatus>(() => {
    const { params, thrown, loads } = request();
    if (thrown) return 'error';
    if (params === undefined) return 'idle';
    const snapshot = progress();
    if (snapshot?.status === 'complete') return 'resolved';
    if (snapshot?.status === 'failed') return 'error';
    return loads > 0 ? 'reloading' : 'loading';
  });
  const error = computed(() => {
    if (status() !== 'error') return undefined;
    const { thrown } = request();
    const snapshot = progress();
    return toError(thrown ? thrown.error : snapshot?.status === 'failed' ? snapshot.error : undefined);
  });
  const shownText = computed(() => {
    const { params, loads } = request();
    const begun = current();
    if (begun) return begun.text;
    return params === undefined || loads > 0 ? (latest()?.text ?? '') : '';
  });
  const value = computed(() => {
    const failure = error();
    if (failure) throw new Error('The stream failed: see the cause of this error', { cause: failure });
    return status() === 'idle' ? '' : shownText();
  });
  const snapshot = computed<ResourceSnapshot<string>>(() => {
    const failure = error();
    const now = status();
    return failure || now === 'error' ? { status: 'error', error: toError(failure) } : { status: now, value: value() };
  });

  return {
    value,
    status,
    error,
    snapshot,
    isLoading: computed(() => status() === 'loading' || status() === 'reloading'),
    // The text is never undefined. So this tells whether there is something to show instead of a placeholder.
    hasValue: (() => status() === 'resolved' || (status() !== 'error' && value() !== '')) as StreamResource['hasValue'],
    text: shownText,
    progress,
    reload() {
      // Without a run there is nothing to load again: `params` returned undefined, or has thrown.
      const begun = untracked(current);
      if (!begun || !isEnd(begun.snapshot)) return false;
      request.update((last) => ({ ...last, loads: last.loads + 1 }));
      return true;
    },
    destroy() {
      runner.destroy();
      isDestroyed.set(true);
    },
  };
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('Something was thrown that is no Error', { cause: thrown });
}
