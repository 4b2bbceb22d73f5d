import type { AppendAnswer, EntryId } from '../../log/invocation-log.js';
import { answer, chain, claimed, define, equal, shown, type InvocationLogCase, type NewEntry } from './case-bench.js';

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
];
