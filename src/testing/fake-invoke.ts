import { asyncScheduler, defer, Observable, switchMap, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { askForInvokeInput, assertInvokeInput, type InvokeInput } from '../invoke/invoke-input.js';
import {
  invokeOptionRules,
  type InvokeWithResponseStream,
  type InvokeWithResponseStreamOptions,
} from '../invoke/invoke-with-response-stream.js';
import { createEventDelivery } from '../invoke/event-delivery.js';
import { captureContext } from '../shared/async-context.js';
import { checkOptions } from '../shared/check-options.js';
import { answerOf, checkTable, type FakeInvokeTable } from './fake-invoke-table.js';

/** One recorded invocation. Frames are virtual time under `TestScheduler.run`, else milliseconds since 1970. */
export interface FakeInvocation {
  /** The input as it was given. */
  readonly input: InvokeInput;
  readonly options: InvokeWithResponseStreamOptions;
  /** 1 for the first invocation of this function name, 2 for the second. */
  readonly attempt: number;
  readonly subscribedFrame: number;
  /** When the invocation ended. `undefined` while it is open. */
  readonly closedFrame: number | undefined;
  /** How the invocation ended. With `unsubscribed` a real invocation would have closed the connection. */
  readonly state: 'open' | 'completed' | 'failed' | 'unsubscribed';
  /** The values of `pauseWhile` while the invocation was open. The fake goes on during a pause. */
  readonly pauses: readonly { readonly frame: number; readonly paused: boolean }[];
}

/** Replaces `invokeWithResponseStream` and records its invocations. */
export interface FakeInvoke extends InvokeWithResponseStream {
  /** The invocations, in the order of their subscriptions. */
  readonly invocations: readonly FakeInvocation[];
  /** The inputs, in the same order. */
  readonly inputs: readonly InvokeInput[];
  /** How many invocations began. */
  readonly subscriptions: number;
  /** How many invocations were cancelled before they ended by themselves. */
  readonly unsubscriptions: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Makes an `invokeWithResponseStream` for tests, which plays an Observable for each function name.
 *
 *     table   h-a-b-(c|)    h: head, a, b: chunks, c: complete
 *     result  h-a-b-(c|)
 *     subs    ^-----!
 *
 * - **Emits** what the table's Observable emits, in the same frame. Only an input function that returns a promise makes
 *   it later.
 * - **Completes** right after a `complete` event, as a real invocation does.
 * - **Errors** with the Observable's error; with a `TruncatedStreamError` where the Observable completes without a
 *   `complete` event (a head with status 204 completes at once, without that event); with a `FunctionError` for a
 *   `complete` event that has an `errorCode`, unless `functionErrors` is `'emit'`; with the SDK's
 *   ResourceNotFoundException for a name that is not in the table.
 * - **Unsubscribing** unsubscribes from the table's Observable.
 * - **Memory** all inputs, for as long as the fake lives.
 *
 * @example
 * const chat = cold('h-a-(c|)', { h: headEvent(), a: chunkEvent('Hi'), c: completeEvent() });
 * const invoke = fakeInvoke({ chat });
 * expectObservable(invoke(client, { FunctionName: 'chat' }).pipe(decodeText())).toBe('--t-|', { t: 'Hi' });
 * expectSubscriptions(chat.subscriptions).toBe('^---!');
 *
 * @param table - The answers by function name: an Observable, or a function that makes one for each invocation.
 */
export function fakeInvoke(table: FakeInvokeTable): FakeInvoke {
  checkTable(table);
  const invocations: FakeInvocation[] = [];
  const attempts = new Map<string, number>();

  const invoke: InvokeWithResponseStream = (_client, source, options) => {
    checkOptions('fakeInvoke', options, invokeOptionRules);
    if (typeof source !== 'function') assertInvokeInput(source);
    return askForInvokeInput(source).pipe(
      tap(assertInvokeInput),
      switchMap((input) => play(input, options ?? {})),
    );
  };

  function play(input: InvokeInput, options: InvokeWithResponseStreamOptions): Observable<LambdaStreamEvent> {
    return new Observable((subscriber) => {
      const { FunctionName: name = '' } = input;
      const attempt = (attempts.get(name) ?? 0) + 1;
      attempts.set(name, attempt);
      const pauses: { frame: number; paused: boolean }[] = [];
      const invocation: Mutable<FakeInvocation> = {
        input,
        options,
        attempt,
        subscribedFrame: asyncScheduler.now(),
        closedFrame: undefined,
        state: 'open',
        pauses,
      };
      invocations.push(invocation);

      function close(state: FakeInvocation['state']): void {
        if (invocation.state !== 'open') return;
        invocation.state = state;
        invocation.closedFrame = asyncScheduler.now();
      }

      subscriber.add(() => close('unsubscribed'));
      // The fake does not pause, so that a marble diagram shows what happens.
      subscriber.add(
        options.pauseWhile?.subscribe({
          next: (paused) => pauses.push({ frame: asyncScheduler.now(), paused }),
          error: (error: unknown) => subscriber.error(error),
        }),
      );
      // `defer` records an answer that throws as failed.
      defer(() => answerOf(table, name, invocation))
        .pipe(
          endAsReal(name, options.functionErrors ?? 'throw'),
          tap({ complete: () => close('completed'), error: () => close('failed') }),
        )
        .subscribe(subscriber);
    });
  }

  return Object.defineProperties(invoke, {
    invocations: { value: invocations },
    inputs: { get: () => invocations.map(({ input }) => input) },
    subscriptions: { get: () => invocations.length },
    unsubscriptions: { get: () => invocations.filter(({ state }) => state === 'unsubscribed').length },
  }) as FakeInvoke;
}

/** Completes with a `complete` event or a 204, and fails where the Observable just ends, as a real invocation does. */
function endAsReal(
  functionName: string,
  functionErrors: 'throw' | 'emit',
): MonoTypeOperatorFunction<LambdaStreamEvent> {
  return (source) =>
    new Observable((subscriber) => {
      // As a real invocation, it delivers in the async context of its subscription.
      const runInContext = captureContext();
      const delivery = createEventDelivery(functionName, functionErrors, subscriber);

      function play(event: LambdaStreamEvent): void {
        try {
          if (event.type === 'complete') delivery.complete(event);
          else if (event.type === 'chunk') delivery.chunk(event);
          else if (event.type === 'head') delivery.head(event);
          else subscriber.next(event);
        } catch (error) {
          // An earlier consumer has transferred the chunk's buffer.
          delivery.fail(error);
        }
        if (event.type === 'head' && event.statusCode === 204) subscriber.complete();
      }

      return source.subscribe({
        next: (event) => runInContext(play, event),
        error: (error: unknown) => runInContext(delivery.fail, error),
        complete: () => runInContext(delivery.truncated, undefined),
      });
    });
}
