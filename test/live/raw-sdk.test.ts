/**
 * What the README says of the SDK's own loop, shown side by side with this package on the same endpoint. Where one of
 * these begins to fail, the SDK has mended something and the README has to say so.
 */
import { InvokeWithResponseStreamCommand, LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Agent } from 'node:http';
import { from, lastValueFrom, mergeMap, Observable, take, toArray } from 'rxjs';
import { decodeText, invokeWithResponseStream, TruncatedStreamError } from 'rx-lambda-stream';
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { describe, expect, it, onTestFinished } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';

async function rawStream(client: LambdaClient, FunctionName: string) {
  const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName }));
  return EventStream!;
}

describe('leaving the loop early', () => {
  const endless = scripted([{ chunk: 'one' }, { chunk: 'two' }, 'stall']);

  it('the SDK’s loop leaves the connection open, and so does from() with an unsubscribe', async () => {
    const { local, client } = await startLive({ endless, marker: scripted([{ complete: {} }]) });
    for await (const _event of await rawStream(client, 'endless')) break;
    await lastValueFrom(from(await rawStream(client, 'endless')).pipe(take(1)));
    const closed: number[] = [];
    local.requests.forEach((request, i) => void request.closed.then(() => closed.push(i)));
    // Two whole requests later the server has still not seen a close.
    for (let i = 0; i < 2; i++) for await (const _event of await rawStream(client, 'marker'));
    expect(closed).toEqual([]);
    expect(local.openConnections).toBeGreaterThanOrEqual(3);
  });

  it('after fifty of them the SDK’s next call hangs', async () => {
    const { local, client } = await startLive({ endless, marker: scripted([{ complete: {} }]) });
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for await (const _event of await rawStream(client, 'endless')) break;
      }),
    );
    const controller = new AbortController();
    const hanging = client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'marker' }), {
      abortSignal: controller.signal,
    });
    // Another client's call goes through from beginning to end meanwhile.
    const other = new LambdaClient(local.clientConfig);
    for await (const _event of await rawStream(other, 'marker'));
    other.destroy();
    expect(local.requests.filter(({ functionName }) => functionName === 'marker')).toHaveLength(1);
    controller.abort();
    await expect(hanging).rejects.toThrow();
  });

  it('this package closes it', async () => {
    const { local, client } = await startLive({ endless });
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'endless' }).pipe(take(2)));
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });
});

describe('a stream that is cut', () => {
  const cut = scripted([{ chunk: 'half of the ans' }, 'end']);

  it('ends the SDK’s loop as if it were complete', async () => {
    const { client } = await startLive({ cut });
    let text = '';
    for await (const { PayloadChunk } of await rawStream(client, 'cut')) {
      text += new TextDecoder().decode(PayloadChunk?.Payload);
    }
    expect(text).toBe('half of the ans');
  });

  it('is a TruncatedStreamError here', async () => {
    const { client } = await startLive({ cut });
    const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'cut' }));
    expect(error).toBeInstanceOf(TruncatedStreamError);
  });
});

describe('retries', () => {
  const permanent = scripted([{ httpError: { statusCode: 502, name: 'InvalidZipFileException' } }]);
  const transient = scripted([{ httpError: { statusCode: 409, name: 'SnapStartNotReadyException' } }]);

  it('the SDK sends a permanent fault three times and a transient one once', async () => {
    const { local, client } = await startLive({ permanent, transient });
    for (const name of ['permanent', 'transient']) await expect(rawStream(client, name)).rejects.toThrow();
    const sent = local.requests.map(({ functionName }) => functionName);
    expect(sent).toEqual(['permanent', 'permanent', 'permanent', 'transient']);
  });

  it('this package sends each once, until retryInvocation is asked', async () => {
    const { local, client } = await startLive({ permanent, transient });
    for (const FunctionName of ['permanent', 'transient']) {
      await outcomeOf(invokeWithResponseStream(client, { FunctionName }));
    }
    expect(local.requests).toHaveLength(2);
  });
});

describe('a character cut in two', () => {
  const [first, second] = [new TextEncoder().encode('€').subarray(0, 1), new TextEncoder().encode('€').subarray(1)];
  const euro = scripted([{ chunk: first }, { chunk: second }, { complete: {} }]);

  it('becomes replacement characters where each chunk is decoded by itself', async () => {
    const { client } = await startLive({ euro });
    let text = '';
    for await (const { PayloadChunk } of await rawStream(client, 'euro')) {
      text += new TextDecoder().decode(PayloadChunk?.Payload);
    }
    expect(text).toContain('\ufffd');
  });

  it('is one character here', async () => {
    const { client } = await startLive({ euro });
    const stream = invokeWithResponseStream(client, { FunctionName: 'euro' }).pipe(decodeText(), toArray());
    expect(await lastValueFrom(stream)).toEqual(['€']);
  });
});

describe('the response’s head', () => {
  it('comes from the SDK only with the first frame, and without the function’s content type', async () => {
    const { opened, open } = gate();
    const { client } = await startLive({ slow: scripted(['flush', { waitFor: opened }, { complete: {} }]) });
    let there = false;
    const sent = client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'slow' })).then((output) => {
      there = true;
      return output;
    });
    // This package's head is there already, on the same endpoint and with the same wait.
    await lastValueFrom(invokeWithResponseStream(client, { FunctionName: 'slow' }).pipe(take(1)));
    expect(there).toBe(false);
    open();
    expect((await sent).ResponseStreamContentType).toBe('application/vnd.amazon.eventstream');
  });
});

describe('an exception within the stream', () => {
  const throttled = scripted([
    { chunk: 'part' },
    { exception: 'TooManyRequestsException', body: { message: 'slow down', Reason: 'CallerRateLimitExceeded' } },
  ]);

  it('is a plain Error with raw JSON for a message in the SDK’s loop', async () => {
    const { client } = await startLive({ throttled });
    const reading = (async () => {
      for await (const _event of await rawStream(client, 'throttled'));
    })();
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(TooManyRequestsException);
    expect(JSON.parse((error as Error).message)).toMatchObject({ Reason: 'CallerRateLimitExceeded' });
  });

  it('is the SDK’s own class here', async () => {
    const { client } = await startLive({ throttled });
    const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'throttled' }));
    expect(error).toBeInstanceOf(TooManyRequestsException);
    expect(error).toMatchObject({ message: 'slow down', Reason: 'CallerRateLimitExceeded' });
  });
});

describe('an event of a newer type', () => {
  const newer = scripted([
    { chunk: 'a' },
    { unknownEvent: { eventType: 'Progress', payload: '{}' } },
    { complete: {} },
  ]);

  it('is dropped by the SDK’s loop', async () => {
    const { client } = await startLive({ newer });
    const seen: string[] = [];
    for await (const event of await rawStream(client, 'newer')) seen.push(Object.keys(event).join());
    expect(seen).toEqual(['PayloadChunk', 'InvokeComplete']);
  });

  it('is passed on here', async () => {
    const { client } = await startLive({ newer });
    const { values } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'newer' }));
    expect(values.map(({ type }) => type)).toEqual(['head', 'chunk', 'unknown', 'complete']);
  });
});

/**
 * Node's agent keeps a request in its queue after it was destroyed. When the sockets before it close, the agent opens a
 * socket for it, although `client.destroy()` has destroyed the agent. The socket stays idle until the server or the
 * process ends it, and does not keep the process alive.
 */
it('a client that is destroyed while a request waits leaves as many sockets as with the SDK alone', async () => {
  const local = await startLocalLambda({ functions: { endless: scripted([{ chunk: 'one' }, 'stall']) } });
  onTestFinished(() => local.close());
  const total = (lists: NodeJS.ReadOnlyDict<readonly unknown[]>): number =>
    Object.values(lists).reduce((sum, list = []) => sum + list.length, 0);

  async function socketsLeftBy(invoke: (client: LambdaClient) => Observable<unknown>): Promise<number> {
    const client = new LambdaClient({ ...local.clientConfig, requestHandler: { httpAgent: { maxSockets: 2 } } });
    const begun = gate();
    const first = new Set<number>();
    const streams = [0, 1, 2].map((id) =>
      invoke(client).subscribe(() => {
        first.add(id);
        if (first.size === 2) begun.open();
      }),
    );
    await begun.opened;
    const { httpAgent } = (client.config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs();
    const agent = httpAgent as Agent;
    while (total(agent.requests) === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const stream of streams.reverse()) stream.unsubscribe();
    client.destroy();
    while (total(agent.sockets) + total(agent.requests) > 0) await new Promise((resolve) => setImmediate(resolve));
    const left = total(agent.freeSockets);
    agent.destroy();
    return left;
  }

  const ours = await socketsLeftBy((client) => invokeWithResponseStream(client, { FunctionName: 'endless' }));
  const bare = await socketsLeftBy(
    (client) =>
      new Observable((subscriber) => {
        const controller = new AbortController();
        subscriber.add(() => controller.abort());
        const command = new InvokeWithResponseStreamCommand({ FunctionName: 'endless' });
        from(client.send(command, { abortSignal: controller.signal }))
          .pipe(mergeMap(({ EventStream }) => EventStream!))
          .subscribe(subscriber);
      }),
  );
  expect(ours).toBe(bare);
});
