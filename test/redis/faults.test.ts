import { concat, defer, lastValueFrom, map, of, take, throwError, timer, toArray, type Observable } from 'rxjs';
import { expect, test } from 'vitest';
import { isLambdaStreamError, ProtocolError, retryInvocation, type LambdaStreamEvent } from '../../src/index.js';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import type { EntryId } from '../../src/log/invocation-log.js';
import { chunkEvent, completeEvent, headEvent, serviceException } from '../../src/testing/index.js';
import { until } from '../support/redis-server.js';
import { numberedBytes } from './numbered-bytes.js';
import { answer, chunksAfter, claimOf } from './recorder.js';
import { useRedis } from './use-redis.js';

const { server, openMachine } = useRedis();

/** What a consumer has got so far, and how it ended. */
interface Outcome {
  readonly bytes: number[];
  readonly kinds: string[];
  error?: unknown;
  readonly ended: Promise<void>;
}

function consume(source: Observable<LambdaStreamEvent>): Outcome {
  const bytes: number[] = [];
  const kinds: string[] = [];
  const outcome: { error?: unknown } = {};
  const ended = new Promise<void>((resolve) => {
    source.subscribe({
      next: (event) => (event.type === 'chunk' ? bytes.push(...event.payload) : kinds.push(event.type)),
      error: (error: unknown) => {
        outcome.error = error;
        resolve();
      },
      complete: resolve,
    });
  });
  return Object.assign(outcome, { bytes, kinds, ended });
}

/** A response of numbered bytes, five every few milliseconds. */
const tokens = (count: number, everyMs: number): Observable<LambdaStreamEvent> =>
  concat(
    of(headEvent()),
    timer(0, everyMs).pipe(
      take(count),
      map((index) => chunkEvent(numberedBytes(index * 5, 5))),
    ),
    of(completeEvent()),
  );

/** The id of an entry without payload after another one. */
const nextOf = (id: EntryId): EntryId => `${id.split('-')[0]}-${Number(id.split('-')[1]) + 1}` as EntryId;

test('nine throttles before the first byte are told on every machine, in their order', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  let attempts = 0;
  const throttled = serviceException('TooManyRequestsException');
  const open = () =>
    defer(() => {
      attempts += 1;
      return attempts <= 9 ? throwError(() => throttled) : tokens(3, 1);
    }).pipe(retryInvocation({ maxAttempts: 10, initialDelayMs: 1, maxDelayMs: 1 }));
  const own = await lastValueFrom(joinInvocation(one, 'throttles', open).pipe(toArray()));
  const other = await lastValueFrom(followInvocation(two, 'throttles').pipe(toArray()));
  for (const events of [own, other]) {
    const retries = events.flatMap((event) => (event.type === 'retry' ? [event.attempt] : []));
    expect(retries).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(events.filter(({ type }) => type === 'chunk')).toHaveLength(3);
  }
});

test('kinds and fields of a later version are passed over, and a later version of the log is refused', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  const claim = { ...claimOf('one'), opening: '{"v":1,"k":"open","later":true}' };
  const { state } = (await answer(one.join({ key: 'later', member: 'm', cursor: '0-0', claim })))!;
  const { generation } = state;
  const [chunk] = chunksAfter(state.last, Uint8Array.of(1, 2, 3));
  const kind = { id: nextOf(chunk!.id), previous: chunk!.id, record: '{"k":"later"}', payload: new Uint8Array(0) };
  const end = { id: nextOf(kind.id), previous: kind.id, record: '{"k":"end","end":"complete","later":1}' };
  const entries = [chunk!, kind, { ...end, payload: new Uint8Array(0) }];
  await answer(one.append({ key: 'later', owner: 'one', generation, entries, end: 'complete' }));
  const reading = consume(followInvocation(two, 'later'));
  await reading.ended;
  expect(reading.error).toBeUndefined();
  expect(reading).toMatchObject({ bytes: [1, 2, 3], kinds: [] });

  const newer = { ...claimOf('one'), opening: '{"v":2,"k":"open"}' };
  await answer(one.join({ key: 'newer', member: 'm', cursor: '0-0', claim: newer }));
  const refused = consume(followInvocation(two, 'newer'));
  await refused.ended;
  expect(refused.error).toBeInstanceOf(ProtocolError);
});

test('a server that runs out of memory in a stream: every consumer is told, and has only whole bytes', async () => {
  const [one, two] = [await openMachine(), await openMachine()];
  const own = consume(joinInvocation(one, 'memory', () => tokens(4_000, 5)));
  await until(() => own.bytes.length >= 50);
  const other = consume(followInvocation(two, 'memory'));
  await until(() => other.bytes.length >= 50);
  await server().cli('CONFIG', 'SET', 'maxmemory', '1mb');
  try {
    await Promise.all([own.ended, other.ended]);
    for (const { error, bytes } of [own, other]) {
      expect(isLambdaStreamError(error) && error.code).toBe('log-unavailable');
      expect(bytes).toEqual([...numberedBytes(0, bytes.length)]);
    }
  } finally {
    await server().cli('CONFIG', 'SET', 'maxmemory', '0');
  }
});
