import type { AppendAnswer, EntryId } from '../../log/invocation-log.js';
import {
  answer,
  chain,
  claim,
  claimed,
  define,
  equal,
  eventually,
  shown,
  silent,
  type InvocationLogCase,
  type NewEntry,
} from './case-bench.js';

/** Entries: appends, pages, what is trimmed. */
export const entryCases: readonly InvocationLogCase[] = [
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
    const stranger = { key, owner: 'p', generation, entries };
    equal((await answer(log.append(stranger))).result, 'refused', 'the same entries of another owner');
    const end = chain(`${generation}-2048`, [{ id: `${generation}-2049`, record: 'the end' }]);
    const ended = { key, owner: 'o', generation, entries: end, end: 'complete' } as const;
    equal((await answer(log.append(ended))).result, 'appended', 'the end');
    equal((await answer(log.append(ended))).result, 'again', 'the end, again');
  }),

  define('an end that somebody else has written is no repetition, though it has the same id', async ({ key, open }) => {
    const log = await open();
    for (const end of [undefined, 'complete', 'failed'] as const) {
      const ofEnd = `${key}-${end}`;
      const { generation, last } = await claimed(log, ofEnd);
      await answer(log.seal({ key: ofEnd, condition: 'running', end: 'failed', record: 'of another' }));
      const entries = chain(last, [{ id: `${generation}-1`, record: 'mine' }]);
      const request = { key: ofEnd, owner: 'o', generation, entries, ...(end && { end }) };
      equal((await answer(log.append(request))).result, 'refused', `an append that ends as ${end}`);
      const page = await answer(log.read({ key: ofEnd, after: last }));
      equal(
        page?.entries.map(({ record }) => record),
        ['of another'],
        'entries',
      );
    }
  }),

  define(
    'entries are the log’s own: bytes that are changed elsewhere stay as they were written',
    async ({ key, open }) => {
      const [log, other] = [await open(), await open()];
      const told: Uint8Array[] = [];
      let isReady = false;
      const scribble = ({ payload }: { payload: Uint8Array }): unknown => payload.fill(9);
      const stop = other.watch(key, {
        ...silent,
        ready: () => (isReady = true),
        entries: (entries) => {
          told.push(...entries.map(({ payload }) => payload.slice()).filter(({ length }) => length > 0));
          entries.forEach(scribble);
        },
      });
      await eventually('the watcher is ready', () => isReady);
      const { generation, last } = await claimed(log, key);
      const entries = chain(last, [{ id: `${generation}-2048`, record: '', payload: [1, 2] }]);
      await answer(log.append({ key, owner: 'o', generation, entries }));
      await eventually('the watcher is told', () => told.length > 0);
      stop();
      equal([...(told[0] ?? [])], [1, 2], 'what it is told');
      equal([...(entries[0]?.payload ?? [])], [1, 2], 'what the writer has');
      entries.forEach(scribble);
      for (const when of ['after the writer and a watcher have changed theirs', 'after a reader has changed its own']) {
        const page = await answer(other.read({ key, after: last }));
        equal([...(page?.entries[0]?.payload ?? [])], [1, 2], when);
        page?.entries.forEach(scribble);
      }
    },
  ),

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
      const most = await answer(log.read({ key, after: last, maxBytes: 8 * 1024 * 1024 }));
      const bytes = most?.entries.reduce((sum, { payload }) => sum + payload.length, 0) ?? 0;
      equal(bytes <= 1024 * 1024, true, `a page for which more was asked (${bytes})`);
      const record = 'r'.repeat(1000);
      const records = chain(
        previous,
        Array.from({ length: 4 }, (_, index): NewEntry => ({ id: entryAfter(previous, index + 1), record })),
      );
      await answer(log.append({ key, owner: 'o', generation, entries: records }));
      equal(
        (await answer(log.read({ key, after: previous, maxBytes: 2500 })))?.entries.length,
        2,
        'entries of 1,000 bytes in their records, within 2,500 bytes',
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
    const all = await answer(log.read({ key, after: '0-0' }));
    equal(all?.entries[0]?.previous, all?.state.trimmed ?? '0-0', 'the first entry that is held follows it');
    const newest = more[0]?.id ?? last;
    const final = chain(newest, [{ id: `${generation}-${11 * 1024}`, record: '', payload: [10] }]);
    await answer(log.append({ key, owner: 'o', generation, entries: final, trim: `${generation}-${99 * 1024}` }));
    const rest = await answer(log.read({ key, after: '0-0' }));
    equal(rest?.entries.map(shown), final.map(shown), 'the newest entry, which is never dropped');
    await answer(log.seal({ key, condition: 'running', end: 'lost', record: 'lost' }));
    const anew = await answer(log.join({ key, member: 'n', cursor: '0-0', claim: { ...claim('p'), over: ['lost'] } }));
    equal([anew?.claimed, anew?.state.trimmed !== undefined], [true, true], 'what a new claim tells of it');
  }),
];

/** The id of an entry without payload, so many places after another one. */
const entryAfter = (id: EntryId, places: number): EntryId => {
  const [generation, second] = id.split('-').map(Number) as [number, number];
  return `${generation}-${second + places}`;
};
