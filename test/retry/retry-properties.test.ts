import fc from 'fast-check';
import { EMPTY, NEVER, Observable, concat, concatMap, from, map, of, throwError, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TruncatedStreamError } from '../../src/errors.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import { decodeText } from '../../src/decoding/decode-text.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { splitLines } from '../../src/decoding/split-lines.js';
import { createRetryBudget } from '../../src/retry/retry-budget.js';
import { retryInvocation } from '../../src/retry/retry-invocation.js';
import type { RetryInvocationOptions } from '../../src/retry/retry-options.js';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from '../../src/testing/index.js';
import { cuts, payloads } from '../support/payload-arbitraries.js';

const client = { send: () => Promise.reject(new Error('not used')) };
const truncated = new TruncatedStreamError({ functionName: 'f', chunks: 0, bytes: 0 });
const retrying = { idempotent: true, maxAttempts: Infinity, jitter: 'none' } as const;

type Cut = (bytes: Uint8Array) => Uint8Array[];

interface Cuts {
  /** Where attempts fail, in parts of what they had to send, and how each cuts its bytes. */
  readonly failures: readonly (readonly [part: number, cut: Cut])[];
  /** How the attempt after them does, which succeeds. */
  readonly last: Cut;
}
const cutPoints: fc.Arbitrary<Cuts> = fc.record({
  failures: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), cuts), { maxLength: 4 }),
  last: cuts,
});
const whole: Cuts = { failures: [], last: (bytes) => [bytes] };

/** The attempt that sends these bytes, or a part of them where it fails. */
function respond(bytes: Uint8Array, { failures, last }: Cuts, attempt = 1): Observable<LambdaStreamEvent> {
  const failure = failures[attempt - 1];
  const [part, cut] = failure ?? [1, last];
  const sent = cut(bytes.subarray(0, Math.floor(part * bytes.length))).map(chunkEvent);
  const end = failure === undefined ? of(completeEvent()) : throwError(() => truncated);
  return concat(of(headEvent()), from(sent), end);
}

/** All that a stream emits, in virtual time; a restart voids what came before it. */
function reduced<T>(
  source: Observable<LambdaStreamEvent>,
  decode: (events: Observable<LambdaStreamEvent>) => Observable<T>,
): T[] {
  let values: T[] = [];
  let end: unknown;
  new TestScheduler(() => undefined).run(({ flush }) => {
    const watched = source.pipe(
      map((event) => {
        if (event.type === 'retry' && event.mode === 'restart') values = [];
        return event;
      }),
    );
    decode(watched).subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => (end = error),
      complete: () => (end = 'complete'),
    });
    flush();
  });
  expect(end).toBe('complete');
  return values;
}

const text = (events: Observable<LambdaStreamEvent>): Observable<string> => events.pipe(decodeText());
const lines = (events: Observable<LambdaStreamEvent>): Observable<string> => events.pipe(splitLines());
const payload = (events: Observable<LambdaStreamEvent>): Observable<number> =>
  events.pipe(concatMap((event) => (event.type === 'chunk' ? from(event.payload) : EMPTY)));

/** Without the byte order mark, which decoding takes away from the start. */
const texts = fc.string({ unit: 'binary', maxLength: 40 }).map((all) => all.replaceAll('\u{feff}', ''));
const record = fc.record({ word: fc.string({ unit: 'grapheme', maxLength: 8 }) });
const records = fc.array(record, { maxLength: 8 }).map((list) => list.map((one, id) => ({ id, ...one })));
const toNdjson = (list: readonly object[]): Uint8Array =>
  new TextEncoder().encode(list.map((one) => `${JSON.stringify(one)}\n`).join(''));

describe('for any cut points', () => {
  describe.each(['restart', 'replay'] as const)('in mode %s', (afterFirstChunk) => {
    function retriedResponse(bytes: Uint8Array, points: Cuts): Observable<LambdaStreamEvent> {
      const invoke = fakeInvoke({ f: ({ attempt }) => respond(bytes, points, attempt) });
      return invoke(client, { FunctionName: 'f' }).pipe(retryInvocation({ ...retrying, afterFirstChunk }));
    }

    it('the bytes, the text and the lines equal those of one clean run', () => {
      fc.assert(
        fc.property(payloads, cutPoints, (bytes, points) => {
          const clean = respond(bytes, whole);
          expect(reduced(retriedResponse(bytes, points), payload)).toEqual([...bytes]);
          expect(reduced(retriedResponse(bytes, points), text).join('')).toBe(reduced(clean, text).join(''));
          expect(reduced(retriedResponse(bytes, points), lines)).toEqual(reduced(clean, lines));
        }),
      );
    });

    it('the records equal those of one clean run', () => {
      fc.assert(
        fc.property(records, cutPoints, (list, points) => {
          const response = retriedResponse(toNdjson(list), points);
          expect(reduced(response, (events) => events.pipe(parseNdjson()))).toEqual(list);
        }),
      );
    });
  });

  describe('in mode continue', () => {
    const config = { ...retrying, afterFirstChunk: 'continue' } as const;

    it("the records equal those of one clean run, with the last record's id for a cursor", () => {
      fc.assert(
        fc.property(records, cutPoints, (list, points) => {
          let after = -1;
          const invoke = fakeInvoke({
            f: ({ attempt, input }) => {
              const { after: cursor } = input.Payload as { after: number };
              return respond(toNdjson(list.filter(({ id }) => id > cursor)), points, attempt);
            },
          });
          const response = invoke(client, () => ({ FunctionName: 'f', Payload: { after } }));
          const received = reduced(response.pipe(retryInvocation(config)), (events) =>
            events.pipe(
              parseNdjson<(typeof list)[number]>(),
              map((one) => {
                after = one.id;
                return one;
              }),
            ),
          );
          expect(received).toEqual(list);
        }),
      );
    });

    it('the text equals that of one clean run, with the length of the text for a cursor', () => {
      fc.assert(
        fc.property(texts, cutPoints, (all, points) => {
          let length = 0;
          const invoke = fakeInvoke({
            f: ({ attempt, input }) =>
              respond(new TextEncoder().encode(all.slice((input.Payload as { from: number }).from)), points, attempt),
          });
          const response = invoke(client, () => ({ FunctionName: 'f', Payload: { from: length } }));
          const received = reduced(response.pipe(retryInvocation(config)), (events) =>
            events.pipe(
              decodeText(),
              map((part) => {
                length += part.length;
                return part;
              }),
            ),
          );
          expect(received.join('')).toBe(all);
        }),
      );
    });
  });
});

describe('in every interleaving', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const errors = fc.constantFrom<unknown>(
    truncated,
    serviceException('TooManyRequestsException'),
    serviceException('TooManyRequestsException', { retryAfterSeconds: 1 }),
    serviceException('SnapStartNotReadyException'),
    serviceException('InvalidZipFileException'),
    new TypeError('bug'),
    undefined,
  );
  const step = fc.oneof(
    fc.record({ waitMs: fc.integer({ min: 0, max: 50 }) }),
    fc.constantFrom<LambdaStreamEvent>(headEvent(), chunkEvent('a'), chunkEvent('b'), chunkEvent('')),
  );
  const attempt = fc.record({
    steps: fc.array(step, { maxLength: 5 }),
    end: fc.oneof(
      fc.record({ error: errors }),
      fc.constant<LambdaStreamEvent>(completeEvent()),
      fc.constant('silence' as const),
    ),
  });
  const config: fc.Arbitrary<RetryInvocationOptions> = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 5 }),
    initialDelayMs: fc.constantFrom(0, 1, 20),
    maxDelayMs: fc.constantFrom(0, 30, 1_000),
    maxRetryAfterMs: fc.constantFrom(500, 5_000),
    jitter: fc.constantFrom<NonNullable<RetryInvocationOptions['jitter']>>('full', 'none', () => 0.5),
    idempotent: fc.boolean(),
    afterFirstChunk: fc.constantFrom('error', 'restart', 'replay', 'continue'),
  });

  type Attempt = typeof attempt extends fc.Arbitrary<infer A> ? A : never;

  function play({ steps, end }: Attempt): Observable<LambdaStreamEvent> {
    const ending = end === 'silence' ? NEVER : 'error' in end ? throwError(() => end.error) : of(end);
    return concat(
      ...steps.map((one) => ('waitMs' in one ? timer(one.waitMs).pipe(concatMap(() => EMPTY)) : of(one))),
      ending,
    );
  }

  it('there is at most one terminal signal, nothing after it or after unsubscribing, and no timer left', () => {
    fc.assert(
      fc.property(
        fc.array(attempt, { minLength: 1, maxLength: 6 }),
        config,
        fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined }),
        (attempts, options, unsubscribeAtMs) => {
          let open = 0;
          let begun = 0;
          const source = new Observable<LambdaStreamEvent>((subscriber) => {
            open++;
            // One attempt is over before the next one begins.
            expect(open).toBe(1);
            subscriber.add(() => open--);
            play(attempts[begun++] ?? { steps: [], end: completeEvent() }).subscribe(subscriber);
          });
          const budget = createRetryBudget({ capacity: 10 });
          const seen: string[] = [];
          let retries = 0;
          const subscription = source.pipe(retryInvocation({ ...options, budget })).subscribe({
            next: (event) => {
              if (event.type === 'retry') {
                retries++;
                expect(event.attempt).toBe(retries + 1);
              }
              seen.push(event.type);
            },
            error: () => seen.push('error!'),
            complete: () => seen.push('complete!'),
          });
          vi.advanceTimersByTime(unsubscribeAtMs ?? 60_000);
          subscription.unsubscribe();
          const atEnd = { begun, seen: [...seen], timers: vi.getTimerCount() };
          vi.advanceTimersByTime(60_000);

          expect(atEnd.timers).toBe(0);
          expect(open).toBe(0);
          expect({ begun, seen, timers: 0 }).toEqual(atEnd);
          expect(seen.filter((one) => one.endsWith('!')).length).toBeLessThanOrEqual(1);
          expect(seen.slice(0, -1).some((one) => one.endsWith('!'))).toBe(false);
          expect(begun).toBeLessThanOrEqual(options.maxAttempts ?? 3);
          expect(begun).toBeGreaterThanOrEqual(retries);
          // Every token is either there, or was spent on a retry that was sent.
          expect(budget.tokens).toBeGreaterThanOrEqual(10 - 5 * (begun - 1));
        },
      ),
      { numRuns: 500 },
    );
  });
});
