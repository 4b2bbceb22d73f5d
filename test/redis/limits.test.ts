import { concat, defer, from, lastValueFrom, of, Subject, toArray, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { classifyInvocationError, FunctionError, type LambdaStreamEvent } from '../../src/index.js';
import { followInvocation, inspectInvocation, joinInvocation, type Position } from '../../src/log/index.js';
import { chunkEvent, completeEvent, headEvent } from '../../src/testing/index.js';
import { answer, claim } from '../../src/testing/log-cases/case-bench.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until } from '../support/redis-server.js';
import { consume, largeResponse, pausable } from './consume.js';
import { numberedBytes } from './numbered-bytes.js';
import { useRedis } from './use-redis.js';

expectNoStrays();

const on = useRedis();

const response = (...chunks: Uint8Array[]): Observable<LambdaStreamEvent> =>
  concat(of(headEvent()), from(chunks.map((chunk) => chunkEvent(chunk))), of(completeEvent()));

/** The payload that arrives, in one piece. */
async function payloadOf(source: Observable<LambdaStreamEvent>): Promise<Buffer> {
  const events = await lastValueFrom(source.pipe(toArray()));
  return Buffer.concat(events.flatMap((event) => (event.type === 'chunk' ? [event.payload] : [])));
}

describe.each(['redis 6', 'ioredis 6 cluster'] as const)('over %s', (client) => {
  const redis = on(client);

  test('resuming after every byte gives exactly the rest on another machine, during the run and after it', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const bytes = numberedBytes(0, 300);
    const source = new Subject<LambdaStreamEvent>();
    const own = consume(joinInvocation(one, 'bytes', () => source));
    await until(() => source.observed);
    source.next(headEvent());
    for (const [start, end] of [
      [0, 1],
      [1, 130],
      [130, 131],
      [131, 200],
    ]) {
      source.next(chunkEvent(bytes.subarray(start, end)));
    }
    await until(() => own.bytes === 200);
    const { generation } = (await inspectInvocation(one, 'bytes'))!;
    /** Follows from every byte that was given. */
    const resume = (given: number) =>
      Array.from({ length: given + 1 }, (_, at) => {
        const got: number[] = [];
        const ended = followInvocation(two, 'bytes', { after: `${generation}-${at}` }).forEach((event) => {
          if (event.type === 'chunk') got.push(...event.payload);
        });
        return { got, ended };
      });
    const during = resume(200);
    await until(() => during.every(({ got }, at) => got.length === 200 - at));
    source.next(chunkEvent(bytes.subarray(200)));
    source.next(completeEvent());
    source.complete();
    await own.ended;
    const after = resume(300);
    await Promise.all([...during, ...after].map(({ ended }) => ended));
    for (const all of [during, after]) {
      for (const [at, { got }] of all.entries()) expect(got).toEqual([...bytes.subarray(at)]);
    }
  });

  test.each(['}', 'a{b}c', '{', '%7D', 'é'.repeat(250), '\u{1f600}'.repeat(125)])('a key such as %s', async (key) => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    await payloadOf(joinInvocation(one, key, () => response(Uint8Array.of(7))));
    expect(await payloadOf(followInvocation(two, key))).toEqual(Buffer.of(7));
  });

  test('no generation comes again, although a key is forgotten and claimed anew within a millisecond', async () => {
    const log = await redis.openMachine();
    const key = 'forgotten';
    const join = (owner: string) => answer(log.join({ key, member: 'm', cursor: '0-0', claim: claim(owner) }));
    const forget = () => answer(log.forget(key));
    // One after the other at first, so that the server knows the scripts: each round is one write then.
    for (const call of [() => join('o'), forget]) await call();
    for (let index = 0; index < 100; index += 1) {
      const [first, , second] = await Promise.all([join('o'), forget(), join('p'), forget()]);
      expect(second?.claimed).toBe(true);
      expect(second?.state.generation).toBeGreaterThan(first!.state.generation);
    }
  });

  test('a key that was forgotten in the millisecond of its claim is unknown to whoever had it', async () => {
    const log = await redis.openMachine();
    const key = 'unknown';
    const join = () => answer(log.join({ key, member: 'm', cursor: '0-0', claim: claim('o') }));
    const entry = { id: '1-1', previous: '1-0', record: 'x', payload: new Uint8Array(0) } as const;
    const append = () => answer(log.append({ key, owner: 'o', generation: 1, entries: [entry] }));
    const [forget, inspect] = [() => answer(log.forget(key)), () => answer(log.inspect(key))];
    for (const call of [join, forget, append, inspect]) await call();
    for (let index = 0; index < 100; index += 1) {
      const [joined, , appended, inspected] = await Promise.all([join(), forget(), append(), inspect()]);
      expect([joined?.claimed, appended, inspected]).toEqual([true, { result: 'refused' }, undefined]);
    }
  });

  test('a failure is the same on another machine: one with a position is told, one without invokes anew', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const failure = new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '{"errorType":"E"}' });
    const failing = () =>
      concat(
        of(headEvent()),
        defer(() => Promise.reject(failure)),
      );
    await expect(payloadOf(joinInvocation(one, 'failure', failing))).rejects.toBeInstanceOf(FunctionError);
    const { generation } = (await inspectInvocation(two, 'failure'))!;
    const again = () => response(Uint8Array.of(1));
    const after: Position = `${generation}-0`;
    for (const source of [followInvocation(two, 'failure'), joinInvocation(two, 'failure', again, { after })]) {
      const told = await payloadOf(source).catch((error: unknown) => error);
      expect(told).toBeInstanceOf(FunctionError);
      // In whichever order the class sets them.
      expect(Object.fromEntries(Object.entries(told as object))).toEqual(Object.fromEntries(Object.entries(failure)));
      expect((told as Error).message).toBe(failure.message);
      expect(classifyInvocationError(told)).toEqual(classifyInvocationError(failure));
    }
    expect(await payloadOf(joinInvocation(two, 'failure', again))).toEqual(Buffer.of(1));
  });

  test('every key has its time to live: after ttlMs the database is empty', async () => {
    const log = await redis.openMachine();
    await redis.command('FLUSHALL');
    for (const key of ['a', 'b', 'c']) {
      await payloadOf(
        joinInvocation(log, key, () => response(Uint8Array.of(1)), { ttlMs: 1_000, leaseMs: 1_000, lingerMs: 100 }),
      );
    }
    const size = async (): Promise<number> =>
      (await redis.command('DBSIZE')).reduce((sum, keys) => sum + Number(keys), 0);
    await until(async () => (await size()) === 0);
  });

  test('every key has its time to live while the invocation runs', async () => {
    const log = await redis.openMachine();
    await redis.command('FLUSHALL');
    const source = new Subject<LambdaStreamEvent>();
    const running = consume(joinInvocation(log, 'running', () => source));
    await until(() => source.observed);
    source.next(chunkEvent(numberedBytes(0, 5)));
    await until(() => running.bytes === 5);
    const names = (await redis.command('KEYS', '*')).flatMap((keys) => keys.split('\n')).filter((key) => key !== '');
    expect(names.sort()).toEqual(['rx:{running}:here', 'rx:{running}:log', 'rx:{running}:meta']);
    for (const name of names) {
      const left = (await redis.command('PTTL', name)).find((text) => !text.startsWith('MOVED'));
      expect(Number(left)).toBeGreaterThan(0);
    }
    running.leave();
  });

  test('maxReplayBytes bounds what Redis holds: 26 MB with a window of 1 MB leave less than 14 MB', async () => {
    const log = await redis.openMachine();
    await redis.command('FLUSHALL');
    const open = pausable(() => largeResponse(400));
    const whole = consume(joinInvocation(log, 'window', open, { maxReplayBytes: 1_000_000 }));
    await whole.ended;
    expect(whole).toMatchObject({ bytes: 400 * 65_536, isWhole: true, end: 'complete' });
    for (const info of await redis.command('INFO', 'memory')) {
      expect(Number(/used_memory:(\d+)/.exec(info)![1])).toBeLessThan(14_000_000);
    }
    const { generation } = (await inspectInvocation(log, 'window'))!;
    for (const after of [undefined, `${generation}-1`] as const) {
      const late = consume(followInvocation(log, 'window', after && { after }));
      await late.ended;
      expect(late.end).toBe('replay-limit');
    }
  });
});
