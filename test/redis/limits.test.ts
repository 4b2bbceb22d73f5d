import {
  concat,
  defer,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  of,
  range,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { expect, test } from 'vitest';
import { classifyInvocationError, FunctionError, type LambdaStreamEvent } from '../../src/index.js';
import {
  followInvocation,
  inspectInvocation,
  joinInvocation,
  stopInvocation,
  type Position,
} from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { until } from '../support/redis-server.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

const { server, openMachine } = useRedis();

const response = (...chunks: Uint8Array[]): Observable<LambdaStreamEvent> =>
  concat(of(headEvent()), from(chunks.map((chunk) => chunkEvent(chunk))), of(completeEvent()));

/** The payload that arrives, in one piece. */
async function payloadOf(source: Observable<LambdaStreamEvent>): Promise<Buffer> {
  const events = await lastValueFrom(source.pipe(toArray()));
  return Buffer.concat(events.flatMap((event) => (event.type === 'chunk' ? [event.payload] : [])));
}

test('resuming after every byte gives exactly the rest, on another machine', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  const bytes = numberedBytes(0, 300);
  const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 130), bytes.subarray(130, 131), bytes.subarray(131)];
  const events = await lastValueFrom(joinInvocation(one, 'bytes', () => response(...chunks)).pipe(toArray()));
  const generation = events[0]!.position.split('-')[0]!;
  for (let at = 0; at <= 300; at += 1) {
    const after = `${generation}-${at}` as Position;
    expect(await payloadOf(followInvocation(two, 'bytes', { after }))).toEqual(Buffer.from(bytes.subarray(at)));
  }
});

test.each(['}', 'a{b}c', '{', '%7D', 'é'.repeat(250), '\u{1f600}'.repeat(125)])('a key such as %s', async (key) => {
  const [one, two] = [await openMachine(), await openMachine()];
  await payloadOf(joinInvocation(one, key, () => response(Uint8Array.of(7))));
  expect(await payloadOf(followInvocation(two, key))).toEqual(Buffer.of(7));
});

test('two claims at the same moment: one invocation, a hundred times', async () => {
  const machines = [await openMachine(), await openMachine(), await openMachine()];
  for (let round = 0; round < 100; round += 1) {
    let invocations = 0;
    const open = () =>
      defer(() => {
        invocations += 1;
        return response(Uint8Array.of(round));
      });
    const payloads = await Promise.all(machines.map((log) => payloadOf(joinInvocation(log, `claims ${round}`, open))));
    expect(payloads).toEqual(machines.map(() => Buffer.of(round)));
    expect(invocations).toBe(1);
  }
});

test('stop against completion, a hundred times: all are told the same', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  const ends = new Set<string>();
  for (let round = 0; round < 100; round += 1) {
    const key = `stop ${round}`;
    const open = () => concat(of(headEvent()), timer(round % 5).pipe(map(() => chunkEvent('x'))), of(completeEvent()));
    const outcome = (source: Observable<unknown>) =>
      lastValueFrom(source).then(
        () => 'complete',
        (error: unknown) => (error as { code: string }).code,
      );
    const first = joinInvocation(one, key, open);
    const running = outcome(first);
    const other = outcome(joinInvocation(two, key, open));
    await stopInvocation(two, key);
    const told = await Promise.all([running, other]);
    expect(told[0]).toBe(told[1]);
    const state = (await inspectInvocation(one, key))?.state;
    expect(state).toBe(told[0]);
    ends.add(told[0]);
  }
  expect([...ends].every((end) => ['complete', 'stopped'].includes(end))).toBe(true);
});

test('a failure is the same error on another machine, and the next without a position invokes anew', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  const failure = new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '{"errorType":"E"}' });
  const failing = () =>
    concat(
      of(headEvent()),
      defer(() => Promise.reject(failure)),
    );
  await expect(payloadOf(joinInvocation(one, 'failure', failing))).rejects.toBeInstanceOf(FunctionError);
  const told = await payloadOf(followInvocation(two, 'failure')).catch((error: unknown) => error);
  expect(told).toBeInstanceOf(FunctionError);
  // In whichever order the class sets them.
  expect(Object.fromEntries(Object.entries(told as object))).toEqual(Object.fromEntries(Object.entries(failure)));
  expect((told as Error).message).toBe(failure.message);
  expect(classifyInvocationError(told)).toEqual(classifyInvocationError(failure));
  expect(await payloadOf(joinInvocation(two, 'failure', () => response(Uint8Array.of(1))))).toEqual(Buffer.of(1));
});

test('every key has its time to live: after ttlMs the database is empty', async () => {
  const log = await openMachine();
  await server().cli('FLUSHALL');
  for (const key of ['a', 'b', 'c']) {
    await payloadOf(
      joinInvocation(log, key, () => response(Uint8Array.of(1)), { ttlMs: 1_000, leaseMs: 1_000, lingerMs: 100 }),
    );
  }
  expect(Number(await server().cli('DBSIZE'))).toBeGreaterThan(0);
  await expect.poll(() => server().cli('DBSIZE'), { timeout: 5_000 }).toBe('0');
});

test('maxReplayBytes bounds what Redis holds: 26 MB with a window of 1 MB leave less than 14 MB', async () => {
  const log = await openMachine();
  await server().cli('FLUSHALL');
  const chunk = numberedBytes(0, 65_536);
  const open = () => concat(of(headEvent()), range(0, 400).pipe(map(() => chunkEvent(chunk))), of(completeEvent()));
  const paused = (pauseWhile: Observable<boolean>) => pausable(open, pauseWhile);
  let bytes = 0;
  await joinInvocation(log, 'window', paused, { maxReplayBytes: 1_000_000 }).forEach((event) => {
    if (event.type === 'chunk') bytes += event.payload.length;
  });
  expect(bytes).toBe(400 * 65_536);
  const used = Number(/used_memory:(\d+)/.exec(await server().cli('INFO', 'memory'))![1]);
  expect(used).toBeLessThan(14_000_000);
  await expect(firstValueFrom(followInvocation(log, 'window'))).rejects.toMatchObject({ code: 'replay-limit' });
});

/** Brings one event at a time, and none while it is paused. */
function pausable(
  open: () => Observable<LambdaStreamEvent>,
  pauseWhile: Observable<boolean>,
): Observable<LambdaStreamEvent> {
  return defer(async function* () {
    let isPaused = false;
    const watching = pauseWhile.subscribe((paused) => (isPaused = paused));
    for (const event of await lastValueFrom(open().pipe(toArray()))) {
      await until(() => !isPaused);
      yield event;
    }
    watching.unsubscribe();
  });
}
