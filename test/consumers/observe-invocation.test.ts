import { config, EMPTY, NEVER, of, Observable, Subject, take, throwError } from 'rxjs';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { observeInvocation, type InvocationReport } from '../../src/consumers/observe-invocation.js';
import { TruncatedStreamError } from '../../src/errors.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import { retryInvocation } from '../../src/retry/retry-invocation.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { serviceException } from '../../src/testing/service-exception.js';
import { coverOperator, events } from '../support/operator-coverage.js';
import { marbles } from '../support/marbles.js';

const { h, a, b, c } = events;

/** The operator, and an Observable of its reports, which a diagram can expect. */
function observed(source: Observable<LambdaStreamEvent>) {
  const reports = new Subject<InvocationReport>();
  return { reports, result: source.pipe(observeInvocation((report) => reports.next(report))) };
}

const report = (fields: Partial<InvocationReport> = {}): InvocationReport => ({
  outcome: 'complete',
  attempts: 1,
  requestIds: [],
  durationMs: 0,
  chunks: 0,
  bytes: 0,
  ...fields,
});

describe('observeInvocation', () => {
  test(
    'reports once, at the end, and passes every event on',
    marbles((m) => {
      const source = m.cold<LambdaStreamEvent>('-h-a--b---(c|)', events);
      const subscription = '                    ^---------!';
      const result = '                          -h-a--b---(c|)';
      const report = '                          ----------r';

      const reports = new Subject<InvocationReport>();
      const observed = source.pipe(observeInvocation((told) => reports.next(told)));
      m.expect(reports).toBeObservable(report, {
        r: {
          ...{ outcome: 'complete', attempts: 1, requestIds: ['r-1'], headMs: 1, firstChunkMs: 3, durationMs: 10 },
          ...{ chunks: 2, bytes: 2 },
        },
      });
      m.expect(observed).toBeObservable(result, { h, a, b, c });
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  test(
    'reports a failure with the very error',
    marbles((m) => {
      const cut = new Error('cut');
      const { reports, result } = observed(m.cold<LambdaStreamEvent>('-h-a--#', events, cut));
      m.expect(reports).toBeObservable('------r', {
        r: report({
          ...{ outcome: 'failed', requestIds: ['r-1'], headMs: 1, firstChunkMs: 3, durationMs: 6, chunks: 1, bytes: 1 },
          error: cut,
        }),
      });
      m.expect(result).toBeObservable('-h-a--#', { h, a }, cut);
    }),
  );

  test(
    'reports that the consumer left, once for each subscription',
    marbles((m) => {
      const { reports, result } = observed(m.cold<LambdaStreamEvent>('-h-a--b---(c|)', events));
      m.expect(reports).toBeObservable('-----r-s', {
        r: report({
          ...{
            outcome: 'cancelled',
            requestIds: ['r-1'],
            headMs: 1,
            firstChunkMs: 3,
            durationMs: 5,
            chunks: 1,
            bytes: 1,
          },
        }),
        s: report({ outcome: 'cancelled', requestIds: ['r-1'], headMs: 1, durationMs: 2 }),
      });
      m.expect(result, '^----!').toBeObservable('-h-a-', { h, a });
      m.expect(result, '-----^-!').toBeObservable('------h-', { h });
    }),
  );

  test(
    'counts the attempts of retryInvocation before it, and what each brought',
    marbles((m) => {
      const first = headEvent({ requestId: 'one', executedVersion: '1' });
      const second = headEvent({ requestId: 'two', executedVersion: '2' });
      const throttled = serviceException('TooManyRequestsException');
      const cut = new TruncatedStreamError({ functionName: 'f', chunks: 1, bytes: 1 });
      const answers = [
        m.cold<LambdaStreamEvent>('-#', {}, throttled),
        m.cold<LambdaStreamEvent>('-i-a-#', { ...events, i: first }, cut),
        m.cold<LambdaStreamEvent>('-j-b-(c|)', { ...events, j: second }),
      ];
      let subscriptions = 0;
      const source = new Observable<LambdaStreamEvent>((subscriber) => answers[subscriptions++]?.subscribe(subscriber));
      const retried = source.pipe(
        retryInvocation({
          initialDelayMs: 10,
          jitter: 'none',
          idempotent: true,
          afterFirstChunk: 'restart',
        }),
      );
      const { reports, result } = observed(retried);
      m.expect(reports).toBeObservable('41ms r', {
        r: report({
          ...{ attempts: 3, requestIds: ['one', 'two'], executedVersion: '2', headMs: 12, firstChunkMs: 14 },
          ...{ durationMs: 41, chunks: 2, bytes: 2 },
        }),
      });
      result.subscribe();
    }),
  );

  test(
    'does not count an attempt whose backoff the consumer did not wait for',
    marbles((m) => {
      const r = retryEvent({ attempt: 2, delayMs: 10 });
      const { reports, result } = observed(m.cold<LambdaStreamEvent>('-r-----------h', { r, h: headEvent() }));
      m.expect(reports).toBeObservable('-----s 9ms t', {
        s: report({ outcome: 'cancelled', durationMs: 5 }),
        t: report({ outcome: 'cancelled', attempts: 2, headMs: 13, durationMs: 15 }),
      });
      m.expect(result, '^----!').toBeObservable('-r---', { r });
      m.expect(result, '^--------------!').toBeObservable('-r-----------h-', { r, h: headEvent() });
    }),
  );

  test('counts a function that failed as failed where its failure is an event', () => {
    const reports: InvocationReport[] = [];
    const complete = completeEvent({ errorCode: 'Unhandled' });
    of(complete)
      .pipe(observeInvocation((told) => reports.push(told)))
      .subscribe();
    expect(reports).toEqual([expect.objectContaining({ outcome: 'failed', error: complete })]);
  });

  test('reports after the consumer was told of the end', () => {
    const order: string[] = [];
    const log = observeInvocation(({ outcome }) => order.push(outcome));
    of(c)
      .pipe(log)
      .subscribe({ complete: () => order.push('told of the completion') });
    throwError(() => new Error('cut'))
      .pipe(log)
      .subscribe({ error: () => order.push('told of the error') });
    of(h, a, c).pipe(log, take(1)).subscribe();
    expect(order).toEqual(['told of the completion', 'complete', 'told of the error', 'failed', 'cancelled']);
  });

  describe('when the observer throws', () => {
    afterEach(() => {
      config.onUnhandledError = null;
    });

    test.each([
      ['completes', of(h, a, c), ['head', 'chunk', 'complete', 'end']],
      ['fails', throwError(() => new Error('cut')), ['cut']],
    ] as const)('reports that to the host and leaves a stream alone that %s', async (_, source, expected) => {
      const thrown = new Error('from the observer');
      const reported = new Promise((resolve) => (config.onUnhandledError = resolve));
      const seen: string[] = [];
      (source as Observable<LambdaStreamEvent>)
        .pipe(
          observeInvocation(() => {
            throw thrown;
          }),
        )
        .subscribe({
          next: ({ type }) => seen.push(type),
          error: (error: unknown) => seen.push((error as Error).message),
          complete: () => seen.push('end'),
        });
      expect(seen).toEqual(expected);
      expect(await reported).toBe(thrown);
    });

    test('does not throw into the consumer that leaves', async () => {
      const thrown = new Error('from the observer');
      const reported = new Promise((resolve) => (config.onUnhandledError = resolve));
      const subscription = NEVER.pipe(
        observeInvocation(() => {
          throw thrown;
        }),
      ).subscribe();
      subscription.unsubscribe();
      expect(await reported).toBe(thrown);
    });
  });

  test('refuses an observer that cannot be called, at the call', () => {
    expect(() => observeInvocation({ next: () => undefined } as unknown as () => void)).toThrow(
      new TypeError('observeInvocation: observer must be a function, not an object'),
    );
  });

  test('takes and gives events', () => {
    expectTypeOf(EMPTY.pipe(observeInvocation(() => undefined))).toEqualTypeOf<Observable<LambdaStreamEvent>>();
  });

  test('reports the bytes of chunks, not their number of characters', () => {
    let bytes = 0;
    of(chunkEvent('€'), chunkEvent(''))
      .pipe(observeInvocation((told) => (bytes = told.bytes)))
      .subscribe();
    expect(bytes).toBe(3);
  });
});

coverOperator<LambdaStreamEvent>('observeInvocation', {
  operator: () => observeInvocation(() => undefined),
  never: ['--------------'],
  empty: ['--|'],
  one: ['-h-a-(c|)', { h, a, c }],
  many: ['-h-ab--a--(c|)', { h, a, b, c }],
  error: ['-h-a--#', { h, a }],
  itemsForFirst: 1,
});
