import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { scripted, startLocalLambda, streamifyResponse } from 'rx-lambda-stream/local';
import { describe, expect, test } from 'vitest';
import { drive, gate, post, streamPath } from './drive.js';

describe('what is recorded of a request', () => {
  test('a request is recorded with all that the client said', async () => {
    const { local, read } = await drive({ echo: (event: unknown) => event });
    const clientContext = { custom: { trace: 'é' } };

    await read('echo', {
      Payload: '{"n":1}',
      Qualifier: '7',
      LogType: 'Tail',
      TenantId: 'tenant-1',
      ClientContext: Buffer.from(JSON.stringify(clientContext)).toString('base64'),
    });

    const [request] = local.requests;
    expect(request).toMatchObject({
      functionName: 'echo',
      qualifier: '7',
      operation: 'InvokeWithResponseStream',
      logType: 'Tail',
      tenantId: 'tenant-1',
      clientContext,
      statusCode: 200,
      attempt: 1,
    });
    expect(request?.payload).toEqual(new TextEncoder().encode('{"n":1}'));
    expect(request?.headers.authorization).toContain('AWS4-HMAC-SHA256');
  });

  test('request(n) resolves when the n-th request arrives, however early it is asked for', async () => {
    const { local, read } = await drive({ first: () => 1, second: () => 2 });
    const second = local.request(1);
    const secondAgain = local.request(1);

    await read('first');
    await read('second');

    expect((await second).functionName).toBe('second');
    expect((await secondAgain).functionName).toBe('second');
    expect((await local.request(0)).functionName).toBe('first');
  });

  test('closedEarly is false for a stream that was read to its end', async () => {
    const { local, read } = await drive({ fn: scripted([{ chunk: 'a' }, { complete: {} }]) });
    await read('fn');
    expect(await local.requests[0]?.closedEarly).toBe(false);
  });

  test('closedEarly is true when the client goes away, before the head, after it, and in mid-stream', async () => {
    const { local, client } = await drive({
      beforeHead: scripted(['stall']),
      afterHead: scripted(['flush', 'stall']),
      midStream: scripted([{ chunk: 'a' }, 'stall']),
    });
    for (const [index, FunctionName] of ['beforeHead', 'afterHead', 'midStream'].entries()) {
      const abort = new AbortController();
      const sent = client.send(new InvokeWithResponseStreamCommand({ FunctionName }), { abortSignal: abort.signal });
      const request = await local.request(index);
      if (FunctionName === 'midStream') await sent;
      abort.abort();
      await sent.catch((error: unknown) => expect((error as Error).name).toBe('AbortError'));
      expect(await request.closedEarly).toBe(true);
    }
    await local.idle();
  });

  test('closedEarly is false where the endpoint itself broke the connection', async () => {
    const { local, read } = await drive({ fn: scripted([{ chunk: 'a' }, 'reset']) });
    await expect(read('fn')).rejects.toThrow('aborted');
    expect(await local.requests[0]?.closedEarly).toBe(false);
  });

  test('bytesWritten counts the response body', async () => {
    const { local } = await drive({ fn: scripted([{ raw: 'x'.repeat(1_000) }]) });
    await post(local, { path: streamPath('fn') });
    expect(local.requests[0]?.bytesWritten).toBe(1_000);
  });

  test('idle resolves when the last unfinished response is over', async () => {
    const { opened, open } = gate();
    const { local, read } = await drive({ fn: scripted([{ waitFor: opened }, { complete: {} }]) });
    await local.idle();
    const reading = read('fn');
    const request = await local.request(0);
    let isIdle = false;
    const idle = local.idle().then(() => (isIdle = true));
    expect(isIdle).toBe(false);
    open();
    await Promise.all([reading, idle]);
    expect(await request.closedEarly).toBe(false);
  });
});

describe('the connection', () => {
  test('a client that stops reading stops the function at its write, and bytesWritten stands still', async () => {
    let written = 0;
    const total = 64 * 1024 * 1024;
    const paused = gate();
    const { local, client } = await drive({
      fn: streamifyResponse(async (_event, stream) => {
        while (written < total) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) {
            if (written > 1_000_000) paused.open();
            await new Promise((resolve) => stream.once('drain', resolve));
          }
        }
        stream.end();
      }),
    });
    const output = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }));
    await paused.opened;
    // Nobody reads: once the connection is full, no later turn of the event loop writes more.
    let seen = -1;
    while (seen !== written) {
      seen = written;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(total / 2);
    expect(local.requests[0]?.bytesWritten).toBeLessThan(total / 2);
    let bytes = 0;
    for await (const event of output.EventStream ?? []) bytes += event.PayloadChunk?.Payload?.length ?? 0;
    expect(bytes).toBe(total);
  });

  test('a client that goes away does not stop the handler', async () => {
    const { opened, open } = gate();
    let finish!: (what: string) => void;
    const finished = new Promise<string>((resolve) => (finish = resolve));
    const { local, client } = await drive({
      fn: streamifyResponse(async (_event, stream) => {
        stream.write('a');
        await opened;
        for (let n = 0; n < 100; n++) stream.write(Buffer.alloc(100_000));
        stream.end();
        finish('ran to its end');
      }),
    });
    const abort = new AbortController();
    await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }), { abortSignal: abort.signal });
    abort.abort();
    expect(await local.requests[0]?.closedEarly).toBe(true);
    open();
    expect(await finished).toBe('ran to its end');
  });

  test('openConnections counts what is open right now', async () => {
    const { local, client, read } = await drive({ fn: () => 1 });
    expect(local.openConnections).toBe(0);
    await read('fn');
    expect(local.openConnections).toBe(1);
    client.destroy();
    await expect.poll(() => local.openConnections).toBe(0);
  });

  test('clientConfig leaves the retries of the SDK on', async () => {
    const { local, read } = await drive({
      fn: scripted((_request, attempt) =>
        attempt < 3
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', message: 'Rate Exceeded.' } }]
          : [{ chunk: 'at last' }, { complete: {} }],
      ),
    });
    expect((await read('fn')).text).toBe('at last');
    expect(local.requests.map(({ statusCode, attempt }) => [statusCode, attempt])).toEqual([
      [429, 1],
      [429, 2],
      [200, 3],
    ]);
  });
});

describe('close', () => {
  test('close ends stalled, waiting and paced responses, and the port is free again', async () => {
    const local = await startLocalLambda({
      functions: {
        stall: scripted(['flush', 'stall']),
        wait: scripted([{ chunk: 'a' }, { waitMs: 1_000_000 }]),
        paced: streamifyResponse(async (_event, stream) => {
          stream.end(Buffer.alloc(1_000_000));
          await new Promise((resolve) => stream.once('finish', resolve));
        }),
      },
      bandwidth: { freeBytes: 10, bytesPerSecond: 10 },
    });
    const client = new LambdaClient({ ...local.clientConfig, maxAttempts: 1 });
    const sent = ['stall', 'wait', 'paced'].map((FunctionName) =>
      client.send(new InvokeWithResponseStreamCommand({ FunctionName })).catch((error: unknown) => error),
    );
    const requests = await Promise.all([0, 1, 2].map((index) => local.request(index)));

    await local.close();
    await local.close();

    expect(local.openConnections).toBe(0);
    expect(await Promise.all(requests.map(({ closedEarly }) => closedEarly))).toEqual([false, false, false]);
    const again = await startLocalLambda({ functions: {}, port: Number(new URL(local.endpoint).port) });
    expect(again.endpoint).toBe(local.endpoint);
    await again.close();
    client.destroy();
    await Promise.all(sent);
  });

  test('a port that is taken rejects', async () => {
    const { local } = await drive({});
    await expect(startLocalLambda({ functions: {}, port: Number(new URL(local.endpoint).port) })).rejects.toThrow(
      'EADDRINUSE',
    );
  });

  test('a host that is not loopback gives a warning, and the endpoint names a reachable address', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const local = await startLocalLambda({ functions: {}, host: '0.0.0.0' });
    expect((await warned).message).toContain('checks no credentials');
    expect(local.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await post(local, {})).statusCode).toBe(404);
    await local.close();
  });

  test('nothing keeps the process alive after close', async () => {
    const index = new URL('../../src/local/index.ts', import.meta.url).pathname;
    const code = `
      import { startLocalLambda, scripted, streamifyResponse } from '${index}';
      const local = await startLocalLambda({ functions: {
        hangs: streamifyResponse(() => new Promise(() => {})),
        waits: scripted(['flush', { waitMs: 1_000_000 }]),
      } });
      const path = (name) => local.endpoint + '/2021-11-15/functions/' + name + '/response-streaming-invocations';
      const send = (name) => fetch(path(name), { method: 'POST' }).then((r) => r.text()).catch(() => 'broken');
      const sent = ['hangs', 'waits'].map(send);
      await Promise.all([local.request(0), local.request(1)]);
      await local.close();
      console.log(await Promise.all(sent));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      code,
    ]);
    expect(stdout).toBe("[ 'broken', 'broken' ]\n");
  });

  test('without keepRequests no record is kept, and those to come can still be awaited', async () => {
    const { local, read } = await drive({ fn: () => 1 }, { keepRequests: false });
    const second = local.request(1);
    await read('fn');
    await read('fn', { Payload: '2' });
    expect(local.requests).toHaveLength(0);
    expect((await second).payload).toEqual(new TextEncoder().encode('2'));
  });

  test('functions added later are served, and replaced ones are replaced', async () => {
    const functions: Record<string, () => string> = {};
    const { read } = await drive(functions);
    await expect(read('fn')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    functions['fn'] = () => 'one';
    expect((await read('fn')).text).toBe('"one"');
    functions['fn'] = () => 'two';
    expect((await read('fn')).text).toBe('"two"');
  });

  test('onInvocation tells of each invocation when it is over', async () => {
    const told: unknown[] = [];
    const { local, read } = await drive(
      {
        fn: () => {
          throw new TypeError('no');
        },
      },
      {
        onInvocation: ({ request, failure, closedEarly }) =>
          told.push([request.functionName, failure?.errorType, closedEarly]),
      },
    );
    await read('fn');
    await local.idle();
    await expect.poll(() => told).toEqual([['fn', 'TypeError', false]]);
  });
});
