import { concat, NEVER, of, Subject, tap, throwError, type Observable } from 'rxjs';
import type { LambdaStreamEvent } from '../../events.js';
import { followInvocation } from '../../log/follow-invocation.js';
import type { InvocationLog } from '../../log/invocation-log.js';
import { joinInvocation, type JoinInvocationOptions } from '../../log/join-invocation.js';
import { forgetInvocation, inspectInvocation, stopInvocation } from '../../log/manage-invocation.js';
import { chunkEvent, completeEvent, headEvent } from '../event-builders.js';
import { serviceException } from '../service-exception.js';
import { define, delay, equal, eventually, type InvocationLogCase } from './case-bench.js';
import { codeOf, ended, type Ended } from './ended.js';

/** What consumers of several processes get through a log. */
export const sharingCases: readonly InvocationLogCase[] = [
  define(
    'one invocation serves consumers of several processes, early, late and after the end',
    async ({ key, open }) => {
      const logs = await Promise.all([open(), open(), open()]);
      const source = new Subject<LambdaStreamEvent>();
      let invocations = 0;
      const join = (log: InvocationLog): Promise<Ended> =>
        ended(joinInvocation(log, key, () => ((invocations += 1), source)));
      const early = logs.map(join);
      await eventually('it is invoked', () => source.observed);
      source.next(headEvent({ requestId: 'r' }));
      const pieces = Array.from({ length: 300 }, (_, index) => `${index} `);
      for (const piece of pieces.slice(0, 150)) source.next(chunkEvent(piece));
      await delay(20);
      const late = logs.map(join);
      await delay(20);
      for (const piece of pieces.slice(150)) source.next(chunkEvent(piece));
      source.next(completeEvent({ logTail: 'tail' }));
      source.complete();
      const after = [...(await Promise.all([...early, ...late])), ...(await Promise.all(logs.map(join)))];
      equal(invocations, 1, 'invocations');
      for (const { text, types, error } of after) {
        equal([text, error], [pieces.join(''), undefined], 'what each consumer got');
        equal([types[0], types.at(-1)], ['head', 'complete'], 'first and last event');
      }
    },
  ),

  define('going on after any byte gives exactly the rest', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const text = 'one €uro, two \u{1f600}, three';
    const bytes = new TextEncoder().encode(text);
    const events = [
      headEvent(),
      ...[3, 9, 10, 20].map((end, index, ends) => chunkEvent(bytes.subarray(ends[index - 1] ?? 0, end))),
      chunkEvent(bytes.subarray(20)),
      completeEvent(),
    ];
    await ended(joinInvocation(log, key, () => of(...events)));
    const { generation = 0 } = (await inspectInvocation(log, key)) ?? {};
    const rests = await Promise.all(
      Array.from({ length: bytes.length + 1 }, (_, at) =>
        ended(followInvocation(at % 2 ? log : other, key, { after: `${generation}-${at}` })),
      ),
    );
    for (const [at, rest] of rests.entries()) {
      equal([...rest.bytes], [...bytes.subarray(at)], `the rest after byte ${at}`);
      equal([rest.types[0], rest.types.at(-1)], ['head', 'complete'], 'first and last event');
    }
    let invocations = 0;
    const invoke = (): Observable<LambdaStreamEvent> => ((invocations += 1), of(completeEvent()));
    const strangers = [
      [generation, bytes.length + 1],
      [generation - 1, 0],
      [generation + 1, 0],
      [1, 1],
      [2 ** 64, 0],
      [generation, 2 ** 64],
    ] as const;
    for (const [ofGeneration, byte] of strangers) {
      const after = `${ofGeneration}-${byte}` as const;
      const told = await ended(joinInvocation(other, key, invoke, { after }));
      equal(codeOf(told.error), 'unknown-invocation', `a position that was never given, ${after}`);
    }
    equal(invocations, 0, 'invocations by a position');
  }),

  define(
    'a position of an earlier generation is told that it is void, and gets the present one',
    async ({ key, open }) => {
      const [log, other] = [await open(), await open()];
      const failing = (): Observable<LambdaStreamEvent> =>
        concat(
          of(chunkEvent('old')),
          throwError(() => new Error('no')),
        );
      await ended(joinInvocation(log, key, failing));
      const { generation = 0 } = (await inspectInvocation(log, key)) ?? {};
      await ended(joinInvocation(log, key, () => of(chunkEvent('newer'), completeEvent())));
      for (let byte = 0; byte <= 3; byte++) {
        const { types, text, error } = await ended(followInvocation(other, key, { after: `${generation}-${byte}` }));
        equal([types[0], text, error], ['retry', 'newer', undefined], `after byte ${byte}`);
      }
      const never = await ended(followInvocation(other, key, { after: `${generation}-4` }));
      equal(codeOf(never.error), 'unknown-invocation', 'a byte that the earlier one never gave');
    },
  ),

  define('a failure is told to all with its name and fields, and the next one invokes anew', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const failure = serviceException('TooManyRequestsException', {
      retryAfterSeconds: 7,
      Reason: 'CallerRateLimitExceeded',
    });
    let invocations = 0;
    const fail = (): Observable<LambdaStreamEvent> => ((invocations += 1), throwError(() => failure));
    const { error } = await ended(joinInvocation(log, key, fail));
    const seen = error as Record<string, unknown>;
    equal(
      [seen['name'], seen['message'], seen['Reason'], seen['retryAfterSeconds']],
      [failure.name, failure.message, 'CallerRateLimitExceeded', '7'],
      'the failure',
    );
    const told = await ended(followInvocation(other, key));
    equal((told.error as Error).name, failure.name, 'what another process is told');
    await ended(joinInvocation(other, key, fail));
    equal(invocations, 2, 'invocations');
  }),

  define(
    'a stop from any process closes the connection and is told to all, until it is forgotten',
    async ({ key, open }) => {
      const [log, other] = [await open(), await open()];
      const source = new Subject<LambdaStreamEvent>();
      const options: JoinInvocationOptions = { leaseMs: 1_000 };
      const consumers = [log, other].map((each) => ended(joinInvocation(each, key, () => source, options)));
      await eventually('it is invoked', () => source.observed);
      source.next(chunkEvent('part'));
      await stopInvocation(other, key);
      for (const { error } of await Promise.all(consumers)) equal(codeOf(error), 'stopped', 'what each is told');
      await eventually('the connection is closed', () => !source.observed);
      const reload = await ended(joinInvocation(other, key, () => of(completeEvent()), options));
      equal(codeOf(reload.error), 'stopped', 'what a reload is told');
      await forgetInvocation(log, key);
      equal(
        (await ended(joinInvocation(other, key, () => of(completeEvent()), options))).error,
        undefined,
        'after forgetting',
      );
    },
  ),

  define('when the last consumer of all processes has left, the connection is closed', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const source = new Subject<LambdaStreamEvent>();
    const options: JoinInvocationOptions = { lingerMs: 100, leaseMs: 1_000 };
    const first = joinInvocation(log, key, () => source, options).subscribe({ error: () => undefined });
    await eventually('it is invoked', () => source.observed);
    source.next(chunkEvent('a'));
    let seen = 0;
    const second = joinInvocation(other, key, () => NEVER, options).subscribe({
      next: () => (seen += 1),
      error: () => undefined,
    });
    await eventually('the other process reads', () => seen > 0);
    first.unsubscribe();
    await delay(400);
    equal(source.observed, true, 'the connection while one is there');
    second.unsubscribe();
    await eventually('the connection is closed', () => !source.observed);
    equal((await inspectInvocation(other, key))?.state, 'abandoned', 'the state');
  }),

  define('a process that closes its log is taken over at once by one that may', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const source = new Subject<LambdaStreamEvent>();
    const first = ended(joinInvocation(log, key, () => source));
    await eventually('it is invoked', () => source.observed);
    source.next(chunkEvent('lost '));
    let hasJoined = false;
    const second = ended(
      joinInvocation(other, key, () => of(chunkEvent('whole'), completeEvent()), {
        idempotent: true,
        afterProducerLoss: 'restart',
      }).pipe(tap(() => (hasJoined = true))),
    );
    await eventually('the other process reads', () => hasJoined);
    await log.close();
    equal(codeOf((await first).error), 'producer-lost', 'what a consumer of the closed process is told');
    equal(source.observed, false, 'the connection of the closed process');
    const { text, types, error } = await second;
    equal([text, error, types.includes('retry')], ['whole', undefined, true], 'what the other one got');
  }),
];
