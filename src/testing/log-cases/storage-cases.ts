import { isLambdaStreamError } from '../../errors.js';
import type { AppendAnswer, EntryId, JoinAnswer, LogClaim, LogState } from '../../log/invocation-log.js';
import {
  answer,
  chain,
  claim,
  claimed,
  define,
  delay,
  equal,
  eventually,
  joinedState,
  leaseMs,
  shortLeaseMs,
  shortTtlMs,
  shown,
  silent,
  ttlMs,
  watchOf,
  type InvocationLogCase,
  type NewEntry,
} from './case-bench.js';

/** What the methods of a log promise, one by one. */
export const storageCases: readonly InvocationLogCase[] = [
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
  }),

  define('entries come back as they were written, in order, whatever bytes they have', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [
      { id: `${generation}-1`, record: '{"k":"event","text":"ü\\u0000 \u{1f600}"}' },
      { id: `${generation}-${4 * 1024}`, record: '', payload: [0, 255, 13, 10] },
      { id: `${generation}-${4 * 1024 + 1}`, record: 'unknown', payload: [0, 0, 0] },
    ]);
    const appended = await answer(log.append({ key, owner: 'o', generation, entries, head: 'the head' }));
    equal(appended.result, 'appended', 'append');
    const state = await answer(other.inspect(key));
    equal([state?.last, state?.head], [entries[2]?.id, 'the head'], 'the state after it');
    const page = await answer(other.read({ key, after: last }));
    equal(page?.entries.map(shown), entries.map(shown), 'what another process reads');
    const rest = await answer(other.read({ key, after: `${generation}-2` }));
    equal(
      rest?.entries.map(({ id }) => id),
      entries.slice(1).map(({ id }) => id),
      'after an id that is no entry',
    );
    equal((await answer(other.read({ key, after: entries[2]?.id ?? '0-0' })))?.entries.length, 0, 'after the newest');
  }),

  define('only the owner appends, in its generation, after the newest entry', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [{ id: `${generation}-1024`, record: '', payload: [1] }]);
    const wrong = [
      { owner: 'p', generation, entries },
      { owner: 'o', generation: generation + 1, entries },
      {
        owner: 'o',
        generation,
        entries: chain(`${generation}-7`, [{ id: `${generation}-1024`, record: '', payload: [1] }]),
      },
    ];
    for (const request of wrong) {
      const refused = await answer(log.append({ key, ...request }));
      equal([refused.result, refused.state?.last], ['refused', last], 'append');
    }
    equal(
      (await answer(log.append({ key: `${key}?`, owner: 'o', generation, entries }))).result,
      'refused',
      'no such key',
    );
    equal((await answer(log.read({ key, after: last })))?.entries.length, 0, 'entries written by those');
  }),

  define('an append that is repeated is answered "again", and stands once', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [
      { id: `${generation}-1024`, record: '', payload: [1] },
      { id: `${generation}-2048`, record: '', payload: [2] },
    ]);
    const results: AppendAnswer[] = [];
    for (let i = 0; i < 3; i++) results.push(await answer(log.append({ key, owner: 'o', generation, entries })));
    equal(
      results.map(({ result }) => result),
      ['appended', 'again', 'again'],
      'answers',
    );
    equal((await answer(log.read({ key, after: last })))?.entries.length, 2, 'entries');
    const end = chain(`${generation}-2048`, [{ id: `${generation}-2049`, record: 'the end' }]);
    const ended = { key, owner: 'o', generation, entries: end, end: 'complete' } as const;
    equal((await answer(log.append(ended))).result, 'appended', 'the end');
    equal((await answer(log.append(ended))).result, 'again', 'the end, again');
  }),

  define(
    'pages hold at most what was asked for and never more than 1 MiB, but at least one entry',
    async ({ key, open }) => {
      const log = await open();
      const { generation, last } = await claimed(log, key);
      const size = 64 * 1024;
      let previous = last;
      for (let batch = 0; batch < 5; batch++) {
        const entries = chain(
          previous,
          Array.from({ length: 8 }, (_, index): NewEntry => ({
            id: `${generation}-${(batch * 8 + index + 1) * size * 1024}`,
            record: '',
            bytes: new Uint8Array(size).fill(batch),
          })),
        );
        equal((await answer(log.append({ key, owner: 'o', generation, entries }))).result, 'appended', 'append');
        previous = entries.at(-1)?.id ?? previous;
      }
      const sizes: number[] = [];
      let at: EntryId = last;
      for (;;) {
        const page = await answer(log.read({ key, after: at }));
        const bytes = page?.entries.reduce((sum, { payload }) => sum + payload.length, 0) ?? 0;
        if (bytes === 0) break;
        sizes.push(bytes);
        at = page?.entries.at(-1)?.id ?? at;
      }
      equal(
        sizes.reduce((sum, bytes) => sum + bytes),
        40 * size,
        'bytes of all pages',
      );
      equal(
        sizes.every((bytes) => bytes <= 1024 * 1024),
        true,
        `pages of at most 1 MiB (${sizes.join(', ')})`,
      );
      equal(
        (await answer(log.read({ key, after: last, maxBytes: 1 })))?.entries.length,
        1,
        'entries of the smallest page',
      );
      equal(
        (await answer(log.read({ key, after: last, maxBytes: 3 * size })))?.entries.length,
        3,
        'entries within 192 KiB',
      );
    },
  ),

  define('what is trimmed is dropped, and the state says up to where', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const entries = chain(
      last,
      Array.from({ length: 9 }, (_, index): NewEntry => ({
        id: `${generation}-${(index + 1) * 1024}`,
        record: '',
        payload: [index],
      })),
    );
    await answer(log.append({ key, owner: 'o', generation, entries }));
    const trim = entries[5]?.id ?? last;
    const more = chain(entries[8]?.id ?? last, [{ id: `${generation}-${10 * 1024}`, record: '', payload: [9] }]);
    await answer(log.append({ key, owner: 'o', generation, entries: more, trim }));
    const state = await answer(log.inspect(key));
    equal(state?.trimmed, trim, 'the state');
    const page = await answer(log.read({ key, after: trim }));
    equal(
      page?.entries.map(({ payload }) => payload[0]),
      [6, 7, 8, 9],
      'what is after it',
    );
  }),

  define('an end is written once, and nothing after it', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [
      { id: `${generation}-1024`, record: '', payload: [1] },
      { id: `${generation}-1025`, record: 'the end' },
    ]);
    await answer(log.append({ key, owner: 'o', generation, entries, end: 'failed' }));
    const state = await answer(log.inspect(key));
    equal([state?.status, state?.end, state?.last], ['failed', 'the end', `${generation}-1025`], 'the state');
    const more = chain(`${generation}-1025`, [{ id: `${generation}-2048`, record: '', payload: [1] }]);
    equal((await answer(log.append({ key, owner: 'o', generation, entries: more }))).result, 'refused', 'an append');
    const sealed = await answer(log.seal({ key, condition: 'running', end: 'stopped', record: 'stop' }));
    equal([sealed.sealed, sealed.state?.status], [false, 'failed'], 'a seal');
    const renewed = await answer(log.renew({ key, reader: { member: 'late', cursor: '0-0' } }));
    equal(
      renewed?.present.some(({ member }) => member === 'late'),
      false,
      'a presence in what is over',
    );
  }),

  define('of an end and a stop at the same moment one is written', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    for (let round = 0; round < 20; round++) {
      const ofRound = `${key}-${round}`;
      const { generation, last } = await claimed(log, ofRound);
      const entries = chain(last, [{ id: `${generation}-1`, record: 'complete' }]);
      const [appended, sealed] = await Promise.all([
        answer(log.append({ key: ofRound, owner: 'o', generation, entries, end: 'complete' })),
        answer(other.seal({ key: ofRound, condition: 'running', end: 'stopped', record: 'stopped' })),
      ]);
      equal(sealed.sealed, appended.result === 'refused', 'exactly one');
      const page = await answer(log.read({ key: ofRound, after: last }));
      equal(
        page?.entries.map(({ record }) => record),
        [page?.state.status],
        'the entry of the one that won',
      );
      equal(page?.state.end, page?.state.status, 'the record of the end');
    }
  }),

  define('a seal holds to its generation, its owner and its condition', async ({ key, open }) => {
    const log = await open();
    const { generation, last } = await claimed(log, key);
    const seal = (request: object): Promise<boolean> =>
      answer(log.seal({ key, condition: 'running', end: 'lost', record: 'lost', ...request })).then(
        ({ sealed }) => sealed,
      );
    equal(await seal({ generation: generation + 1 }), false, 'another generation');
    equal(await seal({ owner: 'p' }), false, 'another owner');
    equal(await seal({ condition: 'lease-over' }), false, 'a lease that is not over');
    equal(await seal({ condition: 'nobody-present' }), false, 'a member who is present');
    equal((await answer(log.inspect(key)))?.last, last, 'the newest entry');
    await answer(log.leave({ key, member: 'm' }));
    equal(await seal({ condition: 'nobody-present', generation, owner: 'o' }), true, 'nobody present');
    const state = await answer(log.inspect(key));
    equal([state?.status, state?.end, state?.last], ['lost', 'lost', `${generation}-1`], 'the state');
  }),

  define('a lease runs out, is taken back, and is lost once that was written down', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const { generation, last } = await claimed(log, key, { leaseMs: shortLeaseMs });
    const seal = (): Promise<boolean> =>
      answer(other.seal({ key, condition: 'lease-over', end: 'lost', record: 'lost' })).then(({ sealed }) => sealed);
    await eventually('the lease is over', async () => ((await answer(other.inspect(key)))?.leaseLeftMs ?? 1) <= 0);
    const renewedAt = Date.now();
    const taken = await answer(log.renew({ key, producer: { owner: 'o', generation } }));
    equal((taken?.state.leaseLeftMs ?? 0) > 0, true, 'the lease that was taken back');
    const isLost = await seal();
    // A machine on which these two calls take as long as the lease says nothing about the log.
    if (Date.now() - renewedAt < shortLeaseMs) equal(isLost, false, 'a loss while the producer lives');
    await eventually('the loss is written', async () => isLost || (await seal()));
    const late = await answer(log.renew({ key, producer: { owner: 'o', generation } }));
    equal(
      [late?.state.status, (late?.state.leaseLeftMs ?? 1) <= 0],
      ['lost', true],
      'a lease that is taken back too late',
    );
    const entries = chain(last, [{ id: `${generation}-1024`, record: '', payload: [1] }]);
    equal((await answer(log.append({ key, owner: 'o', generation, entries }))).result, 'refused', 'an append too late');
  }),

  define('members are present until they leave or fall silent, and return with a renewal', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const { generation } = await claimed(log, key, { leaseMs: shortLeaseMs });
    const roster = async (reader?: { member: string; cursor: EntryId }): Promise<string[]> => {
      const renewed = await answer(log.renew({ key, ...(reader && { reader }), producer: { owner: 'o', generation } }));
      for (const { leftMs } of renewed?.present ?? []) {
        equal(leftMs > 0 && leftMs <= shortLeaseMs, true, 'what is left');
      }
      return (renewed?.present ?? []).map(({ member, cursor }) => `${member} ${cursor}`).sort();
    };
    const m = { member: 'm', cursor: `${generation}-1` } as const;
    // Again where a slow machine let the presence of the other run out in between.
    await eventually('both who joined are present', async () => {
      await answer(other.join({ key, member: 'n', cursor: '0-0' }));
      return (await roster(m)).join() === `m ${generation}-1,n 0-0`;
    });
    await answer(other.leave({ key, member: 'n' }));
    equal(await roster(m), [`m ${generation}-1`], 'when one has left');
    await eventually('the silent one is gone', async () => (await roster()).length === 0);
    equal(await roster({ member: 'm', cursor: '0-0' }), ['m 0-0'], 'when it is back');
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
  }),

  define('watchers are told of every entry with its bytes, and of who comes and goes', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const seen = watchOf(other, key);
    await eventually('the watch is ready', () => seen.ready > 0);
    const { generation, last } = await claimed(log, key);
    const entries = chain(last, [{ id: `${generation}-3072`, record: '', payload: [0, 255, 10] }]);
    await answer(log.append({ key, owner: 'o', generation, entries }));
    const restarted = await answer(
      log.restart({ key, owner: 'o', generation, previous: `${generation}-3072`, opening: 'restart' }),
    );
    await answer(log.seal({ key, condition: 'running', end: 'stopped', record: 'stopped' }));
    const next = restarted.state?.generation ?? 0;
    const expected = [
      { id: last, previous: '0-0', record: 'opening', payload: [] },
      { id: `${generation}-3072`, previous: last, record: '', payload: [0, 255, 10] },
      { id: `${next}-0`, previous: `${generation}-3072`, record: 'restart', payload: [] },
      { id: `${next}-1`, previous: `${next}-0`, record: 'stopped', payload: [] },
    ];
    await eventually('all entries are told', () => seen.entries.size >= expected.length);
    equal([...seen.entries.values()].map(shown), expected, 'the entries that were told');

    const ofPresence = `${key}-presence`;
    const watching = watchOf(log, ofPresence);
    await eventually('the watch is ready', () => watching.ready > 0);
    await claimed(log, ofPresence);
    for (const step of [
      () => answer(other.join({ key: ofPresence, member: 'n', cursor: '0-0' })),
      () => answer(other.renew({ key: ofPresence, reader: { member: 'n', cursor: '0-0' }, announce: true })),
      () => answer(other.leave({ key: ofPresence, member: 'n' })),
    ]) {
      const before = watching.presence;
      await step();
      await eventually('a change of presence is told', () => watching.presence > before);
    }
    seen.stop();
    watching.stop();
  }),

  define('whoever has stopped to watch is told nothing more', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    const [gone, there] = [watchOf(other, key), watchOf(other, key)];
    await eventually('both watches are ready', () => gone.ready > 0 && there.ready > 0);
    gone.stop();
    await claimed(log, key);
    await eventually('the one that stays is told', () => there.entries.size === 1);
    equal(gone.entries.size, 0, 'entries told to the one that has gone');
    there.stop();
  }),

  define('what is forgotten is gone, and its generation does not come again', async ({ key, open }) => {
    const log = await open();
    const { generation } = await claimed(log, key);
    await answer(log.forget(key));
    equal(await answer(log.inspect(key)), undefined, 'inspect');
    equal(
      (
        await answer(
          log.append({
            key,
            owner: 'o',
            generation,
            entries: chain(`${generation}-0`, [{ id: `${generation}-1`, record: 'x' }]),
          }),
        )
      ).result,
      'refused',
      'append',
    );
    const anew = await claimed(log, key, { owner: 'p' });
    equal(anew.generation > generation, true, 'the next generation');
  }),

  define('a key is kept while its producer renews, and for its time to live after the end', async ({ key, open }) => {
    const log = await open();
    const begin = (): Promise<LogState> => claimed(log, key, { ttlMs: shortTtlMs });
    let { generation } = await begin();
    let [renewedAt, startedAt] = [Date.now(), Date.now()];
    while (Date.now() - startedAt < 2.5 * shortTtlMs) {
      const sentAt = Date.now();
      const renewed = await answer(log.renew({ key, producer: { owner: 'o', generation } }));
      if (renewed === undefined && Date.now() - renewedAt >= shortTtlMs) {
        // The machine was busy for longer than the key is kept, which says nothing about the log.
        ({ generation } = await begin());
        startedAt = Date.now();
      } else {
        equal(renewed?.state.status, 'running', 'while it is renewed');
      }
      renewedAt = sentAt;
      await delay(50);
    }
    const sealedAt = Date.now();
    await answer(log.seal({ key, condition: 'running', end: 'stopped', record: 'stopped' }));
    const { status } = (await answer(log.inspect(key))) ?? {};
    if (Date.now() - sealedAt < shortTtlMs) equal(status, 'stopped', 'right after the end');
    await eventually('the key is gone', async () => (await answer(log.inspect(key))) === undefined);
    equal(await answer(log.read({ key, after: '0-0' })), undefined, 'its entries');
  }),

  define('keys of any text are different keys', async ({ key, open }) => {
    const log = await open();
    const texts = [
      '',
      '}',
      '{',
      '{}',
      'a{b}c',
      '%',
      '%7D',
      ':',
      ' ',
      '*',
      '\u{1f600}',
      '\n',
      '\u0000',
      'ü'.repeat(200),
    ];
    const keys = texts.map((text) => `${key}${text}`);
    const states = await Promise.all(keys.map((each, index) => claimed(log, each, { owner: `o${index}` })));
    const owners = await Promise.all(keys.map((each) => answer(log.inspect(each)).then((state) => state?.owner)));
    equal(
      owners,
      states.map(({ owner }) => owner),
      'the owner of each',
    );
  }),

  define(
    'closing asks every watcher, waits for what they still have to write, and refuses what comes after',
    async ({ key, open }) => {
      const [log, other] = [await open(), await open()];
      const { generation } = await claimed(log, key);
      let sealed: boolean | undefined;
      const stop = log.watch(key, {
        ...silent,
        async closing() {
          await delay(20);
          const record = 'closed';
          sealed = (await answer(log.seal({ key, generation, owner: 'o', condition: 'running', end: 'lost', record })))
            .sealed;
        },
      });
      await Promise.all([log.close(), log.close()]);
      stop();
      equal(sealed, true, 'the end that was written while closing');
      equal((await answer(other.inspect(key)))?.status, 'lost', 'what another process sees');
      const refusal = await answer(log.inspect(key)).then(
        () => 'an answer',
        (error: unknown) => isLambdaStreamError(error) && error.code,
      );
      equal(refusal, 'log-unavailable', 'a call after it');
    },
  ),
];
