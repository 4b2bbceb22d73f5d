import { BehaviorSubject, from, interval, Observable, Subject, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LambdaStreamEvent } from '../../src/events.js';
import { followInvocation } from '../../src/log/follow-invocation.js';
import type { AppendRequest, InvocationLog, Position } from '../../src/log/index.js';
import { joinInvocation } from '../../src/log/join-invocation.js';
import { memoryLog } from '../../src/log/memory-log.js';
import type { OpenInvocation } from '../../src/log/production.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/event-builders.js';
import { expectNoStrays } from '../support/no-strays.js';
import { inFakeTime } from './fake-time.js';
import { createMachines } from './machines.js';

expectNoStrays();

const bytesAt = (offset: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (offset + index) % 251);

/** What a consumer has got of a response of numbered bytes. */
interface Seen {
  bytes: number;
  isWhole: boolean;
  end: string | undefined;
}

/** @param from - The offset at which its bytes begin. */
function see(source: Observable<LambdaStreamEvent>, from = 0): Seen {
  const seen: Seen = { bytes: from, isWhole: true, end: undefined };
  source.subscribe({
    next(event) {
      if (event.type !== 'chunk') return;
      seen.isWhole &&= Buffer.compare(event.payload, bytesAt(seen.bytes, event.payload.length)) === 0;
      seen.bytes += event.payload.length;
    },
    error: (error: unknown) => (seen.end = String((error as { code?: unknown }).code ?? error)),
    complete: () => (seen.end = 'complete'),
  });
  return seen;
}

/** A response of ten bytes every millisecond. It stands still while it is paused. */
function paced(chunks: number): { open: OpenInvocation; sent: number } {
  const source = {
    sent: 0,
    open: (pauseWhile: Observable<boolean>) =>
      new Observable<LambdaStreamEvent>((subscriber) => {
        let isPaused = false;
        subscriber.add(pauseWhile.subscribe((pause) => (isPaused = pause)));
        subscriber.next(headEvent());
        subscriber.add(
          interval(1).subscribe(() => {
            if (isPaused) return;
            if (source.sent === chunks * 10) {
              subscriber.next(completeEvent());
              subscriber.complete();
              return;
            }
            subscriber.next(chunkEvent(bytesAt(source.sent, 10)));
            source.sent += 10;
          }),
        );
      }),
  };
  return source;
}

describe('the pace of a producer', () => {
  test('is that of the slowest reader, also of one on another machine, for each key by itself', () => {
    inFakeTime(({ advance }) => {
      const { machine } = createMachines();
      const [producing, reading] = [machine(), machine()];
      const options = { maxReplayBytes: 2_000, leaseMs: 1_000 };
      const everyMs = { slow: 40, slower: 80 };
      const streams = Object.entries(everyMs).map(([key, ms]) => {
        const source = paced(100);
        const own = see(joinInvocation(producing, key, source.open, options));
        // One event at a time: it is paused again as soon as it has one.
        const pauseWhile = new BehaviorSubject(false);
        const remote = see(followInvocation(reading, key, { pauseWhile }).pipe(tap(() => pauseWhile.next(true))));
        interval(ms).subscribe(() => pauseWhile.next(false));
        return { key, source, own, remote };
      });
      const order: string[] = [];
      const isRunning = (): boolean => streams.some(({ remote }) => remote.end === undefined);
      while (isRunning()) {
        advance(10);
        for (const { key, source, own, remote } of streams) {
          // Each entry counts 64 bytes more: the window has room for 27 of them. A pause takes a moment.
          expect(source.sent - remote.bytes).toBeLessThanOrEqual(400);
          for (const [name, { end }] of Object.entries({ own, remote })) {
            if (end !== undefined && !order.includes(`${name} ${key}`)) order.push(`${name} ${key}`);
          }
        }
      }
      // The producer of one key does not wait for the reader of another.
      expect(order).toEqual(['own slow', 'remote slow', 'own slower', 'remote slower']);
      for (const { own, remote } of streams) {
        for (const seen of [own, remote]) expect(seen).toEqual({ bytes: 1_000, isWhole: true, end: 'complete' });
      }
    });
  });

  test('is its own again when a reader on another machine has not moved for a lease, which is told then', () => {
    inFakeTime(({ advance }) => {
      const { machine } = createMachines();
      const [producing, reading] = [machine(), machine()];
      const source = paced(100);
      const own = see(joinInvocation(producing, 'k', source.open, { maxReplayBytes: 2_000, leaseMs: 1_000 }));
      const pauseWhile = new BehaviorSubject(true);
      const remote = see(followInvocation(reading, 'k', { pauseWhile }));
      advance(500);
      expect(own.end).toBeUndefined();
      expect(own.bytes).toBeLessThan(400);
      advance(5_000);
      expect(own).toEqual({ bytes: 1_000, isWhole: true, end: 'complete' });
      pauseWhile.next(false);
      advance(10);
      expect(remote).toMatchObject({ isWhole: true, end: 'replay-limit' });
    });
  });

  test('is that of a reader who comes back within linger: meanwhile nothing is read past the window', () => {
    inFakeTime(({ advance }) => {
      const { machine } = createMachines();
      const source = paced(100);
      const options = { maxReplayBytes: 2_000, lingerMs: 5_000 };
      const [one, two] = [machine(), machine()];
      let position: Position = '0-0';
      const first = joinInvocation(one, 'k', source.open, options).subscribe((event) => (position = event.position));
      advance(15);
      first.unsubscribe();
      const had = Number(position.split('-')[1]);
      expect(had).toBeGreaterThan(0);
      advance(4_000);
      expect(source.sent - had).toBeLessThanOrEqual(400);
      const rest = see(joinInvocation(two, 'k', source.open, { ...options, after: position }), had);
      advance(1_000);
      expect(rest).toEqual({ bytes: 1_000, isWhole: true, end: 'complete' });
    });
  });
});

/** A log of which a test answers the appends itself. */
function heldAppends(log: InvocationLog): { log: InvocationLog; requests: AppendRequest[]; answer: () => void } {
  const requests: AppendRequest[] = [];
  const waiting: (() => void)[] = [];
  return {
    requests,
    answer: () => waiting.shift()?.(),
    log: {
      ...log,
      append: (request) => {
        const answer = new Subject<unknown>();
        requests.push(request);
        waiting.push(() => from(log.append(request)).subscribe(answer));
        return answer as never;
      },
    },
  };
}

const sizeOf = ({ entries }: AppendRequest): number => entries.reduce((sum, { payload }) => sum + payload.length, 0);

describe('appends that are not answered', () => {
  const chunkBytes = 64 * 1024;

  test('are bounded to 1 MiB, of all and of one, and pause the source until half of them are answered', () => {
    const held = heldAppends(memoryLog());
    let isPaused = false;
    let sent = 0;
    const source = new Subject<LambdaStreamEvent>();
    const open: OpenInvocation = (pauseWhile) => {
      pauseWhile.subscribe((pause) => (isPaused = pause));
      return source;
    };
    const seen = see(joinInvocation(held.log, 'k', open));
    const send = (): void => {
      while (!isPaused && sent < 100 * chunkBytes) {
        source.next(chunkEvent(bytesAt(sent, chunkBytes)));
        sent += chunkBytes;
      }
    };
    send();
    expect(sent).toBe(16 * chunkBytes);
    expect(seen.bytes).toBe(0);
    let answered = 0;
    for (let count = 0; sent < 100 * chunkBytes || answered < held.requests.length; count += 1) {
      held.answer();
      answered += 1;
      send();
      const acknowledged = held.requests.slice(0, answered).reduce((sum, request) => sum + sizeOf(request), 0);
      expect(sent - acknowledged).toBeLessThanOrEqual(16 * chunkBytes);
      // What is given to consumers is what the log has.
      expect(seen.bytes).toBe(acknowledged);
      expect(count).toBeLessThan(1_000);
    }
    for (const request of held.requests) expect(sizeOf(request)).toBeLessThanOrEqual(1024 * 1024);
    source.next(completeEvent());
    source.complete();
    held.answer();
    expect(seen).toEqual({ bytes: 100 * chunkBytes, isWhole: true, end: 'complete' });
  });

  test('fail an invocation that does not pause, once 16 MiB of it wait', () => {
    const held = heldAppends(memoryLog());
    const source = new Subject<LambdaStreamEvent>();
    const seen = see(joinInvocation(held.log, 'k', () => source));
    let sent = 0;
    for (; source.observed && sent <= 1_000 * chunkBytes; sent += chunkBytes) {
      source.next(chunkEvent(bytesAt(sent, chunkBytes)));
    }
    expect(sent).toBe(16 * 1024 * 1024 + chunkBytes);
    for (let answered = 0; answered < held.requests.length; answered += 1) held.answer();
    expect(seen).toMatchObject({ isWhole: true, end: 'log-unavailable' });
  });
});

test('a consumer that has paused holds one page of 64 KiB at most, and reads the log at its own pace', () => {
  const log = memoryLog();
  const pages: number[] = [];
  const counting: InvocationLog = {
    ...log,
    read: (request) =>
      from(log.read(request)).pipe(
        tap((page) => pages.push(page?.entries.reduce((sum, { payload }) => sum + payload.length, 0) ?? 0)),
      ),
  };
  const chunkBytes = 16 * 1024;
  const source = new Subject<LambdaStreamEvent>();
  see(joinInvocation(log, 'k', () => source));
  const pauseWhile = new BehaviorSubject(true);
  const slow = see(followInvocation(counting, 'k', { pauseWhile }).pipe(tap(() => pauseWhile.next(true))));
  for (let index = 0; index < 400; index += 1) source.next(chunkEvent(bytesAt(index * chunkBytes, chunkBytes)));
  expect(slow.bytes).toBe(0);
  for (let read = 0; slow.bytes < 400 * chunkBytes; read = slow.bytes) {
    pauseWhile.next(false);
    expect(slow.bytes - read).toBe(chunkBytes);
    // What it has read, and has not passed on yet.
    expect(pages.reduce((sum, bytes) => sum + bytes, 0) - slow.bytes).toBeLessThanOrEqual(64 * 1024);
  }
  expect(slow.isWhole).toBe(true);
});
