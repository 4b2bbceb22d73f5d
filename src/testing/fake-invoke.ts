import { asyncScheduler, defer, isObservable, Observable, switchMap, tap, type MonoTypeOperatorFunction } from 'rxjs';
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
import { serviceException } from './service-exception.js';

/** What a function answers: the same Observable each time, or one made for the invocation. */
export type FakeResponse =
  Observable<LambdaStreamEvent> | ((invocation: FakeInvocation) => Observable<LambdaStreamEvent>);

/** Function names (as the input states them: name or ARN) and what each answers. */
export type FakeInvokeTable = Readonly<Record<string, FakeResponse>>;

/** One recorded invocation. Frames are virtual time under `TestScheduler.run`, else milliseconds since 1970. */
export interface FakeInvocation {
  /** As it was given, nothing encoded. */
  readonly input: InvokeInput;
  readonly options: InvokeWithResponseStreamOptions;
  /** 1 for the first invocation of this function name, 2 for the second. */
  readonly attempt: number;
  readonly subscribedFrame: number;
  /** When it ended, or `undefined` while it has not. */
  readonly closedFrame: number | undefined;
  /** `unsubscribed` is where a real invocation would have closed the connection. */
  readonly state: 'open' | 'completed' | 'failed' | 'unsubscribed';
  /** What `pauseWhile` said while the invocation was open. The fake plays on regardless. */
  readonly pauses: readonly { readonly frame: number; readonly paused: boolean }[];
}

/** Takes the place of `invokeWithResponseStream`, and records. */
export interface FakeInvoke extends InvokeWithResponseStream {
  /** In the order in which they were subscribed to. */
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
 * An `invokeWithResponseStream` that plays an Observable per function name.
 *
 *     table   h-a-b-(c|)    h: head, a, b: chunks, c: complete
 *     result  h-a-b-(c|)
 *     subs    ^-----!
 *
 * - **Emits** what the table's Observable emits, in the same frame: no promise stands between it and the pipeline,
 *   unless the input is a function that returns one.
 * - **Completes** right after a `complete` event, as a real invocation does.
 * - **Errors** with the Observable's error; with a `TruncatedStreamError` where the Observable completes without a
 *   `complete` event (none is needed after a head with status 204, which completes at once); with a `FunctionError` for
 *   a `complete` event that has an `errorCode`, unless `functionErrors: 'emit'`; with the SDK's
 *   ResourceNotFoundException for a name that the table lacks.
 * - **Unsubscribing** unsubscribes from the table's Observable.
 * - **Memory** all inputs, for as long as the fake lives.
 *
 * @example
 * const chat = cold('h-a-(c|)', { h: headEvent(), a: chunkEvent('Hi'), c: completeEvent() });
 * const invoke = fakeInvoke({ chat });
 * expectObservable(invoke(client, { FunctionName: 'chat' }).pipe(decodeText())).toBe('--t-|', { t: 'Hi' });
 * expectSubscriptions(chat.subscriptions).toBe('^---!');
 *
 * @param table - Answers by function name: an Observable, or a function of the invocation, for attempts that differ.
 */
export function fakeInvoke(table: FakeInvokeTable): FakeInvoke {
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
      // Played on regardless: what a marble diagram says happens.
      subscriber.add(
        options.pauseWhile?.subscribe({
          next: (paused) => pauses.push({ frame: asyncScheduler.now(), paused }),
          error: (error: unknown) => subscriber.error(error),
        }),
      );
      // Deferred, so that an answer that throws is recorded as failed.
      defer(() => answer(table, name, invocation))
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

function answer(table: FakeInvokeTable, name: string, invocation: FakeInvocation): Observable<LambdaStreamEvent> {
  const response = Object.hasOwn(table, name) ? table[name] : undefined;
  if (response !== undefined) return isObservable(response) ? response : response(invocation);
  return new Observable((subscriber) => {
    subscriber.error(
      serviceException('ResourceNotFoundException', { message: `Function not found: "${name}"`, Type: 'User' }),
    );
  });
}

/** A real invocation completes with its `complete` event or a 204, and with nothing else. */
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
          // A chunk whose buffer an earlier consumer gave away.
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
