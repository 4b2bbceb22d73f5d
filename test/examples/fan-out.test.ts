import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lastValueFrom, NEVER, tap, timer, toArray } from 'rxjs';
import type { LambdaStreamClient, LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fanOut } from '../../examples/fan-out.js';
import { marbles } from '../support/marbles.js';
import { startLive } from '../support/live.js';

/** Never asked: the fake answers in its place. */
const client = {} as LambdaStreamClient;
const input = { FunctionName: 'rows' };

const values = {
  h: headEvent(),
  a: chunkEvent('{"id":1}\n{"i'),
  b: chunkEvent('d":2}\n'),
  c: completeEvent(),
};

describe('the fan-out', () => {
  test(
    'feeds text, records and statistics from one invocation, each at its own pace',
    marbles((m) => {
      const response = m.cold<LambdaStreamEvent>('h 9ms a 9ms b 9ms (c|)', values);
      const subscription = '                      ^ 29ms !';
      // Statistics at most each 100 ms, the last ones with the end.
      const result = '                            x 99ms (y|)';

      const log: string[] = [];
      const at = (what: string): unknown => log.push(`${m.scheduler.now()} ${what}`);
      const invoke = fakeInvoke({ rows: response });
      const statistics = fanOut<{ id: number }>(
        client,
        input,
        {
          write: (text) => at(`text ${JSON.stringify(text)}`),
          save: ({ id }) => {
            at(`saving ${id}`);
            return timer(20).pipe(tap(() => at(`saved ${id}`)));
          },
        },
        invoke,
      );
      m.expect(statistics).toBeObservable(result, { x: { chunks: 0, bytes: 0 }, y: { chunks: 2, bytes: 18 } });
      m.expect(response).toHaveSubscriptions(subscription);
      m.flush();
      expect(log).toEqual([
        '10 text "{\\"id\\":1}\\n{\\"i"',
        '10 saving 1',
        '20 text "d\\":2}\\n"',
        '30 saved 1',
        '30 saving 2',
        '50 saved 2',
      ]);
      expect(invoke.subscriptions).toBe(1);
    }),
  );

  test(
    'asks for a pause while 64 records wait, and for more at 32',
    marbles((m) => {
      const rows = chunkEvent(Array.from({ length: 64 }, (_, id) => `{"id":${id}}\n`).join(''));
      const invoke = fakeInvoke({ rows: m.cold<LambdaStreamEvent>('h 9ms r 99ms (c|)', { ...values, r: rows }) });
      fanOut(client, input, { write: () => undefined, save: () => timer(1) }, invoke).subscribe();
      m.flush();
      expect(invoke.invocations[0]!.pauses).toEqual([
        { frame: 0, paused: false },
        { frame: 10, paused: true },
        { frame: 42, paused: false },
      ]);
    }),
  );

  test(
    'ends all of it when one consumer fails, in that frame',
    marbles((m) => {
      const response = m.cold<LambdaStreamEvent>('h 9ms a 9ms b 9ms (c|)', values);
      const full = new Error('disk full');
      const targets = {
        write: () => undefined,
        save: () => timer(5).pipe(tap(() => { throw full; })), // prettier-ignore
      };
      const statistics = fanOut(client, input, targets, fakeInvoke({ rows: response }));
      m.expect(statistics).toBeObservable('x 14ms #', { x: { chunks: 0, bytes: 0 } }, full);
      m.expect(response).toHaveSubscriptions('^ 14ms !');
    }),
  );

  test(
    'closes the connection when it is unsubscribed from',
    marbles((m) => {
      const response = m.cold<LambdaStreamEvent>('h 9ms a 9ms b', values);
      const statistics = fanOut(
        client,
        input,
        { write: () => undefined, save: () => NEVER },
        fakeInvoke({ rows: response }),
      );
      m.expect(statistics, '^ 14ms !').toBeObservable('x', { x: { chunks: 0, bytes: 0 } });
      m.expect(response).toHaveSubscriptions('^ 14ms !');
    }),
  );

  test('writes every record of a real response to a file, and its text besides', async () => {
    const ndjson = Array.from({ length: 5_000 }, (_, id) => `${JSON.stringify({ id, name: 'Zoë €' })}\n`).join('');
    const { local, client: live } = await startLive({
      rows: async function* () {
        for (let at = 0; at < ndjson.length; at += 1_000) yield await Promise.resolve(ndjson.slice(at, at + 1_000));
      },
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'fan-out-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const name = path.join(folder, 'rows.ndjson');
    const file = await open(name, 'w');

    let text = '';
    const statistics = await lastValueFrom(
      fanOut(live, input, {
        write: (piece) => (text += piece),
        save: (record) => file.appendFile(`${JSON.stringify(record)}\n`),
      }).pipe(toArray()),
    );
    await file.close();
    expect(text).toBe(ndjson);
    expect(await readFile(name, 'utf8')).toBe(ndjson);
    expect(statistics.at(-1)!.bytes).toBe(Buffer.byteLength(ndjson));
    expect(local.requests).toHaveLength(1);
  });
});
