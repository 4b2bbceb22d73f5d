import type { EntryId, JoinAnswer, LogClaim } from '../../log/invocation-log.js';
import {
  answer,
  chain,
  claim,
  claimed,
  define,
  equal,
  joinedState,
  leaseMs,
  shown,
  ttlMs,
  type InvocationLogCase,
} from './case-bench.js';

/** Claims and restarts: who may produce, and in which generation. */
export const claimCases: readonly InvocationLogCase[] = [
  define('a key that nobody has joined is not there', async ({ key, open }) => {
    const log = await open();
    equal(await answer(log.inspect(key)), undefined, 'inspect');
    equal(await answer(log.read({ key, after: '0-0' })), undefined, 'read');
    equal(await answer(log.join({ key, member: 'm', cursor: '0-0' })), undefined, 'join without a claim');
    equal(await answer(log.renew({ key, reader: { member: 'm', cursor: '0-0' } })), undefined, 'renew');
    equal(
      await answer(log.seal({ key, condition: 'running', end: 'stopped', record: '{}' })),
      { sealed: false },
      'seal',
    );
    equal(await answer(log.inspect(key)), undefined, 'inspect after all these');
  }),

  define(
    'of claims at the same moment one is granted, and its opening entry is there at once',
    async ({ key, open }) => {
      const logs = await Promise.all([open(), open(), open()]);
      const answers = await Promise.all(
        logs.map((log, index) =>
          answer(log.join({ key, member: `m${index}`, cursor: '0-0', claim: claim(`o${index}`) })),
        ),
      );
      equal(answers.filter((joined) => joined?.claimed).length, 1, 'granted claims');
      const winner = answers.findIndex((joined) => joined?.claimed);
      for (const joined of answers) {
        equal(joined?.state.owner, `o${winner}`, 'the owner that everybody is told');
        equal(joined?.state.status, 'running', 'status');
        equal(joined?.state.opening, 'opening', 'the opening record');
        equal([joined?.state.leaseMs, joined?.state.ttlMs], [leaseMs, ttlMs], 'lease and time to live');
      }
      const { generation, last } = joinedState(answers[winner]);
      // Whatever the log's clock says exactly: it counts the milliseconds since 1970.
      equal(generation > 1_600_000_000_000, true, 'a generation that is a time');
      equal(last, `${generation}-0`, 'the newest entry');
      const page = await answer(logs[0].read({ key, after: '0-0' }));
      equal(page?.entries.map(shown), [{ id: last, previous: '0-0', record: 'opening', payload: [] }], 'entries');
    },
  ),

  define('a claim that was granted is granted again to its owner, and to nobody else', async ({ key, open }) => {
    const log = await open();
    const first = joinedState(await answer(log.join({ key, member: 'm', cursor: '0-0', claim: claim('o') })));
    const again = await answer(log.join({ key, member: 'm', cursor: '0-0', claim: claim('o') }));
    equal([again?.claimed, again?.state.last], [true, first.last], 'the second time');
    const other = await answer(log.join({ key, member: 'n', cursor: '0-0', claim: claim('p') }));
    equal([other?.claimed, other?.state.owner], [false, 'o'], 'another owner');
    await answer(log.seal({ key, condition: 'running', end: 'stopped', record: 'stopped' }));
    const late = await answer(log.join({ key, member: 'm', cursor: '0-0', claim: claim('o') }));
    equal([late?.claimed, late?.state.status], [false, 'stopped'], 'the same owner after the end');
  }),

  define('a key that is over may be claimed as the claim says', async ({ key, open }) => {
    const log = await open();
    const first = await claimed(log, key);
    const entries = chain(first.last, [{ id: `${first.generation}-1`, record: 'head' }]);
    await answer(log.append({ key, owner: 'o', generation: first.generation, entries, head: 'head' }));
    await answer(log.seal({ key, condition: 'running', end: 'lost', record: 'lost' }));
    const lost: EntryId = `${first.generation}-2`;
    const join = (rules: Partial<LogClaim>): Promise<JoinAnswer | undefined> =>
      answer(log.join({ key, member: 'n', cursor: '0-0', claim: { ...claim('p'), ...rules } }));
    equal((await join({ over: ['failed'] }))?.claimed, false, 'a state that the claim does not name');
    equal((await join({ over: ['lost'], last: first.last }))?.claimed, false, 'another newest entry');
    const kept = await join({ over: ['lost'], last: lost, generation: 'same', opening: 'go on' });
    equal(
      [kept?.claimed, kept?.state.status, kept?.state.generation, kept?.state.last, kept?.state.head, kept?.state.end],
      [true, 'running', first.generation, `${first.generation}-3`, 'head', undefined],
      'the same generation',
    );
    await answer(log.seal({ key, condition: 'running', end: 'failed', record: 'failed' }));
    const next = await join({ owner: 'q', over: ['failed'], opening: 'anew' });
    const state = joinedState(next);
    equal(
      [next?.claimed, state.head, state.end, state.opening],
      [true, undefined, undefined, 'anew'],
      'a new generation',
    );
    equal(state.generation > first.generation, true, 'its number');
    const page = await answer(log.read({ key, after: '0-0' }));
    equal(
      page?.entries.map(({ previous, record }) => [previous, record]),
      [
        ['0-0', 'opening'],
        [first.last, 'head'],
        [`${first.generation}-1`, 'lost'],
        [lost, 'go on'],
        [`${first.generation}-3`, 'failed'],
        [`${first.generation}-4`, 'anew'],
      ],
      'entries, each with the one before it',
    );
  }),

  define('a key that is gone is not taken over', async ({ key, open }) => {
    const log = await open();
    const request = { ...claim('o'), last: '5-1', generation: 'same' } as const;
    equal(await answer(log.join({ key, member: 'm', cursor: '0-0', claim: request })), undefined, 'join');
  }),

  define('a restart begins a generation, for the owner alone, and once', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [{ id: `${generation}-1`, record: 'head' }]);
    await answer(log.append({ key, owner: 'o', generation, entries, head: 'head' }));
    const request = { key, owner: 'o', generation, previous: `${generation}-1`, opening: 'restart' } as const;
    equal((await answer(log.restart({ ...request, owner: 'p' }))).result, 'refused', 'another owner');
    equal((await answer(log.restart({ ...request, previous: last }))).result, 'refused', 'another newest entry');
    const { result, state } = await answer(log.restart(request));
    const next = state?.generation ?? 0;
    equal(
      [result, next > generation, state?.last, state?.head, state?.opening],
      ['appended', true, `${next}-0`, undefined, 'restart'],
      'the restart',
    );
    equal((await answer(log.restart(request))).result, 'again', 'the same again');
    equal((await answer(log.restart({ ...request, owner: 'p' }))).result, 'refused', 'the same of another owner');
    equal((await answer(log.restart({ ...request, previous: last }))).result, 'refused', 'the same from another place');
    const old = chain(`${generation}-1`, [{ id: `${generation}-1024`, record: '', payload: [1] }]);
    equal(
      (await answer(log.append({ key, owner: 'o', generation, entries: old }))).result,
      'refused',
      'the old generation',
    );
    const more = chain(`${next}-0`, [{ id: `${next}-1024`, record: '', payload: [1] }]);
    equal(
      (await answer(log.append({ key, owner: 'o', generation: next, entries: more }))).result,
      'appended',
      'the new one',
    );
    const late = { ...request, previous: `${next}-0` } as const;
    equal((await answer(log.restart(late))).result, 'refused', 'a repetition after more was written');
    await answer(log.seal({ key, condition: 'running', end: 'lost', record: 'lost' }));
    const dead = { ...request, generation: next, previous: `${next}-1025` } as const;
    equal((await answer(log.restart(dead))).result, 'refused', 'a restart of what is over');
    equal((await answer(log.inspect(key)))?.last, `${next}-1025`, 'the newest entry after all these');
  }),
];
