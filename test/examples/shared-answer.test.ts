import { scripted } from 'rx-lambda-stream/local';
import { followInvocation, memoryLog, stopInvocation } from 'rx-lambda-stream/log';
import { firstValueFrom, lastValueFrom, reduce } from 'rxjs';
import { expect, test } from 'vitest';
import { chatText } from '../../examples/shared-answer.js';
import { outcomeOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';

const whole = reduce((all: string, piece: string) => all + piece, '');

test('a real function is invoked once for many consumers, early, late and after the end', async () => {
  const more = gate();
  const { local, client } = await startLive({
    chat: scripted([{ chunk: 'Hello, ' }, { waitFor: more.opened }, { chunk: 'world' }, { complete: {} }]),
  });
  const log = memoryLog();
  const early = Array.from({ length: 50 }, () => lastValueFrom(chatText(log, client, '1').pipe(whole)));
  expect(await firstValueFrom(chatText(log, client, '1'))).toBe('Hello, ');
  const late = lastValueFrom(chatText(log, client, '1').pipe(whole));
  more.open();
  for (const text of await Promise.all([...early, late])) expect(text).toBe('Hello, world');
  expect(await lastValueFrom(chatText(log, client, '1').pipe(whole))).toBe('Hello, world');
  expect(local.requests).toHaveLength(1);
  await log.close();
});

test('the server sees the connection close at a stop, and when the log is closed', async () => {
  const { local, client } = await startLive({ chat: scripted([{ chunk: 'a' }, 'stall']) });
  const log = memoryLog();
  const stopped = outcomeOf(chatText(log, client, '1'));
  await firstValueFrom(followInvocation(log, 'chat:1'));
  await stopInvocation(log, 'chat:1');
  expect((await stopped).error).toMatchObject({ code: 'stopped' });
  expect(await local.requests[0]?.closedEarly).toBe(true);

  const closed = outcomeOf(chatText(log, client, '2'));
  await firstValueFrom(followInvocation(log, 'chat:2'));
  await log.close();
  expect((await closed).error).toMatchObject({ code: 'producer-lost', reason: 'closed' });
  expect(await local.requests[1]?.closedEarly).toBe(true);
  expect(local.requests).toHaveLength(2);
});
