import type { Context } from 'rxjs-marbles';
import {
  defer,
  ignoreElements,
  map,
  of,
  repeat,
  retry,
  take,
  tap,
  throwError,
  timeout,
  timer,
  mergeMap,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FunctionError, ReplayMismatchError, TruncatedStreamError } from '../../src/errors.js';
import type { LambdaStreamEvent, RetryEvent } from '../../src/events.js';
import { createRetryBudget } from '../../src/retry/retry-budget.js';
import { retryInvocation } from '../../src/retry/retry-invocation.js';
import type { RetryInvocationOptions } from '../../src/retry/retry-options.js';
import { chunkEvent, completeEvent, headEvent, retryEvent, serviceException } from '../../src/testing/index.js';
import { shareInvocation } from '../../src/consumers/share-invocation.js';
import { marbles } from '../support/marbles.js';

const events = { h: headEvent(), a: chunkEvent('a'), b: chunkEvent('b'), d: chunkEvent('d'), c: completeEvent() };
const throttled = serviceException('TooManyRequestsException');
const notReady = serviceException('SnapStartNotReadyException');
const truncated = new TruncatedStreamError({ functionName: 'f', chunks: 0, bytes: 0 });

/** Without randomness, and with waits that fit into a diagram. */
const exact = { jitter: 'none', initialDelayMs: 10 } as const;

/** A source whose subscriptions are these attempts, one after the other. */
function attempts(...sources: readonly Observable<LambdaStreamEvent>[]): Observable<LambdaStreamEvent> {
  let next = 0;
  return defer(() => sources[next++] ?? throwError(() => new Error('More attempts than the test has')));
}

/** A retry's event: 10 ms, nothing delivered, unless stated. */
function retried(partial: Partial<RetryEvent> = {}): RetryEvent {
  return retryEvent({ delayMs: 10, error: throttled, ...partial });
}

/** Runs the attempts, each a diagram and an error, and compares the result and each attempt's subscription. */
function expectAttempts(
  m: Context,
  config: RetryInvocationOptions,
  list: readonly (readonly [source: string, subscription: string, error?: unknown])[],
  result: string,
  values: Record<string, LambdaStreamEvent> = {},
  error?: unknown,
): void {
  const all = { ...events, ...values };
  const sources = list.map(([source, , failure]) => m.cold(source, all, failure));
  m.expect(attempts(...sources).pipe(retryInvocation({ ...exact, ...config }))).toBeObservable(result, all, error);
  sources.forEach((source, index) => m.expect(source).toHaveSubscriptions(list[index]?.[1] ?? []));
}

describe('retryInvocation', () => {
  it(
    'tries a throttled invocation again after the backoff',
    marbles((m) => {
      // prettier-ignore
      {
        const first = m.cold( '-#                ', events, throttled);
        const firstSubs =     '^!                ';
        const second = m.cold('       --h-a-(c|) ', events);
        const secondSubs =    '-- 9ms ^-----!    ';
        const result =        '-r 9ms --h-a-(c|) ';
        const source = attempts(first, second);
        m.expect(source.pipe(retryInvocation(exact))).toBeObservable(result, { ...events, r: retried() });
        m.expect(first).toHaveSubscriptions(firstSubs);
        m.expect(second).toHaveSubscriptions(secondSubs);
      }
    }),
  );

  describe('without a failure', () => {
    it(
      'passes everything through',
      marbles((m) => expectAttempts(m, {}, [['h-a-b-(c|)', '^-----!']], 'h-a-b-(c|)')),
    );
    it(
      'stays open on a source that never ends',
      marbles((m) => expectAttempts(m, {}, [['-', '^']], '-')),
    );
    it(
      'completes with an empty source',
      marbles((m) => expectAttempts(m, {}, [['|', '(^!)']], '|')),
    );
    it(
      'stops a synchronous source when its subscriber has enough',
      marbles((m) => {
        const endless = of(events.a).pipe(repeat());
        m.expect(endless.pipe(retryInvocation(), take(2))).toBeObservable('(aa|)', events);
      }),
    );
  });

  describe('goes by the verdict', () => {
    it(
      'passes an error on at once where the verdict is never',
      marbles((m) => {
        const error = serviceException('InvalidZipFileException');
        expectAttempts(m, {}, [['h-#', '^-!', error]], 'h-#', {}, error);
      }),
    );

    it(
      'doubles the delay with each retry where the verdict is soon, up to maxDelayMs',
      marbles((m) => {
        // prettier-ignore
        expectAttempts(m, { maxAttempts: 4, maxDelayMs: 30 }, [
          ['-#',     '^!',            throttled],
          ['-#',     '11ms ^!',       throttled],
          ['-#',     '32ms ^!',       throttled],
          ['h-(c|)', '63ms ^-!'],
        ],
          '-r 10ms s 20ms t 29ms h-(c|)',
          { r: retried(), s: retried({ attempt: 3, delayMs: 20 }), t: retried({ attempt: 4, delayMs: 30 }) });
      }),
    );

    it(
      'starts at ten times the delay and grows by half where it is later',
      marbles((m) => {
        const r = retried({ delayMs: 100, error: notReady });
        const s = retried({ delayMs: 150, error: notReady, attempt: 3 });
        // prettier-ignore
        expectAttempts(m, {}, [
          ['-#',     '^!',       notReady],
          ['-#',     '101ms ^!', notReady],
          ['h-(c|)', '252ms ^-!'],
        ],
          '-r 100ms s 149ms h-(c|)', { r, s });
      }),
    );

    it(
      'goes at once where the SDK has corrected its clock',
      marbles((m) => {
        const skewed = serviceException('InvalidSignatureException', {
          $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
        });
        const r = retried({ delayMs: 0, error: skewed });
        // prettier-ignore
        expectAttempts(m, {}, [
          ['-#',     '^!', skewed],
          ['-h-(c|)', '-^--!'],
        ],
          '-rh-(c|)', { r });
      }),
    );

    it(
      'passes an error on after which the function may have run',
      marbles((m) => expectAttempts(m, {}, [['h-#', '^-!', truncated]], 'h-#', {}, truncated)),
    );

    it(
      'tries it again where the call is idempotent',
      marbles((m) => {
        expectAttempts(
          m,
          { idempotent: true },
          [
            ['h-#', '^-!', truncated],
            ['h-(c|)', '12ms ^-!'],
          ],
          'h-r 9ms h-(c|)',
          { r: retried({ error: truncated }) },
        );
      }),
    );

    it(
      'never retries a FunctionError, unless classify says so',
      marbles((m) => {
        const failed = new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '' });
        expectAttempts(m, { idempotent: true }, [['h-#', '^-!', failed]], 'h-#', {}, failed);
        expectAttempts(
          m,
          { classify: () => ({ verdict: 'soon', mayHaveRun: false }) },
          [
            ['h-#', '^-!', failed],
            ['h-(c|)', '12ms ^-!'],
          ],
          'h-r 9ms h-(c|)',
          { r: retried({ error: failed }) },
        );
      }),
    );
  });

  describe('counts attempts', () => {
    it(
      'maxAttempts counts the first one, and the last error passes through',
      marbles((m) => {
        const last = serviceException('ServiceException');
        // prettier-ignore
        expectAttempts(m, {}, [
          ['-#', '^!',       throttled],
          ['-#', '11ms ^!',  throttled],
          ['-#', '32ms ^!',  last],
        ],
          '-r 10ms s 20ms #', { r: retried(), s: retried({ attempt: 3, delayMs: 20 }) }, last);
      }),
    );

    it(
      'maxAttempts: 1 retries nothing',
      marbles((m) => expectAttempts(m, { maxAttempts: 1 }, [['-#', '^!', throttled]], '-#', {}, throttled)),
    );

    it(
      'counts for each subscription anew',
      marbles((m) => {
        const source = m.cold('-#', events, throttled);
        const result = source.pipe(retryInvocation({ ...exact, maxAttempts: 2 }));
        m.expect(result).toBeObservable('-r 10ms #', { r: retried() }, throttled);
        m.expect(result).toBeObservable('-r 10ms #', { r: retried() }, throttled);
        m.expect(source).toHaveSubscriptions(['^!', '^!', '11ms ^!', '11ms ^!']);
      }),
    );

    it(
      'does not grow the stack on a source that fails synchronously without a delay',
      marbles((m) => {
        let count = 0;
        const source = defer(() => {
          count++;
          return throwError(() => throttled);
        });
        const many = retryInvocation({ maxAttempts: 20_000, initialDelayMs: 0 });
        const last = source.pipe(many, ignoreElements());
        m.expect(last).toBeObservable('#', {}, throttled);
        m.flush();
        expect(count).toBe(20_000);
      }),
    );
  });

  describe('waits', () => {
    afterEach(() => {
      vi.restoreAllMocks();
      vi.useRealTimers();
    });

    it(
      'a random part of the full delay by default',
      marbles((m) => {
        vi.spyOn(Math, 'random').mockReturnValueOnce(0.25).mockReturnValueOnce(0);
        // prettier-ignore
        expectAttempts(m, { jitter: 'full', initialDelayMs: 40 }, [
          ['-#',      '^!',       throttled],
          ['-#',      '11ms ^!',  throttled],
          ['-h-(c|)', '12ms ^--!'],
        ],
          '-r 10ms sh-(c|)', { r: retried(), s: retried({ attempt: 3, delayMs: 0 }) });
      }),
    );

    it(
      'the part that a jitter function says',
      marbles((m) => {
        expectAttempts(
          m,
          { jitter: () => 0.5, initialDelayMs: 20 },
          [
            ['-#', '^!', throttled],
            ['h-(c|)', '11ms ^-!'],
          ],
          '-r 9ms h-(c|)',
          { r: retried() },
        );
      }),
    );

    it.each([
      ['retryAfterSeconds', serviceException('TooManyRequestsException', { retryAfterSeconds: 8 })],
      [
        'Retry-After in seconds',
        serviceException('ServiceException', { $response: { headers: { 'retry-after': '8' } } }),
      ],
      [
        'Retry-After as a date',
        serviceException('ServiceException', {
          $response: {
            headers: { date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:49:45 GMT' },
          },
        }),
      ],
      [
        'x-amz-retry-after',
        serviceException('ServiceException', { $response: { headers: { 'x-amz-retry-after': '8000' } } }),
      ],
    ])('8 seconds in full for %s', (_, error) => {
      marbles((m) => {
        expectAttempts(
          m,
          {},
          [
            ['-#', '^!', error],
            ['h-(c|)', '8001ms ^-!'],
          ],
          '-r 7999ms h-(c|)',
          { r: retried({ delayMs: 8_000, error }) },
        );
      })();
    });

    it(
      'longer than a Retry-After that is shorter than the backoff',
      marbles((m) => {
        const error = serviceException('ServiceException', { $response: { headers: { 'x-amz-retry-after': '3' } } });
        expectAttempts(
          m,
          {},
          [
            ['-#', '^!', error],
            ['h-(c|)', '11ms ^-!'],
          ],
          '-r 9ms h-(c|)',
          { r: retried({ error }) },
        );
      }),
    );

    it(
      'not at all for a Retry-After over maxRetryAfterMs: the error passes through at once',
      marbles((m) => {
        const error = serviceException('TooManyRequestsException', { retryAfterSeconds: 8 });
        expectAttempts(m, { maxRetryAfterMs: 7_999 }, [['-#', '^!', error]], '-#', {}, error);
        expectAttempts(
          m,
          { maxRetryAfterMs: 8_000 },
          [
            ['-#', '^!', error],
            ['h-(c|)', '8001ms ^-!'],
          ],
          '-r 7999ms h-(c|)',
          { r: retried({ delayMs: 8_000, error }) },
        );
      }),
    );

    it(
      'send nothing more once they are unsubscribed from',
      marbles((m) => {
        const source = m.cold('-#', events, throttled);
        m.expect(source.pipe(retryInvocation(exact)), '^----!').toBeObservable('-r----', { r: retried() });
        m.expect(source).toHaveSubscriptions('^!');
      }),
    );

    it('leave no timer once they are unsubscribed from', () => {
      vi.useFakeTimers();
      const failing = throwError(() => throttled);
      const subscription = failing.pipe(retryInvocation(exact)).subscribe();
      expect(vi.getTimerCount()).toBe(1);
      subscription.unsubscribe();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('leave no timer where the retry event is answered by unsubscribing', () => {
      vi.useFakeTimers();
      let attemptCount = 0;
      const failing = defer(() => {
        attemptCount++;
        return throwError(() => throttled);
      });
      failing.pipe(retryInvocation(exact), take(1)).subscribe();
      expect(vi.getTimerCount()).toBe(0);
      vi.runAllTimers();
      expect(attemptCount).toBe(1);
    });
  });

  it(
    'unsubscribes from the attempt that runs',
    marbles((m) => {
      const first = m.cold('-#', events, throttled);
      const second = m.cold('h-a-b', events);
      const result = attempts(first, second).pipe(retryInvocation(exact));
      m.expect(result, '13ms !').toBeObservable('-r 9ms h-', { ...events, r: retried() });
      m.expect(second).toHaveSubscriptions('11ms ^-!');
    }),
  );

  describe("afterFirstChunk: 'error'", () => {
    it(
      'passes on whatever fails after the first chunk',
      marbles((m) => expectAttempts(m, { idempotent: true }, [['h-a-#', '^---!', throttled]], 'h-a-#', {}, throttled)),
    );
  });

  describe("afterFirstChunk: 'restart'", () => {
    const config = { afterFirstChunk: 'restart', idempotent: true } as const;

    it(
      'announces that what was delivered is void, and delivers from the start',
      marbles((m) => {
        const r = retried({ mode: 'restart', error: truncated, delivered: { chunks: 2, bytes: 2 } });
        expectAttempts(
          m,
          config,
          [
            ['h-a-b-#', '^-----!', truncated],
            ['h-a-b-d-(c|)', '16ms ^-------!'],
          ],
          'h-a-b-r 9ms h-a-b-d-(c|)',
          { r },
        );
      }),
    );

    it(
      'counts what was delivered from the restart on',
      marbles((m) => {
        const r = retried({ mode: 'restart', error: truncated, delivered: { chunks: 2, bytes: 2 } });
        const s = retried({
          mode: 'restart',
          error: truncated,
          attempt: 3,
          delayMs: 20,
          delivered: { chunks: 1, bytes: 1 },
        });
        const t = retried({ mode: 'fresh', error: truncated, attempt: 4, delayMs: 40 });
        // prettier-ignore
        expectAttempts(m, { ...config, maxAttempts: 4 }, [
          ['hab#',   '^--!',       truncated],
          ['ha#',    '13ms ^-!',   truncated],
          ['h#',     '35ms ^!',    truncated],
          ['ha(c|)', '76ms ^-!'],
        ],
          'habr 9ms has 19ms ht 39ms ha(c|)', { r, s, t });
      }),
    );

    it(
      'needs idempotent as well where the function may have run',
      marbles((m) => {
        expectAttempts(m, { afterFirstChunk: 'restart' }, [['h-a-#', '^---!', truncated]], 'h-a-#', {}, truncated);
      }),
    );
  });

  describe("afterFirstChunk: 'replay'", () => {
    const config = { afterFirstChunk: 'replay', idempotent: true } as const;
    const r = retried({ mode: 'replay', error: truncated, delivered: { chunks: 2, bytes: 2 } });

    it(
      'holds back what was delivered, and goes on where it stopped',
      marbles((m) => {
        expectAttempts(
          m,
          config,
          [
            ['h-a-b-#', '^-----!', truncated],
            ['h-a-b-d-(c|)', '16ms ^-------!'],
          ],
          'h-a-b-r 9ms h-----d-(c|)',
          { r },
        );
      }),
    );

    it(
      'holds back unknown events among what was delivered, and delivers those behind it',
      marbles((m) => {
        const u: LambdaStreamEvent = { type: 'unknown', eventType: 'New', headers: {}, payload: new Uint8Array() };
        expectAttempts(
          m,
          config,
          [
            ['h-u-ab-#', '^------!', truncated],
            ['h-u-aubud(c|)', '17ms ^--------!'],
          ],
          'h-u-ab-r 9ms h------ud(c|)',
          { r, u },
        );
      }),
    );

    it(
      'delivers the rest of a chunk that was cut elsewhere',
      marbles((m) => {
        const values = { x: chunkEvent('abd'), e: chunkEvent('') };
        expectAttempts(
          m,
          config,
          [
            ['h-a-b-#', '^-----!', truncated],
            ['h-e-x-(c|)', '16ms ^-----!'],
          ],
          'h-a-b-r 9ms h---d-(c|)',
          { r, ...values },
        );
      }),
    );

    it(
      'survives a failure within the replay',
      marbles((m) => {
        const s = { ...r, attempt: 3, delayMs: 20 };
        // prettier-ignore
        expectAttempts(m, config, [
          ['hab#',    '^--!',     truncated],
          ['ha#',     '13ms ^-!', truncated],
          ['habd(c|)', '35ms ^---!'],
        ],
          'habr 9ms h-s 19ms h--d(c|)', { r, s });
      }),
    );

    it(
      'errors with a ReplayMismatchError as soon as other bytes came',
      marbles((m) => {
        const error = new ReplayMismatchError('the function sent other bytes this time', {
          deliveredBytes: 2,
          cause: truncated,
        });
        expectAttempts(
          m,
          // Not even `classify` can have it retried.
          { ...config, classify: () => ({ verdict: 'soon', mayHaveRun: false }) },
          [
            ['h-a-b-#', '^-----!', truncated],
            ['h-a-d-b', '16ms ^---!'],
          ],
          'h-a-b-r 9ms h---#',
          { r },
          error,
        );
      }),
    );

    it(
      'errors with a ReplayMismatchError where the replay completes too early',
      marbles((m) => {
        const error = new ReplayMismatchError('it ended 1 bytes short', { deliveredBytes: 2, cause: truncated });
        expectAttempts(
          m,
          config,
          [
            ['h-a-b-#', '^-----!', truncated],
            ['h-a-(c|)', '16ms ^---!'],
          ],
          'h-a-b-r 9ms h---#',
          { r },
          error,
        );
      }),
    );

    it(
      'holds back events of unknown types within what was delivered',
      marbles((m) => {
        const u: LambdaStreamEvent = { type: 'unknown', eventType: 'New', headers: {}, payload: new Uint8Array() };
        expectAttempts(
          m,
          config,
          [
            ['h-aub-#', '^-----!', truncated],
            ['h-aubu(c|)', '16ms ^-----!'],
          ],
          'h-aub-r 9ms h----u(c|)',
          { r, u },
        );
      }),
    );

    it(
      'is a fresh attempt where nothing was delivered',
      marbles((m) => {
        expectAttempts(
          m,
          config,
          [
            ['h-#', '^-!', truncated],
            ['ha(c|)', '12ms ^-!'],
          ],
          'h-r 9ms ha(c|)',
          { r: retried({ error: truncated }) },
        );
      }),
    );
  });

  describe("afterFirstChunk: 'continue'", () => {
    it(
      'delivers on what the next attempt brings, and counts it all',
      marbles((m) => {
        const r = retried({ mode: 'continue', error: truncated, delivered: { chunks: 1, bytes: 1 } });
        const s = retried({ ...r, attempt: 3, delayMs: 20, delivered: { chunks: 2, bytes: 2 } });
        // prettier-ignore
        expectAttempts(m, { afterFirstChunk: 'continue', idempotent: true }, [
          ['ha#',     '^-!',      truncated],
          ['hb#',     '12ms ^-!', truncated],
          ['hd(c|)',  '34ms ^-!'],
        ],
          'har 9ms hbs 19ms hd(c|)', { r, s });
      }),
    );
  });

  describe('classify', () => {
    it(
      'overrides the verdict on one error, and falls back to the default for others',
      marbles((m) => {
        const conflict = serviceException('ResourceConflictException');
        const classify: RetryInvocationOptions['classify'] = (error) =>
          error === conflict ? { verdict: 'soon', mayHaveRun: false, retryAfterMs: 0 } : undefined;
        const r = retried({ delayMs: 0, error: conflict });
        const s = retried({ delayMs: 150, error: notReady, attempt: 3 });
        // prettier-ignore
        expectAttempts(m, { classify }, [
          ['-#',     '^!',   conflict],
          ['-#',     '-^!',  notReady],
          ['h-(c|)', '152ms ^-!'],
        ],
          '-rs 149ms h-(c|)', { r, s });
      }),
    );

    it.each([true, 'soon', {}, { verdict: 'now', mayHaveRun: false }, { verdict: 'soon' }])(
      'returning %j is a TypeError of the stream: nothing is retried by mistake',
      (returned) => {
        let error: unknown;
        throwError(() => throttled)
          .pipe(retryInvocation({ classify: () => returned as never }))
          .subscribe({ error: (reason: unknown) => (error = reason) });
        expect(error).toBeInstanceOf(TypeError);
        expect(String(error)).toContain('retryInvocation: classify() must be { verdict, mayHaveRun }');
      },
    );

    it(
      'passes on what it throws',
      marbles((m) => {
        const bug = new TypeError('bug');
        const classify = () => {
          throw bug;
        };
        expectAttempts(m, { classify }, [['-#', '^!', throttled]], '-#', {}, bug);
      }),
    );
  });

  describe('refuses options: ', () => {
    it.each<RetryInvocationOptions>([
      { maxAttempts: 0 },
      { maxAttempts: 1.5 },
      { maxAttempts: NaN },
      { maxAttempts: -1 },
      { initialDelayMs: -1 },
      { initialDelayMs: NaN },
      { maxDelayMs: 2 ** 31 },
      { maxRetryAfterMs: 2 ** 31 },
      { maxRetryAfterMs: -1 },
    ])('%o', (config) => {
      expect(() => retryInvocation(config)).toThrow(RangeError);
    });

    it.each<RetryInvocationOptions>([
      { jitter: 'half' as never },
      { jitter: 0.5 as never },
      { afterFirstChunk: 'resume' as never },
      3 as never,
      { budget: 100 as never },
      { idempotent: 'yes' as never },
    ])('a TypeError for %o', (config) => {
      expect(() => retryInvocation(config)).toThrow(TypeError);
      expect(() => retryInvocation(config)).toThrow(/^retryInvocation: /);
    });

    it.each([NaN, -0.1, 1.1, Infinity])(
      'a jitter of %d is a RangeError of the stream, and costs the budget nothing',
      (value) => {
        const budget = createRetryBudget();
        let error: unknown;
        throwError(() => truncated)
          .pipe(retryInvocation({ idempotent: true, jitter: () => value, budget }))
          .subscribe({ error: (reason: unknown) => (error = reason) });
        expect(error).toBeInstanceOf(RangeError);
        expect(budget.tokens).toBe(500);
      },
    );

    it('a jitter that throws is the stream’s error, and costs the budget nothing', () => {
      const budget = createRetryBudget();
      const broken = new Error('no randomness');
      const jitter = (): number => {
        throw broken;
      };
      let error: unknown;
      throwError(() => truncated)
        .pipe(retryInvocation({ idempotent: true, jitter, budget }))
        .subscribe({ error: (reason: unknown) => (error = reason) });
      expect([error, budget.tokens]).toEqual([broken, 500]);
    });

    it('maxDelayMs of Infinity is no limit', () => {
      expect(() => retryInvocation({ maxDelayMs: Infinity, maxRetryAfterMs: Infinity })).not.toThrow();
    });

    it('nothing within the ranges', () => {
      const limits: RetryInvocationOptions[] = [
        {},
        { maxAttempts: Infinity },
        { initialDelayMs: 0, maxDelayMs: 0, maxRetryAfterMs: 0 },
        { maxDelayMs: 2 ** 31 - 1, maxRetryAfterMs: 2 ** 31 - 1 },
      ];
      for (const config of limits) expect(() => retryInvocation(config)).not.toThrow();
    });
  });
});

describe('composition', () => {
  it(
    'timeout before it bounds each attempt, and is retried where the call is idempotent',
    marbles((m) => {
      const silent = m.cold('-------', events);
      const good = m.cold('-h-a-(c|)', events);
      const seen: unknown[] = [];
      const result = attempts(silent, good).pipe(
        timeout({ first: 5, each: 10 }),
        retryInvocation({ ...exact, idempotent: true }),
        tap((event) => {
          if (event.type === 'retry') seen.push((event.error as Error).name);
        }),
        map(({ type }) => type),
      );
      m.expect(result).toBeObservable('-----r 9ms -h-a-(c|)', { r: 'retry', h: 'head', a: 'chunk', c: 'complete' });
      m.expect(silent).toHaveSubscriptions('^----!');
      m.flush();
      expect(seen).toEqual(['TimeoutError']);
    }),
  );

  it(
    'shareInvocation after it shares the attempts: one request each, and a late subscriber sees all of it',
    marbles((m) => {
      const first = m.cold('-#', events, throttled);
      const second = m.cold('h-a-------b-(c|)', events);
      const shared = attempts(first, second).pipe(retryInvocation(exact), shareInvocation());
      const late = timer(14).pipe(mergeMap(() => shared));
      m.expect(shared).toBeObservable('-r 9ms h-a-------b-(c|)', { ...events, r: retried() });
      m.expect(late.pipe(map(({ type }) => type))).toBeObservable('14ms (rha)--b-(c|)', {
        r: 'retry',
        h: 'head',
        a: 'chunk',
        b: 'chunk',
        c: 'complete',
      });
      m.expect(first).toHaveSubscriptions('^!');
      m.expect(second).toHaveSubscriptions('11ms ^-----------!');
    }),
  );

  it(
    "RxJS's own retry with resetOnSuccess never ends: each attempt's head counts as a success",
    marbles((m) => {
      const source = m.cold('h#', events, truncated);
      const own: MonoTypeOperatorFunction<LambdaStreamEvent> = retry({ count: 2, delay: 1, resetOnSuccess: true });
      m.expect(source.pipe(own), '^ 9ms !').toBeObservable('h-h-h-h-h-', events);
      m.expect(source.pipe(own, take(100))).toBeObservable(`${'h-'.repeat(99)}(h|)`, events);
      m.expect(source.pipe(retryInvocation({ ...exact, initialDelayMs: 1, idempotent: true }))).toBeObservable(
        'hrhs-h#',
        {
          ...events,
          r: retried({ delayMs: 1, error: truncated }),
          s: retried({ delayMs: 2, error: truncated, attempt: 3 }),
        },
        truncated,
      );
    }),
  );
});
