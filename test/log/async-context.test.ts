import { AsyncLocalStorage } from 'node:async_hooks';
import { of, Subject, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { followInvocation, joinInvocation, memoryLog } from '../../src/log/index.js';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const storage = new AsyncLocalStorage<string>();

/** Consumes in a context of its own, and keeps the contexts in which it is told. */
function consume(
  name: string,
  source: ReturnType<typeof followInvocation>,
): { seen: Set<string | undefined>; events: number } {
  const consumer = { seen: new Set<string | undefined>(), events: 0 };
  const note = (): void => {
    consumer.events += 1;
    consumer.seen.add(storage.getStore());
  };
  storage.run(name, () => source.subscribe({ next: note, error: note, complete: note }));
  return consumer;
}

describe('every consumer gets its events in its own async context, on any machine', () => {
  test.each([
    ['a completion', (source: Subject<LambdaStreamEvent>) => of(completeEvent()).subscribe(source)],
    ['an error', (source: Subject<LambdaStreamEvent>) => throwError(() => new Error('cut')).subscribe(source)],
  ])('live, late, and at %s', (_end, finish) => {
    const log = memoryLog();
    const source = new Subject<LambdaStreamEvent>();
    const open = () => source;
    const early = ['one', 'two'].map((name) => consume(name, joinInvocation(log, 'k', open)));
    const follower = consume('follower', followInvocation(log, 'k'));
    storage.run('source', () => {
      source.next(headEvent());
      source.next(chunkEvent('a'));
    });
    const late = consume('late', joinInvocation(log, 'k', open));
    storage.run('source', () => {
      source.next(chunkEvent('b'));
      finish(source);
    });
    const after = consume('after', followInvocation(log, 'k'));
    const all = [...early, follower, late, after];
    expect(all.map(({ seen }) => [...seen])).toEqual([['one'], ['two'], ['follower'], ['late'], ['after']]);
    for (const { events } of all) expect(events).toBeGreaterThanOrEqual(4);
  });

  test('also on a machine that only reads, when a pause ends, and where it takes over', async () => {
    const store = createMemoryStore();
    const [one, two] = [openMemoryLog(store), openMemoryLog(store)];
    const [first, second] = [new Subject<LambdaStreamEvent>(), new Subject<LambdaStreamEvent>()];
    const contexts = new Set<string | undefined>();
    const own = consume(
      'own',
      joinInvocation(one, 'k', () => first),
    );
    const options = { idempotent: true, afterProducerLoss: 'restart', pauseWhile: new Subject<boolean>() } as const;
    const taking = consume(
      'taking',
      joinInvocation(two, 'k', () => (contexts.add(storage.getStore()), second), options),
    );
    storage.run('a pause', () => options.pauseWhile.next(true));
    storage.run('source', () => {
      first.next(headEvent());
      first.next(chunkEvent('a'));
    });
    storage.run('a pause', () => options.pauseWhile.next(false));
    await storage.run('a deploy', () => one.close());
    storage.run('source', () => {
      second.next(headEvent());
      second.next(completeEvent());
      second.complete();
    });
    expect([...own.seen]).toEqual(['own']);
    expect([...taking.seen]).toEqual(['taking']);
    // The function is called for the consumer that takes over.
    expect([...contexts]).toEqual(['taking']);
    expect(taking.events).toBe(6);
  });
});
