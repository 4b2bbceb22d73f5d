import {
  decodeText,
  invokeWithResponseStream,
  parseNdjson,
  retryInvocation,
  shareInvocation,
  toSnapshots,
} from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { firstValueFrom, forkJoin, last, lastValueFrom, reduce, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { gate, httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const input = { FunctionName: 'f' };

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  test('many consumers of all kinds, early, late and after the end, are one request', async () => {
    const more = gate();
    const { local, client } = await startLive(
      { f: scripted([{ chunk: '{"id":1}\n{"i' }, { waitFor: more.opened }, { chunk: 'd":2}\n' }, { complete: {} }]) },
      { requestHandler: requestHandler() },
    );
    const shared = invokeWithResponseStream(client, input).pipe(shareInvocation());
    const text = shared.pipe(
      decodeText(),
      reduce((all, piece) => all + piece, ''),
    );
    const early = firstValueFrom(
      forkJoin([text, shared.pipe(parseNdjson(), toArray()), shared.pipe(toSnapshots(), last())]),
    );
    await firstValueFrom(shared.pipe(decodeText()));
    const late = firstValueFrom(text);
    more.open();

    const whole = '{"id":1}\n{"id":2}\n';
    const [earlyText, records, snapshot] = await early;
    expect(earlyText).toBe(whole);
    expect(records).toEqual([{ id: 1 }, { id: 2 }]);
    expect(snapshot).toMatchObject({ status: 'complete', text: whole, bytes: 18 });
    expect(await late).toBe(whole);
    expect(await firstValueFrom(text)).toBe(whole);
    expect(local.requests).toHaveLength(1);
  });

  test('the last consumer to leave closes the connection, and the next one sends a new request', async () => {
    const { local, client } = await startLive(
      { f: scripted([{ chunk: 'a' }, 'stall']) },
      { requestHandler: requestHandler() },
    );
    const shared = invokeWithResponseStream(client, input).pipe(shareInvocation());
    const stays = shared.subscribe();
    await firstValueFrom(shared.pipe(decodeText()));
    await lastValueFrom(shared.pipe(take(2)));
    expect(local.requests).toHaveLength(1);
    stays.unsubscribe();
    expect(await local.requests[0]!.closedEarly).toBe(true);

    expect(await firstValueFrom(shared.pipe(decodeText()))).toBe('a');
    expect(local.requests).toHaveLength(2);
    expect(await local.requests[1]!.closedEarly).toBe(true);
  });

  test('a failure reaches all, and the next consumer invokes anew', async () => {
    const { local, client } = await startLive(
      {
        f: scripted((_request, attempt) =>
          attempt === 1 ? [{ chunk: 'half' }, 'end'] : [{ chunk: 'whole' }, { complete: {} }],
        ),
      },
      { requestHandler: requestHandler() },
    );
    const shared = invokeWithResponseStream(client, input).pipe(shareInvocation());
    const outcomes = await Promise.all([outcomeOf(shared), outcomeOf(shared)]);
    for (const { error } of outcomes) expect(error).toMatchObject({ code: 'truncated' });
    expect(local.requests).toHaveLength(1);
    expect(textOf((await outcomeOf(shared)).values)).toBe('whole');
    expect(local.requests).toHaveLength(2);
  });
});

test('attempts are shared behind retryInvocation, and a restart voids the replay', async () => {
  const { local, client } = await startLive({
    f: scripted((_request, attempt) =>
      attempt === 1 ? [{ chunk: 'half' }, 'end'] : [{ chunk: 'whole' }, { complete: {} }],
    ),
  });
  const retries = retryInvocation({ idempotent: true, afterFirstChunk: 'restart', initialDelayMs: 1 });
  const shared = invokeWithResponseStream(client, input).pipe(retries, shareInvocation());
  const [first, second] = await Promise.all([outcomeOf(shared), outcomeOf(shared)]);
  expect(typesOf(first.values)).toBe('head chunk retry head chunk complete');
  expect(second.values).toEqual(first.values);
  const late = await outcomeOf(shared);
  expect(typesOf(late.values)).toBe('retry head chunk complete');
  expect(textOf(late.values)).toBe('whole');
  expect(local.requests).toHaveLength(2);
});
