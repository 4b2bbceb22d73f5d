import { defer, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { createRetryBudget, type RetryBudget } from '../../src/retry/retry-budget.js';
import { retryInvocation } from '../../src/retry/retry-invocation.js';
import type { RetryInvocationOptions } from '../../src/retry/retry-options.js';
import { completeEvent, retryEvent, serviceException } from '../../src/testing/index.js';
import { marbles } from '../support/marbles.js';

const throttled = serviceException('TooManyRequestsException');

/** A service that fails so many calls in a row, and counts all. */
function createService(failures: number): { calls: number; invoke(): Observable<LambdaStreamEvent> } {
  const service = {
    calls: 0,
    invoke: () => defer(() => (service.calls++ < failures ? throwError(() => throttled) : of(completeEvent()))),
  };
  return service;
}

/** Runs a stream, and adds how it ended to the list. */
function run(
  source: Observable<LambdaStreamEvent>,
  config: RetryInvocationOptions & { readonly budget: RetryBudget },
  ends: unknown[] = [],
): unknown[] {
  source.pipe(retryInvocation({ jitter: 'none', initialDelayMs: 10, ...config })).subscribe({
    error: (error: unknown) => ends.push(error),
    complete: () => ends.push('complete'),
  });
  return ends;
}

describe('createRetryBudget', () => {
  it(
    'keeps 1,000 streams of three attempts from storming a service that fails every call: 1,100 requests, not 3,000',
    marbles((m) => {
      const budget = createRetryBudget();
      const service = createService(Infinity);
      const ends: unknown[] = [];
      for (let i = 0; i < 1_000; i++) run(service.invoke(), { maxAttempts: 3, budget }, ends);
      m.flush();
      expect(service.calls).toBe(1_100);
      expect(budget.tokens).toBe(0);
      expect(ends).toHaveLength(1_000);
      expect(new Set(ends)).toEqual(new Set([throttled]));
    }),
  );

  it(
    'without a budget the same streams send 3,000 requests',
    marbles((m) => {
      const service = createService(Infinity);
      for (let i = 0; i < 1_000; i++) {
        service
          .invoke()
          .pipe(retryInvocation({ maxAttempts: 3 }))
          .subscribe({ error: () => undefined });
      }
      m.flush();
      expect(service.calls).toBe(3_000);
    }),
  );

  it(
    'passes the error through at once where it is empty',
    marbles((m) => {
      const budget = createRetryBudget({ capacity: 5 });
      expect(budget.takeRetry()).toBe(true);
      const source = m.cold('-#', {}, throttled);
      m.expect(source.pipe(retryInvocation({ budget }))).toBeObservable('-#', {}, throttled);
      m.expect(source).toHaveSubscriptions('^!');
    }),
  );

  it(
    'is refilled by successes: a retry that succeeds gives its tokens back',
    marbles((m) => {
      const budget = createRetryBudget();
      const ends = run(createService(2).invoke(), { budget });
      expect(budget.tokens).toBe(495);
      m.flush();
      expect(ends).toEqual(['complete']);
      // Two retries took 10; the one that succeeded gives its 5 back.
      expect(budget.tokens).toBe(495);
    }),
  );

  it('is refilled by successes: each at the first attempt gives a token, up to the capacity', () => {
    const budget = createRetryBudget({ capacity: 10 });
    expect(budget.takeRetry()).toBe(true);
    for (let successes = 1; successes <= 7; successes++) {
      run(createService(0).invoke(), { budget });
      expect(budget.tokens).toBe(Math.min(10, 5 + successes));
    }
  });

  it(
    'gets back what a retry would have cost that was not sent',
    marbles((m) => {
      const budget = createRetryBudget();
      const subscription = createService(1).invoke().pipe(retryInvocation({ budget })).subscribe();
      expect(budget.tokens).toBe(495);
      subscription.unsubscribe();
      expect(budget.tokens).toBe(500);
      m.flush();
      expect(budget.tokens).toBe(500);
    }),
  );

  it(
    'does not get back what was sent and cancelled, or failed',
    marbles((m) => {
      const budget = createRetryBudget();
      const sent = m.cold('-#', {}, throttled);
      const cancelled = sent.pipe(retryInvocation({ budget, jitter: 'none', initialDelayMs: 1 }));
      m.expect(cancelled, '^--!').toBeObservable('-r--', { r: retryEvent({ delayMs: 1, error: throttled }) });
      m.expect(sent).toHaveSubscriptions(['^!', '--^!']);
      m.flush();
      expect(budget.tokens).toBe(495);
      run(createService(Infinity).invoke(), { budget, maxAttempts: 2 });
      m.flush();
      expect(budget.tokens).toBe(490);
    }),
  );

  it('is not touched by errors that are not retried', () => {
    const budget = createRetryBudget();
    const never = serviceException('InvalidZipFileException');
    expect(
      run(
        throwError(() => never),
        { budget },
      ),
    ).toEqual([never]);
    const late = serviceException('TooManyRequestsException', { retryAfterSeconds: 61 });
    expect(
      run(
        throwError(() => late),
        { budget },
      ),
    ).toEqual([late]);
    expect(
      run(
        throwError(() => throttled),
        { budget, maxAttempts: 1 },
      ),
    ).toEqual([throttled]);
    expect(budget.tokens).toBe(500);
  });

  it('takes its sizes from the options', () => {
    const budget = createRetryBudget({ capacity: 7, retryCost: 3, successRefund: 2 });
    expect([budget.takeRetry(), budget.takeRetry(), budget.takeRetry(), budget.tokens]).toEqual([true, true, false, 1]);
    budget.addSuccess();
    expect(budget.tokens).toBe(3);
    budget.returnRetry();
    expect(budget.tokens).toBe(6);
    budget.returnRetry();
    expect(budget.tokens).toBe(7);
  });

  it.each([
    { capacity: 0 },
    { capacity: -1 },
    { capacity: NaN },
    { capacity: Infinity },
    { retryCost: 0 },
    { successRefund: -1 },
    { capacity: 4, retryCost: 5 },
  ])('throws a RangeError for %o', (options) => {
    expect(() => createRetryBudget(options)).toThrow(RangeError);
  });
});
