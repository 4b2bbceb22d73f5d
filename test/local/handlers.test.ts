import { InvokeCommand, InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  HttpResponseStream,
  installAwslambda,
  streamifyResponse,
  type InvocationContext,
  type ResponseStream,
  type StreamHandler,
} from 'rx-lambda-stream/local';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drive, post, streamPath } from './drive.js';

/** Runs one streaming handler and reads its stream. */
async function run(handler: StreamHandler<unknown>, input: object = {}) {
  const driven = await drive({ fn: streamifyResponse(handler) });
  return { ...driven, ...(await driven.read('fn', input)) };
}

describe('a streaming handler', () => {
  test('each write is a chunk; strings, bytes and objects are taken', async () => {
    const { chunks, complete } = await run(async (_event, stream) => {
      stream.write('text €');
      stream.write(new Uint8Array([98, 121]));
      stream.write({ an: 'object' });
      stream.write('66', 'hex');
      await Promise.resolve();
      stream.end('end');
    });
    expect(chunks).toEqual(['text €', 'by', '{"an":"object"}', 'f', 'end']);
    expect(complete).toEqual({});
  });

  test("write('') sends nothing, and a stream without writes is an InvokeComplete alone", async () => {
    const { chunks, complete } = await run(async (_event, stream) => {
      stream.write('');
      await Promise.resolve();
      stream.end();
    });
    expect(chunks).toEqual([]);
    expect(complete).toEqual({});
  });

  test('a long write arrives as several chunks, whole', async () => {
    const text = 'abcdefg'.repeat(100_000);
    const { chunks, text: arrived } = await run(async (_event, stream) => {
      await pipeline(Readable.from([text]), stream);
    });
    expect(chunks.length).toBeGreaterThan(5);
    expect(arrived).toBe(text);
  });

  test('setContentType is in the head', async () => {
    const { local } = await drive({
      fn: streamifyResponse(async (_event, stream) => {
        stream.setContentType('text/event-stream');
        await Promise.resolve();
        stream.end('data: 1\n\n');
      }),
    });
    const { headers } = await post(local, { path: streamPath('fn') });
    expect(headers['x-amzn-remapped-content-type']).toBe('text/event-stream');
    expect(headers['content-type']).toBe('application/vnd.amazon.eventstream');
  });

  test('setContentType after a write is an error, named as the official runtime names it', async () => {
    const { text, complete } = await run(async (_event, stream) => {
      stream.write('first');
      await Promise.resolve();
      stream.setContentType('text/plain');
    });
    expect(text).toBe('first');
    expect(complete?.ErrorCode).toBe('Runtime.InvalidStreamingOperation');
    expect(complete?.ErrorDetails).toContain('Cannot set content-type, too late.');
  });

  test('a content type that HTTP does not allow is an error of the function', async () => {
    const { complete } = await run(async (_event, stream) => {
      await Promise.resolve();
      stream.setContentType('text/plain\r\nx-injected: 1');
    });
    expect(complete?.ErrorDetails).toContain('Invalid character in header content');
  });

  test('whatever is written arrives, streamed and buffered alike', async () => {
    const { client, read } = await drive({
      fn: streamifyResponse(async (writes: string[], stream) => {
        for (const [index, text] of writes.entries()) {
          stream.write(index % 2 === 0 ? text : Buffer.from(text));
          if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        stream.end();
      }),
    });
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(70_000)));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (writes) => {
        const Payload = JSON.stringify(writes);
        const buffered = await client.send(new InvokeCommand({ FunctionName: 'fn', Payload }));
        const whole = Buffer.from(writes.join('')).toString('hex');
        expect(Buffer.from(buffered.Payload ?? []).toString('hex')).toBe(whole);
        const bytes: Uint8Array[] = [];
        const { EventStream } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn', Payload }));
        for await (const { PayloadChunk } of EventStream ?? []) bytes.push(PayloadChunk?.Payload ?? new Uint8Array());
        expect(Buffer.concat(bytes).toString('hex')).toBe(whole);
      }),
      { numRuns: 40 },
    );
    expect((await read('fn', { Payload: '[]' })).complete).toEqual({});
  });

  test('HttpResponseStream puts the prelude and eight NUL bytes before the first write, once', async () => {
    const { text } = await run(async (_event, stream) => {
      const http = HttpResponseStream.from(stream, { statusCode: 201, cookies: ['a=b'] });
      http.write('one');
      await Promise.resolve();
      http.write('two');
      http.end();
    });
    expect(text).toBe(`{"statusCode":201,"cookies":["a=b"]}${'\0'.repeat(8)}onetwo`);
  });

  test('HttpResponseStream sends no prelude where the handler only ends, as on AWS', async () => {
    const { text } = await run(async (_event, stream) => {
      await Promise.resolve();
      HttpResponseStream.from(stream, { statusCode: 201 }).end('body');
    });
    expect(text).toBe('body');
  });

  test('a throw before any write is an InvokeComplete with the error and its trace', async () => {
    const { chunks, complete } = await run(() => Promise.reject(new RangeError('too far')));
    expect(chunks).toEqual([]);
    expect(complete?.ErrorCode).toBe('RangeError');
    expect(JSON.parse(complete?.ErrorDetails ?? '')).toEqual({
      errorType: 'RangeError',
      errorMessage: 'too far',
      trace: expect.arrayContaining([expect.stringContaining('RangeError: too far')]) as string[],
    });
  });

  test('a throw after writes comes after what was written', async () => {
    const { text, complete } = await run(async (_event, stream) => {
      stream.write('partial');
      await Promise.resolve();
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- handlers do throw strings
      throw 'a string';
    });
    expect(text).toBe('partial');
    expect(complete?.ErrorCode).toBe('string');
    expect(JSON.parse(complete?.ErrorDetails ?? '')).toEqual({
      errorType: 'string',
      errorMessage: 'a string',
      trace: [],
    });
  });

  test('a throw after end is no failure of the response', async () => {
    const { text, complete } = await run(async (_event, stream) => {
      await new Promise<void>((resolve) => stream.end('whole', resolve));
      throw new Error('late');
    });
    expect(text).toBe('whole');
    expect(complete).toEqual({});
  });

  test("errorReporting 'silent' reports a throw as real Lambda has been seen to: not at all", async () => {
    const { read } = await drive(
      { fn: streamifyResponse(() => Promise.reject(new Error('no'))) },
      { errorReporting: 'silent' },
    );
    expect((await read('fn')).complete).toEqual({});
  });

  test('a destroyed stream cuts the connection', async () => {
    const { local, read } = await drive({
      fn: streamifyResponse(async (_event, stream) => {
        await new Promise((resolve) => stream.write('part', resolve));
        stream.destroy();
      }),
    });
    await expect(read('fn')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await local.requests[0]?.closedEarly).toBe(false);
  });

  test('a pipeline whose source fails cuts the connection', async () => {
    const { read } = await drive({
      fn: streamifyResponse(async (_event, stream) => {
        await pipeline(async function* () {
          yield await Promise.resolve('part');
          throw new Error('source failed');
        }, stream);
      }),
    });
    await expect(read('fn')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a handler that is not async is an error', async () => {
    const { complete } = await run(((_event: unknown, stream: ResponseStream) => {
      stream.end('a');
    }) as unknown as StreamHandler<unknown>);
    expect(complete).toEqual({});
    const other = await run((() => undefined) as unknown as StreamHandler<unknown>);
    expect(other.complete?.ErrorDetails).toContain('Streaming does not support non-async handlers.');
  });

  test('highWaterMark sets how much write takes before it answers false', async () => {
    const answers: boolean[] = [];
    const { read } = await drive({
      fn: streamifyResponse(
        async (_event, stream) => {
          answers.push(stream.write('12345'), stream.write('678'), stream.write('90'));
          await Promise.resolve();
          stream.end();
        },
        { highWaterMark: 9 },
      ),
    });
    expect((await read('fn')).text).toBe('1234567890');
    expect(answers).toEqual([true, true, false]);
  });

  test('highWaterMark is checked at the call, and Infinity sets no limit', async () => {
    const handler: StreamHandler<unknown> = async (_event, stream) => {
      await Promise.resolve();
      stream.end(String(stream.write('12345')));
    };
    const { read } = await drive({ fn: streamifyResponse(handler, { highWaterMark: Infinity }) });
    expect((await read('fn')).text).toBe('12345true');
    const message = 'streamifyResponse: highWaterMark must be a whole number from 0 on, or Infinity, not -1';
    expect(() => streamifyResponse(handler, { highWaterMark: -1 })).toThrow(new RangeError(message));
    expect(() => streamifyResponse(3 as never)).toThrow(
      new TypeError('streamifyResponse: handler must be a function, not 3'),
    );
  });

  test('the context is that of the official runtime', async () => {
    let context: InvocationContext | undefined;
    const { read, local } = await drive({
      fn: {
        handler: streamifyResponse(async (_event, stream, given) => {
          context = given;
          await Promise.resolve();
          stream.end(String(given.getRemainingTimeInMillis()));
        }),
        memoryMb: 512,
        timeoutMs: 30_000,
      },
    });
    const { text } = await read('fn', { Qualifier: '3', ClientContext: Buffer.from('{"env":{}}').toString('base64') });
    expect(context).toMatchObject({
      functionName: 'fn',
      functionVersion: '3',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:fn:3',
      memoryLimitInMB: '512',
      awsRequestId: local.requests[0]?.requestId,
      logGroupName: '/aws/lambda/fn',
      clientContext: { env: {} },
      callbackWaitsForEmptyEventLoop: true,
    });
    expect(Number(text)).toBeGreaterThan(0);
    expect(Number(text)).toBeLessThanOrEqual(30_000);
  });
});

describe('other handlers', () => {
  test("a plain handler's result is JSON in one chunk", async () => {
    const { local, read } = await drive({
      object: (event: unknown) => Promise.resolve({ event }),
      nothing: () => Promise.resolve(undefined),
      sync: () => 'text',
    });
    expect((await read('object', { Payload: '[1]' })).chunks).toEqual(['{"event":[1]}']);
    expect((await read('nothing')).chunks).toEqual(['null']);
    expect((await read('sync')).chunks).toEqual(['"text"']);
    const { headers } = await post(local, { path: streamPath('object') });
    expect(headers['x-amzn-remapped-content-type']).toBe('application/json');
  });

  test('an event that is not sent is the empty object', async () => {
    const { read } = await drive({ fn: (event: unknown) => event });
    expect((await read('fn')).text).toBe('{}');
  });

  test('each thing that an async generator yields is a chunk, and its throw the end', async () => {
    const { read } = await drive({
      fn: async function* (event: { word: string }) {
        yield event.word;
        yield new Uint8Array([33]);
        yield await Promise.resolve({ n: 1 });
        throw new SyntaxError('enough');
      },
    });
    const { chunks, complete } = await read('fn', { Payload: '{"word":"hi"}' });
    expect(chunks).toEqual(['hi', '!', '{"n":1}']);
    expect(complete?.ErrorCode).toBe('SyntaxError');
  });

  test('a handler with three parameters gets a callback', async () => {
    const { read } = await drive({
      ok: (event: unknown, _context, callback) => setImmediate(() => callback(null, event)),
      bad: (_event: unknown, _context, callback) => setImmediate(() => callback(new TypeError('called back'))),
    });
    expect((await read('ok', { Payload: '{"a":1}' })).text).toBe('{"a":1}');
    expect((await read('bad')).complete?.ErrorCode).toBe('TypeError');
  });

  test('a module with a handler export can stand for a function, loaded with the global awslambda', async () => {
    installAwslambda();
    const { awslambda } = globalThis as unknown as { awslambda: { streamifyResponse: typeof streamifyResponse } };
    const module = {
      handler: awslambda.streamifyResponse(async (_event, stream) => {
        await Promise.resolve();
        stream.end('from a module');
      }),
    };
    const { read } = await drive({ fn: module });
    expect((await read('fn')).text).toBe('from a module');
  });
});

describe('the time-out', () => {
  const hangs = streamifyResponse(async (_event, stream) => {
    stream.write('partial');
    await new Promise(() => undefined);
  });

  test('ends the stream with an error code, and the log says so', async () => {
    const { read } = await drive({ fn: { handler: hangs, timeoutMs: 20 } });
    const { text, complete } = await read('fn', { LogType: 'Tail' });
    expect(text).toBe('partial');
    expect(complete?.ErrorCode).toBe('Sandbox.Timedout');
    expect(complete?.ErrorDetails).toContain('Task timed out after 0.02 seconds');
    expect(Buffer.from(complete?.LogResult ?? '', 'base64').toString()).toMatch(/REPORT RequestId: .*Status: timeout/);
  });

  test("under errorReporting 'silent' only the log tells of it", async () => {
    const { read } = await drive({ fn: { handler: hangs, timeoutMs: 20 } }, { errorReporting: 'silent' });
    const { complete } = await read('fn', { LogType: 'Tail' });
    expect(complete?.ErrorCode).toBeUndefined();
    expect(Buffer.from(complete?.LogResult ?? '', 'base64').toString()).toContain('Status: timeout');
  });

  test('a handler that never ends its stream is ended by its time-out, and its later writes go nowhere', async () => {
    let late: ResponseStream | undefined;
    const { read } = await drive({
      fn: {
        handler: streamifyResponse(async (_event, stream) => {
          late = stream;
          await Promise.resolve();
          stream.write('a');
        }),
        timeoutMs: 20,
      },
    });
    const { text, complete } = await read('fn');
    expect(text).toBe('a');
    expect(complete?.ErrorCode).toBe('Sandbox.Timedout');
    await new Promise((resolve) => late?.write('b', resolve));
    expect((await read('fn')).text).toBe('a');
  });

  test('a client that waits for the first byte is answered at the time-out', async () => {
    const { client } = await drive({
      fn: { handler: streamifyResponse(() => new Promise(() => undefined)), timeoutMs: 20 },
    });
    const { StatusCode } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }));
    expect(StatusCode).toBe(200);
  });

  test('a function that writes for ever is ended, whether its client reads, leaves, or calls Invoke', async () => {
    const { local, client, read } = await drive(
      {
        fn: {
          handler: async function* () {
            for (;;) yield await Promise.resolve('x'.repeat(1_000));
          },
          timeoutMs: 800,
        },
      },
      { maxResponseBytes: 100_000 },
    );
    const { text, complete } = await read('fn');
    expect([text.length, complete?.ErrorCode]).toEqual([100_000, 'Sandbox.Timedout']);

    const abort = new AbortController();
    await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fn' }), { abortSignal: abort.signal });
    abort.abort();
    expect(await local.requests[1]?.closedEarly).toBe(true);

    const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName: 'fn' }));
    expect([FunctionError, Payload?.transformToString()]).toEqual([
      'Unhandled',
      expect.stringContaining('Sandbox.Timedout'),
    ]);
  });
});
