import { InvokeWithResponseStreamCommand, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { concatMap, from, lastValueFrom, range, Subject, switchMap, take, toArray, type Subscription } from 'rxjs';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { scripted, type LocalLambda } from 'rx-lambda-stream/local';
import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.js';
import { ofType, outcomeOf, subscribeUntil, textOf, typesOf } from '../support/collect.js';
import { gate, httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const moments = [
  ['', () => Promise.resolve()],
  [' after a garbage collection', collectGarbage],
] as const;

describe.each(httpHandlers)('with %s', (name, requestHandler) => {
  const config = (): LambdaClientConfig => ({ requestHandler: requestHandler() });

  it('unsubscribing before the request is signed sends nothing', async () => {
    const { opened, open } = gate();
    let asked = 0;
    const { local, client } = await startLive(
      { f: scripted([{ complete: {} }]) },
      {
        ...config(),
        credentials: async () => {
          asked++;
          await opened;
          return { accessKeyId: 'a', secretAccessKey: 'b' };
        },
      },
    );
    const subscription = invokeWithResponseStream(client, { FunctionName: 'f', Payload: 'cancelled' }).subscribe();
    while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();
    open();
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', Payload: 'sent' }));
    expect(local.requests.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(['sent']);
  });

  describe.each(moments)('unsubscribing%s closes the connection', (when, wait) => {
    async function expectClosed(local: LocalLambda, subscription: Subscription): Promise<void> {
      await wait();
      subscription.unsubscribe();
      expect(await (await local.request(0)).closedEarly).toBe(true);
    }

    if (name === 'FetchHttpHandler' && when !== '') {
      // Node's fetch loses its abort signal to the garbage collector (https://github.com/nodejs/undici/issues/3644).
      // Before the headers there is no body to cancel, and only Node's fetch knows the connection.
      it('before the headers, as soon as Node’s fetch has collected the response that nobody reads', async () => {
        const { opened, open } = gate();
        const { local, client } = await startLive({ f: scripted([{ waitFor: opened }, 'flush', 'stall']) }, config());
        const subscription = invokeWithResponseStream(client, { FunctionName: 'f' }).subscribe();
        const { closedEarly } = await local.request(0);
        await wait();
        subscription.unsubscribe();
        open();
        let closed: boolean | undefined;
        void closedEarly.then((early) => (closed = early));
        while (closed === undefined) await collectGarbage();
        expect(closed).toBe(true);
      });
    } else {
      it('before the headers', async () => {
        const { local, client } = await startLive({ f: scripted(['stall']) }, config());
        const subscription = invokeWithResponseStream(client, { FunctionName: 'f' }).subscribe();
        await local.request(0);
        await expectClosed(local, subscription);
      });
    }

    it('between the headers and the first frame', async () => {
      const { local, client } = await startLive({ f: scripted(['flush', 'stall']) }, config());
      const { subscription, events, errors } = await subscribeUntil(
        invokeWithResponseStream(client, { FunctionName: 'f' }),
        ofType('head'),
      );
      await expectClosed(local, subscription);
      expect([typesOf(events), errors]).toEqual(['head', []]);
    });

    it('mid-stream, with a read pending and the stream idle', async () => {
      const { local, client } = await startLive({ f: scripted([{ chunk: 'one' }, 'stall']) }, config());
      const { subscription, events, errors } = await subscribeUntil(
        invokeWithResponseStream(client, { FunctionName: 'f' }),
        ofType('chunk'),
      );
      await expectClosed(local, subscription);
      expect([textOf(events), errors]).toEqual(['one', []]);
    });

    it('mid-stream, while the server writes without end', async () => {
      const { local, client } = await startLive(
        {
          f: async function* () {
            for (;;) {
              await new Promise((resolve) => setImmediate(resolve));
              yield 'more ';
            }
          },
        },
        config(),
      );
      const { subscription, events, errors } = await subscribeUntil(
        invokeWithResponseStream(client, { FunctionName: 'f' }),
        ofType('chunk'),
      );
      await wait();
      const before = events.length;
      subscription.unsubscribe();
      expect(await (await local.request(0)).closedEarly).toBe(true);
      expect([events.length, errors]).toEqual([before, []]);
    });

    it('in the middle of a burst of frames, of which no more is delivered', async () => {
      const burst = Array.from({ length: 50 }, (_, i) => ({ chunk: `${i} ` }));
      const { local, client } = await startLive({ f: scripted([{ batch: burst }, 'stall']) }, config());
      const { values, completed } = await outcomeOf(
        invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(take(4)),
      );
      expect([textOf(values), completed]).toEqual(['0 1 2 ', true]);
      expect(await local.requests[0]?.closedEarly).toBe(true);
    });
  });

  it('take(1) two hundred times leaves room for one more call on the default 50 sockets', async () => {
    const { local, client } = await startLive({ f: scripted([{ chunk: 'one' }, 'stall']) }, config());
    const firsts = await lastValueFrom(
      range(200).pipe(
        concatMap(() => invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(take(1))),
        toArray(),
      ),
    );
    expect(typesOf(firsts)).toBe(Array(200).fill('head').join(' '));
    const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(take(2)));
    expect(typesOf(values)).toBe('head chunk');
    expect(await Promise.all(local.requests.map(({ closedEarly }) => closedEarly))).toEqual(Array(201).fill(true));
  });

  it('switchMap over twenty inputs leaves only the last one open', async () => {
    const { local, client } = await startLive(
      {
        f: scripted(({ payload }) =>
          new TextDecoder().decode(payload) === '19'
            ? [{ chunk: 'the last' }, { complete: {} }]
            : [{ chunk: 'outdated' }, 'stall'],
        ),
      },
      config(),
    );
    const inputs = new Subject<number>();
    const result = outcomeOf(
      inputs.pipe(switchMap((n) => invokeWithResponseStream(client, { FunctionName: 'f', Payload: `${n}` }))),
    );
    for (let n = 0; n < 20; n++) {
      inputs.next(n);
      await local.request(n);
    }
    inputs.complete();
    expect(textOf((await result).values)).toMatch(/the last$/);
    const ends = await Promise.all(local.requests.map(({ closedEarly }) => closedEarly));
    expect(ends).toEqual([...Array<boolean>(19).fill(true), false]);
    // At most the last one's, kept for the next request. Sockets take a moment to close.
    while (local.openConnections > 1) await new Promise((resolve) => setImmediate(resolve));
  });

  it('many streams that are left at once are all closed', async () => {
    const { local, client } = await startLive({ f: scripted([{ chunk: 'one' }, 'stall']) }, config());
    const streams = await Promise.all(
      Array.from({ length: 40 }, () =>
        subscribeUntil(invokeWithResponseStream(client, { FunctionName: 'f' }), ofType('chunk')),
      ),
    );
    for (const { subscription } of streams) subscription.unsubscribe();
    expect(await Promise.all(local.requests.map(({ closedEarly }) => closedEarly))).toEqual(Array(40).fill(true));
  });

  it('the client works on afterwards', async () => {
    const { client } = await startLive({ f: scripted([{ chunk: 'one' }, { complete: {} }]) }, config());
    await lastValueFrom(
      from([1, 2, 3]).pipe(concatMap(() => invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(take(1)))),
    );
    const output = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }));
    const seen: string[] = [];
    for await (const event of output.EventStream!) seen.push(Object.keys(event).join());
    expect(seen).toEqual(['PayloadChunk', 'InvokeComplete']);
  });
});
