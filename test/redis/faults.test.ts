import { defer, throwError, toArray, lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { ProtocolError, retryInvocation } from '../../src/index.js';
import { followInvocation, joinInvocation } from '../../src/log/index.js';
import type { EntryId, LogEntry } from '../../src/log/invocation-log.js';
import { serviceException } from '../../src/testing/index.js';
import { expectNoStrays } from '../support/no-strays.js';
import { until } from '../support/redis-server.js';
import { consume, tokens } from './consume.js';
import { numberedBytes } from './numbered-bytes.js';
import { answer, chunksAfter, claimOf } from './recorder.js';
import { everySetting, useRedis } from './use-redis.js';

expectNoStrays();

const on = useRedis();

/** The id of an entry without payload after another one. */
const nextOf = (id: EntryId): EntryId => `${id.split('-')[0]}-${Number(id.split('-')[1]) + 1}` as EntryId;

const withoutPayload = (previous: EntryId, record: string): LogEntry => ({
  id: nextOf(previous),
  previous,
  record,
  payload: new Uint8Array(0),
});

describe.each(everySetting)('over %s', (client) => {
  const redis = on(client);

  test('nine throttles before the first byte are told on every machine, in their order', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    let attempts = 0;
    const throttled = serviceException('TooManyRequestsException');
    const open = () =>
      defer(() => {
        attempts += 1;
        return attempts <= 9 ? throwError(() => throttled) : tokens(3, 1);
      }).pipe(retryInvocation({ maxAttempts: 10, initialDelayMs: 1, maxDelayMs: 1 }));
    const own = await lastValueFrom(joinInvocation(one, `throttles ${client}`, open).pipe(toArray()));
    const other = await lastValueFrom(followInvocation(two, `throttles ${client}`).pipe(toArray()));
    for (const events of [own, other]) {
      const retries = events.flatMap((event) => (event.type === 'retry' ? [event.attempt] : []));
      expect(retries).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
      // Chunks may be joined.
      const bytes = events.reduce((sum, event) => sum + (event.type === 'chunk' ? event.payload.length : 0), 0);
      expect(bytes).toBe(15);
    }
  });

  test('kinds and fields of a later version are passed over, read and live', async () => {
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => redis.openMachine()));
    const key = `later ${client}`;
    const claim = { ...claimOf('one'), opening: '{"v":1,"k":"open","later":true}' };
    const { state } = (await answer(one!.join({ key, member: 'm', cursor: '0-0', claim })))!;
    const { generation } = state;
    const append = async (entries: LogEntry[], end?: 'complete'): Promise<void> => {
      const { result } = await answer(one!.append({ key, owner: 'one', generation, entries, ...(end && { end }) }));
      expect(result).toBe('appended');
    };
    const live = consume(followInvocation(two!, key));
    const [chunk] = chunksAfter(state.last, numberedBytes(0, 3));
    await append([chunk!]);
    await until(() => live.bytes === 3);

    // Live, over pub/sub: another kind of entry, and another kind of message.
    const kind = withoutPayload(chunk!.id, '{"k":"later","event":{"type":"later"}}');
    await append([kind]);
    const event = withoutPayload(kind.id, '{"k":"event","event":{"type":"later"}}');
    await append([event]);
    const [server] = await redis.servers();
    const publish = client.includes('cluster') ? 'SPUBLISH' : 'PUBLISH';
    await server!.cli('-c', publish, `rx:{${key}}:live`, 'l a message of a later version');
    const [more] = chunksAfter(event.id, numberedBytes(3, 1));
    await append([more!]);
    await until(() => live.bytes === 4);

    // Fields of an entry that this version does not write.
    const [wide] = chunksAfter(more!.id, numberedBytes(4, 1));
    const second = wide!.id.split('-')[1]!;
    const before = more!.id.split('-')[1]!;
    const fields = ['later', 'x', 'p', before, 'b', String.fromCharCode(...numberedBytes(4, 1)), 'z', ''];
    await server!.cli('-c', 'XADD', `rx:{${key}}:log`, wide!.id, ...fields);
    await server!.cli('-c', 'HSET', `rx:{${key}}:meta`, 'last', second);
    const end = withoutPayload(wide!.id, '{"k":"end","end":"complete","later":1}');
    await append([end], 'complete');

    const reading = consume(followInvocation(three!, key));
    await Promise.all([live.ended, reading.ended]);
    for (const { error, bytes, isWhole, kinds } of [live, reading]) {
      expect({ error, bytes, isWhole, kinds }).toEqual({ error: undefined, bytes: 5, isWhole: true, kinds: [] });
    }
  });

  test('a later version of the log is refused, also where it begins while a consumer follows', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const key = `newer ${client}`;
    const { state } = (await answer(one.join({ key, member: 'm', cursor: '0-0', claim: claimOf('one') })))!;
    const following = consume(followInvocation(two, key));
    const [chunk] = chunksAfter(state.last, numberedBytes(0, 1));
    const { generation } = state;
    await answer(one.append({ key, owner: 'one', generation, entries: [chunk!] }));
    await until(() => following.bytes === 1);
    const opening = '{"v":2,"k":"open"}';
    await answer(one.restart({ key, owner: 'one', generation, previous: chunk!.id, opening }));
    const late = consume(followInvocation(two, key));
    await Promise.all([following.ended, late.ended]);
    expect(following.error).toBeInstanceOf(ProtocolError);
    expect(late.error).toBeInstanceOf(ProtocolError);
  });

  test('a server that runs out of memory in a stream: every consumer is told, and has only whole bytes', async () => {
    const [one, two] = await Promise.all([redis.openMachine(), redis.openMachine()]);
    const own = consume(joinInvocation(one, `memory ${client}`, () => tokens(4_000, 5)));
    await until(() => own.bytes >= 50);
    const other = consume(followInvocation(two, `memory ${client}`));
    await until(() => other.bytes >= 50);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    try {
      await Promise.all([own.ended, other.ended]);
      for (const { end, isWhole } of [own, other]) {
        expect({ end, isWhole }).toEqual({ end: 'log-unavailable', isWhole: true });
      }
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });
});
