import { BehaviorSubject, concat, finalize, interval, map, NEVER, of, take, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { followInvocation, joinInvocation, type InvocationLog } from '../../src/log/index.js';
import type { Position } from '../../src/log/entry-id.js';
import type { LogWatcher } from '../../src/log/invocation-log.js';
import { createMemoryStore, type MemoryStore } from '../../src/log/memory-store.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { expectNoStrays } from '../support/no-strays.js';
import { inFakeTime } from './fake-time.js';

expectNoStrays();

/** A log with a replica that can be cut off and then take its primary's place. */
function createReplicatedLog(): { open: () => InvocationLog; cutOff: () => void; promote: () => void } {
  const primary = createMemoryStore();
  const replica = createMemoryStore();
  const watchers = new Set<LogWatcher>();
  let current = primary;
  let isReplicating = true;

  function ask<T>(call: (store: MemoryStore) => T): Observable<T> {
    const answer = call(current);
    if (isReplicating) call(replica);
    return of(answer);
  }

  /** The watcher while this store is the one that everybody uses. */
  const only = (store: MemoryStore, watcher: LogWatcher): LogWatcher => ({
    ...watcher,
    ready: () => current === store && watcher.ready(),
    entries: (entries) => current === store && watcher.entries(entries),
    presence: () => current === store && watcher.presence(),
  });

  const open = (): InvocationLog => ({
    join: (request) => ask((store) => store.join(request)),
    append: (request) => ask((store) => store.append(request)),
    restart: (request) => ask((store) => store.restart(request)),
    read: (request) => ask((store) => store.read(request)),
    renew: (request) => ask((store) => store.renew(request)),
    leave: (request) => ask((store) => store.leave(request)),
    seal: (request) => ask((store) => store.seal(request)),
    inspect: (key) => ask((store) => store.inspect(key)),
    forget: (key) => ask((store) => store.forget(key)),
    watch(key, watcher) {
      watchers.add(watcher);
      const stops = [primary, replica].map((store) => store.watch(key, only(store, watcher)));
      return () => {
        watchers.delete(watcher);
        for (const stop of stops) stop();
      };
    },
    close: () => Promise.resolve(),
  });

  return {
    open,
    cutOff: () => {
      isReplicating = false;
    },
    promote: () => {
      current = replica;
      for (const watcher of [...watchers]) watcher.ready();
    },
  };
}

interface Seen {
  text: string;
  error: unknown;
  isComplete: boolean;
}

function see(source: Observable<LambdaStreamEvent>): Seen {
  const seen: Seen = { text: '', error: undefined, isComplete: false };
  source.subscribe({
    next: (event) => {
      if (event.type === 'chunk') seen.text += new TextDecoder().decode(event.payload);
      else if (event.type === 'retry' && event.mode === 'restart') seen.text = '';
    },
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.isComplete = true),
  });
  return seen;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

describe('a replica that lacks the last entries is promoted', () => {
  test.each([
    ['while the response goes on', alphabet.length],
    ['while the response stands still', 20],
  ])('%s: whoever has read them is told, and so is everybody else', (_when, letters) => {
    inFakeTime(({ advance }) => {
      const { open, cutOff, promote } = createReplicatedLog();
      const [one, two, three] = [open(), open(), open()];
      let isOpen = false;
      const response = (): Observable<LambdaStreamEvent> => {
        isOpen = true;
        return concat(
          of(headEvent()),
          interval(10).pipe(
            take(letters),
            map((index) => chunkEvent(alphabet.charAt(index))),
          ),
          NEVER,
        ).pipe(finalize(() => (isOpen = false)));
      };
      const options = { leaseMs: 1_000 };
      const paused = new BehaviorSubject(false);
      const readers = [
        see(joinInvocation(one, 'k', response, options)),
        see(joinInvocation(two, 'k', response, options)),
        see(followInvocation(three, 'k')),
      ];
      const slow = see(followInvocation(two, 'k', { pauseWhile: paused }));
      advance(105);
      paused.next(true);
      advance(50);
      cutOff();
      advance(50);
      promote();
      advance(5_000);
      paused.next(false);
      advance(5_000);
      for (const { text, error } of readers) {
        expect(text).toBe(alphabet.slice(0, 20));
        expect(error).toMatchObject({ code: 'producer-lost', reason: 'log' });
      }
      // It had not come as far, and goes on until the end of what is left.
      expect(slow).toMatchObject({ text: alphabet.slice(0, 15), error: { code: 'producer-lost' } });
      expect(isOpen).toBe(false);
      const next = see(joinInvocation(three, 'k', () => of(headEvent(), chunkEvent('anew'), completeEvent()), options));
      expect(next).toEqual({ text: 'anew', error: undefined, isComplete: true });
    });
  });

  test.each([
    ['restart', 'anew', undefined],
    ['continue', 'abcde', { code: 'producer-lost', reason: 'log' }],
  ] as const)("under '%s' no position that was given stands for other bytes", (afterProducerLoss, text, error) => {
    inFakeTime(({ advance }) => {
      const { open, cutOff, promote } = createReplicatedLog();
      const [one, two, three] = [open(), open(), open()];
      const letters = interval(10).pipe(map((index) => chunkEvent(alphabet.charAt(index))));
      const positions: Position[] = [];
      const first = joinInvocation(one, 'k', () => concat(of(headEvent()), letters), { leaseMs: 1_000 });
      first.subscribe({ next: ({ position }) => positions.push(position), error: () => undefined });
      const again = (): Observable<LambdaStreamEvent> => of(headEvent(), chunkEvent('anew'), completeEvent());
      const paused = new BehaviorSubject(false);
      const options = { idempotent: true, afterProducerLoss, pauseWhile: paused };
      const slow = see(joinInvocation(two, 'k', again, options));
      advance(55);
      paused.next(true);
      cutOff();
      advance(50);
      promote();
      paused.next(false);
      advance(5_000);
      expect(slow).toMatchObject({ text, error });
      // The bytes that only the lost part held are not served under the positions that it gave.
      const resumed = see(followInvocation(three, 'k', { after: positions.at(-1)! }));
      advance(5_000);
      expect(resumed).toMatchObject({ text: '', error: { code: 'unknown-invocation' } });
    });
  });
});
