import { concat, EMPTY, from, map, NEVER, of, Subject, timer, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isLambdaStreamError, LogUnavailableError } from '../../src/errors.js';
import type { LambdaStreamEvent } from '../../src/events.js';
import {
  followInvocation,
  forgetInvocation,
  inspectInvocation,
  joinInvocation,
  memoryLog,
  stopInvocation,
  type InvocationLog,
  type JoinInvocationOptions,
} from '../../src/log/index.js';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/event-builders.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const leaseMs = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Moves the time on. What was rejected meanwhile has been heard then. */
const advance = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

type Method = Exclude<keyof InvocationLog, 'watch' | 'close'>;

/** How a log can fail to answer. */
const ways: Readonly<Record<string, () => Observable<never>>> = {
  'throws at the call': () => {
    throw new Error('ECONNREFUSED');
  },
  'answers with an error': () => from(Promise.reject(new Error('ECONNREFUSED'))),
  'completes without an answer': () => EMPTY,
  'does not answer for three leases': () => NEVER,
};

/** A log of which one method fails from some moment on. */
function failing(
  log: InvocationLog,
  method: Method,
  way: () => Observable<never>,
): { readonly log: InvocationLog; readonly fail: () => void } {
  let isFailing = false;
  const broken = (request: never): unknown =>
    isFailing ? way() : (log[method] as (request: never) => unknown)(request);
  return {
    log: { ...log, [method]: broken },
    fail: () => {
      isFailing = true;
    },
  };
}

interface Seen {
  error: unknown;
  isComplete: boolean;
}

function see(source: Observable<LambdaStreamEvent>): Seen {
  const seen: Seen = { error: undefined, isComplete: false };
  source.subscribe({
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.isComplete = true),
  });
  return seen;
}

/** A response that goes on for a minute, with a restart of its own at the beginning where asked. */
const response = (restarts: boolean): Observable<LambdaStreamEvent> =>
  concat(
    of(headEvent(), chunkEvent('a')),
    timer(100).pipe(map(() => (restarts ? retryEvent({ mode: 'restart' }) : chunkEvent('b')))),
    timer(0, 100).pipe(map(() => chunkEvent('c'))),
  );

/** What each method's failure ends: consumers, and with them the connection to the function. */
describe.each(Object.entries(ways))('a log that %s', (name, way) => {
  const isTimely = name !== 'does not answer for three leases';

  test.each(['append', 'restart', 'renew'] as const)(
    'to %s: every consumer is told, and the connection is closed',
    async (method) => {
      const source = new Subject<LambdaStreamEvent>();
      const { log, fail } = failing(memoryLog(), method, way);
      const open = (): Observable<LambdaStreamEvent> => source;
      const told = [
        see(joinInvocation(log, 'k', open, { leaseMs })),
        see(joinInvocation(log, 'k', open, { leaseMs })),
        see(followInvocation(log, 'k')),
      ];
      const feeding = response(method === 'restart').subscribe(source);
      await advance(50);
      fail();
      await advance(10 * leaseMs);
      feeding.unsubscribe();
      for (const { error } of told) expectUnavailable(error, isTimely);
      expect(source.observed).toBe(false);
    },
  );

  test('to join: the consumer is told, and nothing is invoked', async () => {
    let invocations = 0;
    const { log, fail } = failing(memoryLog(), 'join', way);
    fail();
    const open = (): Observable<LambdaStreamEvent> => ((invocations += 1), NEVER);
    const told = [see(joinInvocation(log, 'k', open, { leaseMs })), see(followInvocation(log, 'k'))];
    // A follower does not know the lease: it waits for three of the default.
    await advance(31_000);
    for (const { error } of told) expectUnavailable(error, isTimely);
    expect(invocations).toBe(0);
  });

  test('to read: a consumer that must read is told, and published entries still arrive', async () => {
    const { log, fail } = failing(memoryLog(), 'read', way);
    const own = see(joinInvocation(log, 'k', () => response(false), { leaseMs }));
    await advance(50);
    fail();
    const told = see(followInvocation(log, 'k'));
    await advance(10 * leaseMs);
    expectUnavailable(told.error, isTimely);
    expect(own).toEqual({ error: undefined, isComplete: false });
  });

  test.each([
    ['seal', stopInvocation],
    ['inspect', inspectInvocation],
    ['seal', forgetInvocation],
    ['forget', forgetInvocation],
  ] as const)('to %s: the call that needs it rejects', async (method, call) => {
    const { log, fail } = failing(memoryLog(), method, way);
    fail();
    const outcome = call(log, 'k').then(
      () => undefined,
      (error: unknown) => error,
    );
    await advance(31_000);
    expectUnavailable(await outcome, isTimely);
  });

  test('to inspect: a consumer that would take over is told', async () => {
    const store = createMemoryStore();
    const { log, fail } = failing(openMemoryLog(store), 'inspect', way);
    const closing = openMemoryLog(store);
    see(joinInvocation(closing, 'k', () => response(false), { leaseMs }));
    const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: 'restart' };
    const told = see(joinInvocation(log, 'k', () => response(false), options));
    await advance(50);
    fail();
    await closing.close();
    await advance(10 * leaseMs);
    expectUnavailable(told.error, isTimely);
  });

  test('to leave: nobody is there to be told, and nothing is rejected', async () => {
    const { log, fail } = failing(memoryLog(), 'leave', way);
    const joined = joinInvocation(log, 'k', () => response(false), { leaseMs }).subscribe();
    await advance(50);
    fail();
    joined.unsubscribe();
    await advance(10 * leaseMs);
    expect((await inspectInvocation(log, 'k'))?.state).toBe('abandoned');
  });
});

function expectUnavailable(error: unknown, isTimely: boolean): void {
  expect(error).toBeInstanceOf(LogUnavailableError);
  expect(isLambdaStreamError(error) && error.code).toBe('log-unavailable');
  expect(error).toMatchObject({ key: 'k' });
  if (!isTimely) expect((error as Error).message).toContain('does not answer');
}

describe('a log that is closed', () => {
  test('fails what only follows here, while others go on', async () => {
    const store = createMemoryStore();
    const [producing, closing] = [openMemoryLog(store), openMemoryLog(store)];
    const own = see(joinInvocation(producing, 'k', () => response(false)));
    const told = see(followInvocation(closing, 'k'));
    await advance(50);
    await closing.close();
    expect(told.error).toBeInstanceOf(LogUnavailableError);
    expect(told.error).toMatchObject({ key: 'k', message: expect.stringContaining('closed') as string });
    await advance(500);
    expect(own).toEqual({ error: undefined, isComplete: false });
  });

  test('fails what comes later', async () => {
    const log = memoryLog();
    see(joinInvocation(log, 'k', () => response(false)));
    await log.close();
    for (const late of [see(joinInvocation(log, 'k', () => NEVER)), see(followInvocation(log, 'other'))]) {
      expect(late.error).toBeInstanceOf(LogUnavailableError);
    }
    for (const call of [stopInvocation, inspectInvocation, forgetInvocation]) {
      await expect(call(log, 'k')).rejects.toBeInstanceOf(LogUnavailableError);
    }
  });

  test('leaves what is complete complete', async () => {
    const log = memoryLog();
    const seen = see(joinInvocation(log, 'k', () => of(headEvent(), chunkEvent('a'), completeEvent())));
    await log.close();
    expect(seen).toEqual({ error: undefined, isComplete: true });
  });
});
