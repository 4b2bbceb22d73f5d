import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { FunctionError, invokeWithResponseStream, ProtocolError, type LambdaStreamClient } from 'rx-lambda-stream';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import { NEVER, takeWhile } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMessageDecoder } from '../../src/event-stream/message-decoder.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { chunkFrame, codec, completeFrame, concat, encodeFrame } from '../support/frames.js';
import { startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const input = { FunctionName: 'f' };

async function invoke(steps: readonly ScriptStep[]) {
  const { client } = await startLive({ f: scripted(steps) });
  return outcomeOf(invokeWithResponseStream(client, input));
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('a frame that is odd', () => {
  it('an :error-message that is not text is a ProtocolError', async () => {
    const { Int64 } = await import('@smithy/eventstream-codec');
    const frame = codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'error' },
        ':error-code': { type: 'string', value: 'InternalFailure' },
        ':error-message': { type: 'long', value: Int64.fromNumber(7) },
      },
      body: new Uint8Array(0),
    });
    const { error } = await invoke([{ raw: frame }]);
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain(':error-message');
  });

  it('an exception with JSON that is nested 300,000 deep is a ProtocolError', async () => {
    const payload = `{"message":"deep","x":${nested(300_000)}}`;
    const { error } = await invoke([
      { raw: encodeFrame({ ':message-type': 'exception', ':exception-type': 'ServiceException' }, payload) },
    ]);
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain('ServiceException');
  });

  it('ErrorDetails with a trace that is nested 300,000 deep is a FunctionError', async () => {
    const ErrorDetails = `{"errorType":"E","trace":[${nested(300_000)}]}`;
    const { error } = await invoke([{ raw: completeFrame({ ErrorCode: 'Unhandled', ErrorDetails }) }]);
    expect(error).toBeInstanceOf(FunctionError);
    expect(error).toMatchObject({ errorType: 'E' });
  });

  it.each([
    [{ a: 1 }, '{"a":1}'],
    [7, '7'],
    [['x'], '["x"]'],
  ])('an ErrorCode of %j is text', async (ErrorCode, errorCode) => {
    const { error } = await invoke([{ raw: completeFrame({ ErrorCode }) }]);
    expect(error).toBeInstanceOf(FunctionError);
    expect(error).toMatchObject({ errorCode });
  });

  it('a header block over 128 KiB is refused at its prelude, before it has arrived', () => {
    const value = 'x'.repeat(32_000);
    const frame = encodeFrame(Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, value])));
    const decoder = createMessageDecoder(() => true);
    expect(() => decoder.decode(frame.subarray(0, 12))).toThrow(/160\d{3} bytes of headers, over the limit of 131072/);
    const four = encodeFrame(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, value])));
    expect(() => createMessageDecoder(() => true).decode(four)).not.toThrow();
  });
});

describe('media types', () => {
  async function answerWith(contentType: string) {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': contentType });
      response.end(concat(chunkFrame('text'), completeFrame()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = new LambdaClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    onTestFinished(() => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    });
    return outcomeOf(invokeWithResponseStream(client, input));
  }

  it.each(['Application/vnd.Amazon.EventStream', 'application/vnd.amazon.eventstream; charset=binary'])(
    '%s is an event stream',
    async (contentType) => {
      const { values, completed } = await answerWith(contentType);
      expect([textOf(values), completed]).toEqual(['text', true]);
    },
  );

  it('application/vnd.amazon.eventstreamX is not', async () => {
    expect((await answerWith('application/vnd.amazon.eventstreamX')).error).toBeInstanceOf(ProtocolError);
  });
});

describe('an exception within the stream', () => {
  it('shows one status, and runs no middleware of the application a second time', async () => {
    const { client } = await startLive({ f: scripted([{ exception: 'TooManyRequestsException', body: {} }]) });
    const statuses: (number | undefined)[] = [];
    for (const priority of ['high', 'normal', 'low'] as const) {
      client.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          statuses.push((result.response as { statusCode?: number }).statusCode);
          return result;
        },
        { step: 'deserialize', priority, name: `application-${priority}` },
      );
    }
    const { error } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(error).toMatchObject({ name: 'TooManyRequestsException', $metadata: { httpStatusCode: 200 } });
    expect((error as { $response?: { statusCode?: number } }).$response?.statusCode).toBe(200);
    expect(statuses).toEqual([200, 200, 200]);
  });
});

describe('an HTTP handler that is odd', () => {
  const clientOf = (handle: (request: unknown, options?: { abortSignal?: AbortSignal }) => Promise<unknown>) =>
    new LambdaClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: { handle: handle as never },
    });

  it('whose body cannot be read is an error, and its request is aborted', async () => {
    let signal: AbortSignal | undefined;
    const client = clientOf((_request, options) => {
      signal = options?.abortSignal;
      return Promise.resolve({ response: { statusCode: 200, headers: {}, body: { odd: true } } });
    });
    const { error } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain('body');
    expect(signal?.aborted).toBe(true);
  });

  it('whose headers are of HTTP/2 shows no :status, and text only', async () => {
    const server = createHttp2Server((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': 'r' });
      response.end(concat(chunkFrame('text'), completeFrame()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = new LambdaClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: new NodeHttp2Handler(),
    });
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(completed).toBe(true);
    const [head] = values;
    const headers = head?.type === 'head' ? head.headers : {};
    expect(headers).toMatchObject({ 'x-amzn-requestid': 'r' });
    expect(headers).not.toHaveProperty(':status');
    expect(Object.values(headers).every((value) => typeof value === 'string')).toBe(true);
  });
});

describe('a platform whose AbortSignal has neither throwIfAborted nor a reason, such as React Native', () => {
  class BareSignal extends EventTarget {
    aborted = false;
  }
  class BareController {
    readonly signal = new BareSignal();
    abort(): void {
      this.signal.aborted = true;
      this.signal.dispatchEvent(new Event('abort'));
    }
  }
  /** A real client whose application has this platform's AbortController. */
  async function startBare(steps: readonly ScriptStep[]) {
    const live = await startLive({ f: scripted(steps) });
    vi.stubGlobal('AbortController', BareController);
    onTestFinished(() => void vi.unstubAllGlobals());
    return live;
  }

  it('streams to the end', async () => {
    const { client } = await startBare([{ chunk: 'text' }, { complete: {} }]);
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, input));
    expect([textOf(values), completed]).toEqual(['text', true]);
  });

  it('closes the connection before the headers and in mid-stream, and sends nothing before it is signed', async () => {
    const { client, local } = await startBare([{ chunk: 'text' }, 'stall']);
    const strays: unknown[] = [];
    invokeWithResponseStream(client, input)
      .subscribe({ error: (error: unknown) => strays.push(error) })
      .unsubscribe();
    const midStream = invokeWithResponseStream(client, input).pipe(takeWhile(({ type }) => type !== 'chunk'));
    expect((await outcomeOf(midStream)).completed).toBe(true);
    expect(await local.requests[0]?.closedEarly).toBe(true);

    const silent = await startBare(['stall']);
    const subscription = invokeWithResponseStream(silent.client, input).subscribe({
      error: (error: unknown) => strays.push(error),
    });
    const request = await silent.local.request(0);
    subscription.unsubscribe();
    expect(await request.closedEarly).toBe(true);
    expect([local.requests.length, silent.local.requests.length, strays]).toEqual([1, 1, []]);
  });
});

describe('a mocked client or module', () => {
  it.each<[string, unknown]>([
    ['synchronous', () => ({ done: true, value: undefined })],
    [
      'throwing',
      () => {
        throw new Error('closing');
      },
    ],
    ['rejecting', () => Promise.reject(new Error('closing'))],
  ])('whose iterator’s return is %s can be left', async (_how, close) => {
    const iterator = { next: () => new Promise(() => undefined), return: close };
    const client = {
      send: () => Promise.resolve({ EventStream: { [Symbol.asyncIterator]: () => iterator } as never }),
    };
    const head = await new Promise<string>((resolve) => {
      const subscription = invokeWithResponseStream(client, input).subscribe(({ type }) => {
        resolve(type);
        setImmediate(() => {
          expect(() => subscription.unsubscribe()).not.toThrow();
        });
      });
    });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(head).toBe('head');
  });

  it('that answers nothing is an error, and nothing hangs', async () => {
    const client = { send: () => Promise.resolve(undefined as never) };
    expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toBeInstanceOf(TypeError);
  });

  it.each<[string, unknown, string]>([
    [
      'a bare class',
      class Bare {
        readonly mocked = true;
      },
      'works',
    ],
    ['a function', function () {}, 'works'],
    ['absent', undefined, 'fails'],
    ['an arrow function', () => undefined, 'fails'],
  ])('whose command is %s', async (_what, InvokeCommand, result) => {
    vi.resetModules();
    vi.doMock('@aws-sdk/client-lambda', () => ({ InvokeWithResponseStreamCommand: InvokeCommand }));
    onTestFinished(() => {
      vi.doUnmock('@aws-sdk/client-lambda');
      vi.resetModules();
    });
    const mocked = await import('../../src/invoke/invoke-with-response-stream.js');
    const inputs: unknown[] = [];
    const client: LambdaStreamClient = {
      send: (command) => {
        inputs.push(command.input);
        return Promise.resolve({ EventStream: [{ InvokeComplete: {} }] as never });
      },
    };
    const { error, completed } = await outcomeOf(mocked.invokeWithResponseStream(client, input));
    if (result === 'works') expect([completed, inputs]).toEqual([true, [input]]);
    else
      expect(error).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('InvokeWithResponseStreamCommand') as string,
      });
  });
});

describe('wrong clients and wrong options', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'not undefined'],
    ['a configuration', { region: 'us-east-1' }, 'not an object'],
    ['version 2’s client', { invokeWithResponseStream: () => undefined }, 'version 2'],
    ['the command', InvokeWithResponseStreamCommand, 'not a function'],
  ])('%s is a TypeError at the call', (_what, client, said) => {
    expect(() => invokeWithResponseStream(client as never, input)).toThrow(TypeError);
    expect(() => invokeWithResponseStream(client as never, input)).toThrow(said);
  });

  it.each([
    [{ functionErrors: 'ignore' }],
    [{ sdkRetries: 3 }],
    [{ pauseWhile: { paused: NEVER } }],
    [NEVER],
    ['throw'],
  ])('options of %o are a TypeError at the call', (options) => {
    const client = { send: () => Promise.resolve({}) };
    expect(() => invokeWithResponseStream(client, input, options as never)).toThrow(TypeError);
    expect(() => invokeWithResponseStream(client, input, options as never)).toThrow(/^invokeWithResponseStream: /);
  });
});
