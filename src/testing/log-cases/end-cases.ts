import type { EntryId, LogState } from '../../log/invocation-log.js';
import {
  answer,
  chain,
  claimed,
  define,
  delay,
  equal,
  eventually,
  shortLeaseMs,
  shortTtlMs,
  type InvocationLogCase,
} from './case-bench.js';

/** Ends, leases, presence, and how long a key is kept. */
export const endCases: readonly InvocationLogCase[] = [
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
    const joined = await answer(log.join({ key, member: 'late', cursor: '0-0' }));
    equal(
      joined?.present.some(({ member }) => member === 'late'),
      false,
      'who joins what is over',
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

  define('a lease is renewed by its owner in its generation, and by nobody else', async ({ key, open }) => {
    const log = await open();
    const { generation } = await claimed(log, key);
    const left = async (producer?: { owner: string; generation: number }): Promise<number> => {
      // The log's clock goes on, so that each renewal that counts shows.
      await delay(20);
      return (await answer(log.renew({ key, ...(producer && { producer }) })))?.state.leaseLeftMs ?? Infinity;
    };
    const before = await left();
    const others = [
      await left({ owner: 'p', generation }),
      await left({ owner: 'o', generation: generation + 1 }),
      await left({ owner: 'o', generation: generation - 1 }),
    ];
    equal(
      others.every((ms, index) => ms < (others[index - 1] ?? before)),
      true,
      `a lease that runs on (${before}, then ${others.join(', ')})`,
    );
    equal((await left({ owner: 'o', generation })) > (others[2] ?? 0), true, 'a lease that is renewed');
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

  define('an end gives the key its time to live anew, whoever writes it', async ({ key, open }) => {
    const log = await open();
    const endings = {
      append: (each: string, { generation, last }: LogState) => {
        const entries = chain(last, [{ id: `${generation}-1`, record: 'end' }]);
        return answer(log.append({ key: each, owner: 'o', generation, entries, end: 'complete' }));
      },
      seal: (each: string) => answer(log.seal({ key: each, condition: 'running', end: 'lost', record: 'end' })),
    };
    for (const [name, end] of Object.entries(endings)) {
      // Tries anew where the machine was busy for longer than the key is kept, which says nothing about the log.
      for (let attempt = 0; ; attempt++) {
        const each = `${key}-${name}-${attempt}`;
        const state = await claimed(log, each, { ttlMs: shortTtlMs });
        await delay(0.7 * shortTtlMs);
        const endedAt = Date.now();
        const ended = await end(each, state);
        await delay(0.6 * shortTtlMs);
        const kept = await answer(log.inspect(each));
        if (ended.state === undefined && kept === undefined && attempt < 5) continue;
        if (Date.now() - endedAt >= shortTtlMs && attempt < 5) continue;
        equal(kept?.end, 'end', `what is kept after the end of ${name}`);
        break;
      }
    }
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
];
