import {
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  RequestTooLargeException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { scripted, streamifyResponse } from 'rx-lambda-stream/local';
import { describe, expect, test } from 'vitest';
import { drive, gate, post, streamPath } from './drive.js';

describe('which function, which version', () => {
  const version = (_event: unknown, { functionVersion }: { functionVersion: string }): string => functionVersion;

  test('names, ARNs and partial ARNs lead to the function', async () => {
    const { local, read } = await drive({ fn: version });
    for (const name of [
      'fn',
      'function:fn',
      '123456789012:function:fn',
      'arn:aws:lambda:us-west-2:123456789012:function:fn',
      'arn:aws:lambda:us-west-2:123456789012:function:fn:5',
      'fn:5',
    ]) {
      await read(name);
    }
    expect(local.requests.map(({ functionName, qualifier }) => [functionName, qualifier])).toEqual([
      ...Array.from({ length: 4 }, () => ['fn', undefined]),
      ['fn', '5'],
      ['fn', '5'],
    ]);
  });

  test('a number is a version, and every alias leads to $LATEST, where none are declared', async () => {
    const { read } = await drive({ fn: version });
    expect((await read('fn')).output.ExecutedVersion).toBe('$LATEST');
    expect((await read('fn', { Qualifier: '4' })).output.ExecutedVersion).toBe('4');
    expect((await read('fn', { Qualifier: 'live' })).output.ExecutedVersion).toBe('$LATEST');
  });

  test('declared aliases lead to their versions, and others are unknown', async () => {
    const { read } = await drive({ fn: { handler: version, aliases: { live: '3' }, versions: ['3'] } });
    const { output, text } = await read('fn', { Qualifier: 'live' });
    expect([output.ExecutedVersion, text]).toEqual(['3', '"3"']);
    for (const Qualifier of ['next', '4', 'constructor']) {
      await expect(read('fn', { Qualifier })).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
        message: `Function not found: arn:aws:lambda:us-east-1:000000000000:function:fn:${Qualifier}`,
      });
    }
  });

  test('a qualifier that contradicts the ARN is refused', async () => {
    const { read } = await drive({ fn: version });
    await expect(read('fn:1', { Qualifier: '2' })).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });
});

describe('the log', () => {
  const decode = (logResult: string | undefined): string => Buffer.from(logResult ?? '', 'base64').toString();

  test('LogType Tail brings what the invocation printed, between START and REPORT', async () => {
    const { local, read } = await drive({
      fn: async () => {
        console.log('hello %s', 'log', { a: 1 });
        await Promise.resolve();
        process.stdout.write('raw line\n');
        console.error('bad');
        return 1;
      },
    });
    const { complete } = await read('fn', { LogType: 'Tail' });
    const id = local.requests[0]?.requestId ?? '';
    const lines = decode(complete?.LogResult)
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/[\d.]+ (ms|MB)/g, 'N $1')
      .split('\n');
    expect(lines).toEqual([
      `START RequestId: ${id} Version: $LATEST`,
      `TIME\t${id}\tINFO\thello log { a: 1 }`,
      'raw line',
      `TIME\t${id}\tERROR\tbad`,
      `END RequestId: ${id}`,
      `REPORT RequestId: ${id}\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\tMax Memory Used: N MB\t`,
      '',
    ]);
  });

  test('concurrent invocations keep their logs apart', async () => {
    const { opened, open } = gate();
    const { local, read } = await drive({
      fn: async (event: { name: string }) => {
        console.log(`before ${event.name}`);
        await opened;
        console.log(`after ${event.name}`);
      },
    });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const reading = names.map((name) => read('fn', { Payload: JSON.stringify({ name }), LogType: 'Tail' }));
    await local.request(names.length - 1);
    open();
    for (const [index, { complete }] of (await Promise.all(reading)).entries()) {
      const printed = [...decode(complete?.LogResult).matchAll(/(before|after) (\w)/g)].map(([text]) => text);
      expect(printed).toEqual([`before ${names[index] ?? ''}`, `after ${names[index] ?? ''}`]);
    }
  });

  test('only the last 4 KB come, and a failure is in them', async () => {
    const { read } = await drive({
      fn: () => {
        for (let n = 0; n < 500; n++) console.debug(`line ${n}`);
        throw new Error('the end');
      },
    });
    const { complete } = await read('fn', { LogType: 'Tail' });
    const log = Buffer.from(complete?.LogResult ?? '', 'base64');
    expect(log.length).toBeLessThanOrEqual(4_096);
    expect(log.toString()).toContain('line 499');
    expect(log.toString()).toContain('Invoke Error \t{"errorType":"Error","errorMessage":"the end"');
    expect(log.toString()).toContain('REPORT RequestId');
  });

  test('without LogType no log is sent', async () => {
    const { read } = await drive({ fn: () => 1 });
    expect((await read('fn')).complete).toEqual({});
  });
});

describe('DryRun', () => {
  test('answers 204 and does not run the function', async () => {
    let runs = 0;
    const { local } = await drive({ fn: () => (runs += 1) });
    const dryRun = { path: streamPath('fn'), headers: { 'x-amz-invocation-type': 'DryRun' } };
    const { statusCode, body } = await post(local, dryRun);
    expect([statusCode, body.length, runs]).toEqual([204, 0, 0]);
  });

  test("with dryRun 'run' it is a run like any other", async () => {
    const { read } = await drive({ fn: () => 1 }, { dryRun: 'run' });
    expect((await read('fn', { InvocationType: 'DryRun' })).text).toBe('1');
  });

  test('another invocation type is refused', async () => {
    const { read } = await drive({ fn: () => 1 });
    await expect(read('fn', { InvocationType: 'Event' })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  });
});

describe('what the service refuses', () => {
  test('an unknown function, also one named like a member of every object', async () => {
    const { local, read } = await drive({});
    await expect(read('nope')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect((await post(local, { path: streamPath(name) })).statusCode).toBe(404);
    }
  });

  test('a body that is not JSON', async () => {
    const { read } = await drive({ fn: () => 1 });
    for (const Payload of ['{', new Uint8Array([0xff, 0xfe])]) {
      await expect(read('fn', { Payload })).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    }
  });

  test('a body over 6 MB', async () => {
    const { local, read } = await drive({ fn: (event: string) => event.length });
    const payload = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
    expect((await read('fn', { Payload: payload(6_291_456) })).text).toBe('6291454');
    await expect(read('fn', { Payload: payload(6_291_457) })).rejects.toBeInstanceOf(RequestTooLargeException);
    expect(local.requests.map(({ statusCode }) => statusCode)).toEqual([200, 413]);
  });

  test('a client context that is no JSON, or too long', async () => {
    const { local, read } = await drive({ fn: () => 1 });
    await expect(read('fn', { ClientContext: '!!' })).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    const headers = { 'x-amz-client-context': 'a'.repeat(3_584) };
    const { statusCode } = await post(local, { path: streamPath('fn'), headers });
    expect(statusCode).toBe(400);
  });

  test('one invocation over the reserved concurrency, until one is done', async () => {
    const { opened, open } = gate();
    const { local, read } = await drive(
      { fn: { handler: () => opened, reservedConcurrency: 2 } },
      {},
      { maxAttempts: 1 },
    );
    const running = [read('fn'), read('fn')];
    await local.request(1);
    // The second is let in once its body has been read.
    const third = await read('fn').catch((error: unknown) => error);
    expect(third).toBeInstanceOf(TooManyRequestsException);
    expect(third).toMatchObject({
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: '1',
      message: 'Rate Exceeded.',
    });
    open();
    await Promise.all(running);
    expect((await read('fn')).text).toBe('null');
  });
});

describe('limits of the response', () => {
  test('what comes after maxResponseBytes is cut off, and the stream ends as if it were whole', async () => {
    const { read } = await drive(
      {
        fn: async function* () {
          for (const part of ['abc', 'def', 'ghi']) yield await Promise.resolve(part);
        },
      },
      { maxResponseBytes: 5 },
    );
    const { text, complete } = await read('fn');
    expect(text).toBe('abcde');
    expect(complete).toEqual({});
  });

  test('bandwidth lets the free bytes through at once, and shapes the rest', async () => {
    const free = 200_000;
    const { local, client } = await drive(
      {
        fn: streamifyResponse(async (_event, stream) => {
          await Promise.resolve();
          stream.end(Buffer.alloc(free + 1_000_000));
        }),
      },
      { bandwidth: { freeBytes: free, bytesPerSecond: 1 } },
    );
    const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }));
    let bytes = 0;
    for await (const event of EventStream ?? []) {
      bytes += event.PayloadChunk?.Payload?.length ?? 0;
      // At a byte a second the next chunk is most of a day away.
      if (bytes + 65_536 > free) break;
    }
    expect(bytes).toBeLessThanOrEqual(free);
    expect(local.requests[0]?.bytesWritten).toBeLessThan(free + 1_000);
  });
});

test('a shaped response is whole, under a rate of its own and under that of AWS', async () => {
  for (const bandwidth of [{ freeBytes: 1_000, bytesPerSecond: 10_000_000 }, 'aws'] as const) {
    const { read } = await drive({ fn: () => 'x'.repeat(500_000) }, { bandwidth });
    const { text, complete } = await read('fn');
    expect([text.length, complete]).toEqual([500_002, {}]);
  }
});

describe('the buffered Invoke', () => {
  const text = (payload: Uint8Array | undefined): string => Buffer.from(payload ?? []).toString();

  test('runs the same functions and answers with the whole payload', async () => {
    const { local, client } = await drive({
      stream: streamifyResponse(async (_event, stream) => {
        stream.write('a');
        await Promise.resolve();
        stream.end('b');
      }),
      plain: (event: unknown) => ({ event }),
    });
    const streamed = await client.send(new InvokeCommand({ FunctionName: 'stream', LogType: 'Tail', Qualifier: '2' }));
    expect([text(streamed.Payload), streamed.ExecutedVersion, streamed.FunctionError]).toEqual(['ab', '2', undefined]);
    expect(Buffer.from(streamed.LogResult ?? '', 'base64').toString()).toContain('REPORT RequestId');
    const plain = await client.send(new InvokeCommand({ FunctionName: 'plain', Payload: '1' }));
    expect(text(plain.Payload)).toBe('{"event":1}');
    expect(local.requests.map(({ operation }) => operation)).toEqual(['Invoke', 'Invoke']);
  });

  test('a throw is a FunctionError with its description, and so is a payload over 6 MB', async () => {
    const { client } = await drive({
      fails: () => {
        throw new RangeError('no');
      },
      long: () => 'x'.repeat(7_000_000),
      destroys: streamifyResponse(async (_event, stream) => {
        await Promise.resolve();
        stream.destroy();
      }),
    });
    const types = await Promise.all(
      ['fails', 'long', 'destroys'].map(async (FunctionName) => {
        const { FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName }));
        return [FunctionError, (JSON.parse(text(Payload)) as { errorType: string }).errorType];
      }),
    );
    expect(types).toEqual([
      ['Unhandled', 'RangeError'],
      ['Unhandled', 'Function.ResponseSizeTooLarge'],
      ['Unhandled', 'Runtime.TruncatedResponse'],
    ]);
  });

  test('an Event is accepted at once and runs on', async () => {
    const { opened, open } = gate();
    let done!: () => void;
    const ran = new Promise<void>((resolve) => (done = resolve));
    const { client } = await drive({ fn: () => opened.then(done) });
    const { StatusCode } = await client.send(new InvokeCommand({ FunctionName: 'fn', InvocationType: 'Event' }));
    expect(StatusCode).toBe(202);
    open();
    await ran;
  });

  test('a script’s chunks are the payload, its failed end is a FunctionError, and HTTP errors are sent', async () => {
    const { client } = await drive(
      {
        chunks: scripted([{ chunk: 'a' }, { batch: [{ chunk: 'b' }, { chunk: 'c' }] }, { complete: {} }]),
        failed: scripted([{ chunk: 'a' }, { complete: { errorCode: 'Unhandled', errorDetails: '{"errorType":"E"}' } }]),
        refused: scripted([{ httpError: { statusCode: 404, name: 'ResourceNotFoundException', message: 'gone' } }]),
        senseless: scripted([{ badCrc: 'prelude' }]),
      },
      {},
      { maxAttempts: 1 },
    );
    const invoke = (FunctionName: string) => client.send(new InvokeCommand({ FunctionName }));
    expect(text((await invoke('chunks')).Payload)).toBe('abc');
    const failed = await invoke('failed');
    expect([failed.FunctionError, text(failed.Payload)]).toEqual(['Unhandled', '{"errorType":"E"}']);
    await expect(invoke('refused')).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'gone' });
    await expect(invoke('senseless')).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });
});
