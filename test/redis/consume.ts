import { concat, defer, filter, firstValueFrom, map, of, take, timer, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../../src/index.js';
import type { OpenInvocation } from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { areNumbered, numberedBytes } from './numbered-bytes.js';

/** What a consumer has got so far, and how it ended. */
export interface Outcome {
  readonly bytes: number;
  /** Every byte was the one that belongs to its place; none was missing, none came twice. */
  readonly isWhole: boolean;
  /** The events other than chunks, in their order. */
  readonly kinds: readonly string[];
  readonly error: unknown;
  /** `code` of the error, `complete`, or undefined while it runs. */
  readonly end: string | undefined;
  readonly ended: Promise<void>;
  leave(): void;
}

/** Consumes a response of numbered bytes from its start. A restart begins at 0 again. */
export function consume(source: Observable<LambdaStreamEvent>): Outcome {
  const kinds: string[] = [];
  const state = { bytes: 0, isWhole: true, error: undefined as unknown, end: undefined as string | undefined };
  let leave = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    const subscription = source.subscribe({
      next(event) {
        if (event.type !== 'chunk') {
          kinds.push(event.type === 'retry' ? `retry ${event.mode}` : event.type);
          if (event.type === 'retry' && event.mode === 'restart') state.bytes = 0;
          return;
        }
        if (!areNumbered(event.payload, state.bytes)) state.isWhole = false;
        state.bytes += event.payload.length;
      },
      error(error: unknown) {
        state.error = error;
        state.end = String((error as { code?: unknown }).code ?? error);
        resolve();
      },
      complete() {
        state.end = 'complete';
        resolve();
      },
    });
    leave = () => subscription.unsubscribe();
  });
  return Object.assign(state, { kinds, ended, leave: () => leave() });
}

/** A response of numbered bytes, five every few milliseconds. */
export const tokens = (count: number, everyMs: number): Observable<LambdaStreamEvent> =>
  concat(
    of(headEvent()),
    timer(0, everyMs).pipe(
      take(count),
      map((index) => chunkEvent(numberedBytes(index * 5, 5))),
    ),
    of(completeEvent()),
  );

/** Opens a response that brings one event at a time, and none while it is paused. */
export const pausable =
  (events: () => Iterable<LambdaStreamEvent>): OpenInvocation =>
  (pauseWhile) =>
    defer(async function* () {
      for (const event of events()) {
        await firstValueFrom(pauseWhile.pipe(filter((isPaused) => !isPaused)));
        yield event;
      }
    });

/** A response of numbered bytes, in chunks of 64 KiB. */
export function* largeResponse(chunks: number): Iterable<LambdaStreamEvent> {
  const size = 65_536;
  yield headEvent();
  for (let index = 0; index < chunks; index += 1) yield chunkEvent(numberedBytes(index * size, size));
  yield completeEvent();
}
