import { concat, concatMap, defer, finalize, from, map, of, timer, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import type { InvocationLog } from '../../src/log/index.js';
import { joinInvocation, type JoinInvocationOptions } from '../../src/log/join-invocation.js';
import { stopInvocation } from '../../src/log/manage-invocation.js';
import { createMemoryStore, type MemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { expectNoStrays } from '../support/no-strays.js';
import { inFakeTime } from './fake-time.js';
import { lateAnswers } from './late-log.js';
import { createMachines, type Machine } from './machines.js';

expectNoStrays();

const leaseMs = 1_000;

/** All combinations of one value of each list. */
function combinations<T>(...lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((begun) => list.map((value) => [...begun, value])), [[]]);
}

/** Whole numbers from 0 on. */
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A process whose calls take their time: some milliseconds until they are heard, some until the answer is there. */
function openProcess(store: MemoryStore, askMs: number, answerMs: number): { log: InvocationLog; machine: Machine } {
  const machine = createMachines(store).machine();
  return { machine, log: lateAnswers(machine, { askMs, answerMs }) };
}

/** A function, and its connections in the order of the invocations: whether each is open. */
interface Told {
  readonly open: () => Observable<LambdaStreamEvent>;
  readonly isOpen: boolean[];
}

function functionThatTells(text: string, everyMs: number): Told {
  const isOpen: boolean[] = [];
  const letters = (): Observable<LambdaStreamEvent> =>
    from(text).pipe(concatMap((letter) => timer(everyMs).pipe(map(() => chunkEvent(letter)))));
  const open = (): Observable<LambdaStreamEvent> =>
    defer(() => {
      const invocation = isOpen.push(true) - 1;
      return concat(of(headEvent()), letters(), of(completeEvent())).pipe(finalize(() => (isOpen[invocation] = false)));
    });
  return { open, isOpen };
}

/** What a consumer has got. */
interface Seen {
  text: string;
  end: string | undefined;
  leave: () => void;
}

function see(source: Observable<LambdaStreamEvent>): Seen {
  const seen: Seen = { text: '', end: undefined, leave: () => undefined };
  const subscription = source.subscribe({
    next(event) {
      if (event.type === 'chunk') seen.text += new TextDecoder().decode(event.payload);
      if (event.type === 'retry' && event.mode === 'restart') seen.text = '';
    },
    error: (error: unknown) => (seen.end = String((error as { code?: unknown }).code ?? error)),
    complete: () => (seen.end = 'complete'),
  });
  seen.leave = () => subscription.unsubscribe();
  return seen;
}

describe('at every moment, however long calls and answers take', () => {
  test('a stop against the completion: all are told the same, and the state says it', () => {
    const ends = new Set<string | undefined>();
    for (const [stopAt = 0, askMs = 0, answerMs = 0, otherMs = 0] of combinations(
      upTo(24),
      [0, 2],
      [1, 4],
      [0, 1, 3],
    )) {
      inFakeTime(({ advance }) => {
        const store = createMemoryStore();
        const [one, two] = [openProcess(store, askMs, answerMs), openProcess(store, otherMs, 1)];
        const { open, isOpen } = functionThatTells('abc', 5);
        const first = see(joinInvocation(one.log, 'k', open));
        advance(1);
        const second = see(joinInvocation(two.log, 'k', open));
        advance(stopAt);
        void stopInvocation(two.log, 'k');
        advance(100);
        const status = store.inspect('k')?.status;
        expect([first.end, second.end]).toEqual([status, status]);
        for (const { text } of [first, second]) expect('abc'.startsWith(text)).toBe(true);
        if (status === 'complete') expect([first.text, second.text]).toEqual(['abc', 'abc']);
        expect(isOpen.length).toBeLessThanOrEqual(1);
        expect(isOpen).not.toContain(true);
        ends.add(status);
      });
    }
    expect([...ends].sort()).toEqual(['complete', 'stopped']);
  });

  test('a join against the abandonment: it goes on, or is invoked anew, and is whole either way', () => {
    const invocations = new Set<number>();
    for (const [joinAt = 0, askMs = 0, answerMs = 0, otherMs = 0] of combinations(
      upTo(25),
      [0, 2],
      [1, 4],
      [0, 1, 3],
    )) {
      inFakeTime(({ advance }) => {
        const store = createMemoryStore();
        const [one, two] = [openProcess(store, askMs, answerMs), openProcess(store, otherMs, 1)];
        const { open, isOpen } = functionThatTells('abc', 20);
        const options: JoinInvocationOptions = { lingerMs: 10 };
        const first = see(joinInvocation(one.log, 'k', open, options));
        advance(30);
        first.leave();
        advance(joinAt);
        const second = see(joinInvocation(two.log, 'k', open, options));
        advance(200);
        expect(second).toMatchObject({ text: 'abc', end: 'complete' });
        expect(isOpen.length).toBeLessThanOrEqual(2);
        expect(isOpen).not.toContain(true);
        invocations.add(isOpen.length);
      });
    }
    expect([...invocations].sort()).toEqual([1, 2]);
  });

  test('claims at the same moment: one invocation, everything to each', () => {
    for (const [first = 0, second = 0, third = 0, joinAt = 0, answerMs = 0] of combinations(
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 3],
      [0, 1, 5],
    )) {
      inFakeTime(({ advance }) => {
        const store = createMemoryStore();
        const logs = [first, second, third].map((askMs) => openProcess(store, askMs, answerMs).log);
        const { open, isOpen } = functionThatTells('abc', 5);
        const seen = logs.map((log, index) => {
          if (index === 2) advance(joinAt);
          return see(joinInvocation(log, 'k', open));
        });
        advance(100);
        for (const each of seen) expect(each).toMatchObject({ text: 'abc', end: 'complete' });
        expect(isOpen).toEqual([false]);
      });
    }
  });

  test('a crash between the claim and the first byte: exactly one other takes over, or the loss is told', () => {
    const ends = new Set<string | undefined>();
    for (const [crashAt = 0, joinAt = 0, askMs = 0, answerMs = 0] of combinations(
      upTo(10),
      [0, 3, 600, 1_200, 2_500],
      [0, 2],
      [1, 3],
    )) {
      inFakeTime(({ advance }) => {
        const store = createMemoryStore();
        const dying = openProcess(store, askMs, answerMs);
        const [other, third, cautious] = upTo(3).map((ms) => openProcess(store, ms, 1).log) as [
          InvocationLog,
          InvocationLog,
          InvocationLog,
        ];
        const gone = functionThatTells('xyz', 10);
        see(joinInvocation(dying.log, 'k', gone.open, { leaseMs }));
        advance(crashAt);
        dying.machine.cut();
        advance(joinAt);
        const { open, isOpen } = functionThatTells('abc', 5);
        const options: JoinInvocationOptions = { leaseMs, idempotent: true, afterProducerLoss: 'restart' };
        const bold = [other, third].map((log) => see(joinInvocation(log, 'k', open, options)));
        const told = see(joinInvocation(cautious, 'k', open, { leaseMs }));
        advance(12 * leaseMs);
        for (const each of bold) expect(each).toMatchObject({ text: 'abc', end: 'complete' });
        expect(isOpen).toEqual([false]);
        expect(gone.isOpen).not.toContain(true);
        // Without a take-over of its own it is told of the loss, unless the claim was not heard.
        expect(told).toMatchObject(told.end === 'complete' ? { text: 'abc' } : { text: '', end: 'producer-lost' });
        ends.add(told.end);
      });
    }
    expect([...ends].sort()).toEqual(['complete', 'producer-lost']);
  });
});
