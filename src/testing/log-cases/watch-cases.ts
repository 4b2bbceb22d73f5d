import { isLambdaStreamError } from '../../errors.js';
import {
  answer,
  chain,
  claimed,
  define,
  delay,
  equal,
  eventually,
  shown,
  silent,
  watchOf,
  type InvocationLogCase,
} from './case-bench.js';

/** What watchers are told, keys apart, and closing. */
export const watchCases: readonly InvocationLogCase[] = [
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

  define('whoever leaves and closes its log at once is no longer present when it is closed', async ({ key, open }) => {
    const [log, other] = [await open(), await open()];
    await claimed(other, key);
    await answer(log.join({ key, member: 'n', cursor: '0-0' }));
    void log.leave({ key, member: 'n' });
    await log.close();
    const { present = [] } = (await answer(other.renew({ key }))) ?? {};
    equal(
      present.map(({ member }) => member),
      ['m'],
      'who is present',
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
