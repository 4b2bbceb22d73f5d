import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { config, of, throwError, type Observable } from 'rxjs';
import {
  FunctionError,
  invokeWithResponseStream,
  ReplayLimitError,
  TruncatedStreamError,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRelay, RelayRefusal, type RelayCall, type RelayGrant } from '../../src/relay/index.js';
import { outcomeOf, textOf } from '../support/collect.js';
import { gate } from '../support/live.js';
import { ask, lambdaPath, readAll, sdkClient, startRelay } from './relay-server.js';

const answer = (): RelayGrant => ({ open: () => of(headEvent(), chunkEvent('hello'), completeEvent()) });
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('what authorize is given', () => {
  test('the input is what the client asks for, decoded', async () => {
    const calls: RelayCall[] = [];
    const { url } = await startRelay({ authorize: (call) => (calls.push(call), answer()) });
    const context = { custom: { user: 'é' } };
    await ask(url, {
      path:
        '/api/2021-11-15/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Achat/' +
        'response-streaming-invocations?Qualifier=live',
      headers: {
        'x-amz-tenant-id': 'blue',
        'x-amz-log-type': 'Tail',
        'x-amz-invocation-type': 'DryRun',
        'x-amz-client-context': Buffer.from(JSON.stringify(context)).toString('base64'),
      },
      body: '{"a":1}',
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      functionName: 'arn:aws:lambda:eu-west-1:1:function:chat',
      payload: new TextEncoder().encode('{"a":1}'),
      input: {
        FunctionName: 'arn:aws:lambda:eu-west-1:1:function:chat',
        Payload: new TextEncoder().encode('{"a":1}'),
        Qualifier: 'live',
        TenantId: 'blue',
        LogType: 'Tail',
        InvocationType: 'DryRun',
        ClientContext: context,
      },
    });
  });

  test('the SDK’s members arrive: qualifier, tenant, log type, client context', async () => {
    const calls: RelayCall[] = [];
    const { url } = await startRelay({ authorize: (call) => (calls.push(call), answer()) });
    const input = { FunctionName: 'chat', Qualifier: 'live', TenantId: 'blue', LogType: 'Tail' as const };
    const context = { custom: { user: 'é' } };
    const { values, error } = await outcomeOf(
      invokeWithResponseStream(sdkClient(url), { ...input, Payload: { a: 1 }, ClientContext: context }),
    );
    expect(error).toBeUndefined();
    expect(textOf(values)).toBe('hello');
    expect(calls.map((call) => call.input)).toMatchObject([{ ...input, ClientContext: context }]);
    expect(new TextDecoder().decode(calls[0]?.payload)).toBe('{"a":1}');
  });

  test('the request can still be read, and has its address and headers', async () => {
    const seen: unknown[] = [];
    const { url } = await startRelay({
      async authorize({ request }) {
        seen.push(request.method, request.url, request.headers.get('cookie'), await request.json());
        return answer();
      },
    });
    await ask(url, { path: '/any?a=b', headers: { cookie: 'session=1' }, body: '{"prompt":"hi"}' });
    expect(seen).toEqual(['POST', `${url}/any?a=b`, 'session=1', { prompt: 'hi' }]);
  });

  test('the context of the listener is the IncomingMessage', async () => {
    const addresses: unknown[] = [];
    const { url } = await startRelay({
      authorize({ context }) {
        addresses.push((context as { socket: { remoteAddress: string } }).socket.remoteAddress);
        return answer();
      },
    });
    await ask(url);
    expect(addresses).toEqual(['127.0.0.1']);
  });

  test('the context of fetch is its second argument', async () => {
    const contexts: { user: string }[] = [];
    const relay = createRelay<{ user: string }>({ authorize: ({ context }) => (contexts.push(context), answer()) });
    await relay.fetch(new Request('http://a.example/', { method: 'POST' }), { user: 'ann' });
    expect(contexts).toEqual([{ user: 'ann' }]);
    await relay.close();
  });

  test.each([
    ['no base64', '!'],
    ['no JSON', 'bm90IGpzb24='],
    ['over the limit', btoa('"x').repeat(2_000)],
  ])('a malformed client context is 400: %s', async (_, context) => {
    let asked = 0;
    const { url } = await startRelay({ authorize: () => (asked++, answer()) });
    expect((await ask(url, { headers: { 'x-amz-client-context': context } })).status).toBe(400);
    expect(asked).toBe(0);
  });

  test('a malformed Host is 400', async () => {
    const { url } = await startRelay({ authorize: answer });
    expect((await ask(url, { headers: { host: 'a b' } })).status).toBe(400);
  });
});

describe('what authorize decides', () => {
  async function decide(
    authorize: () => unknown,
    method = 'POST',
  ): Promise<{ status: number; type: unknown; body: string; told: unknown[] }> {
    const told: unknown[] = [];
    const { url } = await startRelay({
      authorize: authorize as () => RelayGrant,
      onError: (error) => told.push(error),
    });
    const { status, headers, text } = await ask(url, { method });
    return { status, type: headers['x-amzn-errortype'], body: text, told };
  }

  test('a refusal keeps its status and its message, and is told to nobody else', async () => {
    const { status, type, body, told } = await decide(() => {
      throw new RelayRefusal(418, 'Tea only');
    });
    expect([status, type, json(body), told]).toEqual([
      418,
      'RelayRefusal',
      { Type: 'User', $fault: 'client', Message: 'Tea only' },
      [],
    ]);
  });

  test('a refusal of 408 becomes 503, since Chromium sends a 408 again', async () => {
    const { status } = await decide(() => Promise.reject(new RelayRefusal(408, 'Slow')));
    expect(status).toBe(503);
  });

  test('a SyntaxError out of authorize is a 400', async () => {
    const { status, type } = await decide(() => JSON.parse('{'));
    expect([status, type]).toEqual([400, 'InvalidRequestContentException']);
  });

  test('a bug in authorize is a 500 without a message, and onError hears of it', async () => {
    const bug = new TypeError('cannot read password of undefined');
    const { status, body, told } = await decide(() => {
      throw bug;
    });
    expect([status, json(body), told]).toEqual([500, { Type: 'Service', $fault: 'server' }, [bug]]);
  });

  test('a client that takes the relay for its proxy asks for the same URL', async () => {
    const calls: RelayCall[] = [];
    const { port, url } = await startRelay({ authorize: (call) => (calls.push(call), answer()) });
    const sent = request({ port, method: 'POST', path: `http://a.example${lambdaPath}`, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect((await readAll(response)).status).toBe(200);
    expect([calls[0]?.functionName, calls[0]?.request.url]).toEqual([
      'chat',
      `${url.replace('127.0.0.1', 'localhost')}${lambdaPath}`,
    ]);
  });

  test.each<[string, () => RelayGrant, number]>([
    ['a bug in authorize', () => JSON.parse('{') as RelayGrant, 400],
    ['a failed open', () => ({ open: () => throwError(() => new Error('failed')) }), 424],
    ['a failed open of a key', () => ({ key: 'k', open: () => throwError(() => new Error('failed')) }), 424],
  ])('what onError throws is reported by RxJS, and the client is answered: %s', async (_, authorize, status) => {
    const { opened: reported, open: report } = gate();
    const heard: unknown[] = [];
    config.onUnhandledError = (error) => {
      heard.push(error);
      report();
    };
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const broken = new Error('onError is broken');
    const { url } = await startRelay({
      authorize,
      onError() {
        throw broken;
      },
    });
    expect((await ask(url)).status).toBe(status);
    await reported;
    expect(heard).toEqual([broken]);
  });

  test('a bug is told to onError though the client has left; what its leaving causes is not', async () => {
    const told: unknown[] = [];
    const bug = new TypeError('a bug');
    for (const fail of [(reason: unknown) => reason, () => new DOMException('gone', 'AbortError'), () => bug]) {
      const { opened: heard, open: tell } = gate();
      const leaving = new AbortController();
      const relay = createRelay({
        async authorize({ request }) {
          const left = new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          leaving.abort(new Error('gone'));
          await left;
          setImmediate(tell);
          throw fail(request.signal.reason);
        },
        onError: (error) => told.push(error),
      });
      const init = { method: 'POST', signal: leaving.signal };
      await expect(relay.fetch(new Request('http://a.example/', init))).rejects.toThrow('gone');
      await heard;
      await relay.close();
    }
    expect(told).toEqual([bug]);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['true', true],
    ['a grant of nothing', {}],
    ['an empty key', { key: '' }],
    ['an empty list as a key', { key: [] }],
    ['a key with a part missing', { key: [undefined, 'a'] }],
    ['a key that is a number', { key: 1 }],
    ['an Observable as open', { open: of() }],
    ['expose: true', { open: () => of(), expose: true }],
  ])('%s allows nothing: 500, and onError hears of a TypeError', async (_, grant) => {
    const { status, told } = await decide(() => grant);
    expect([status, told.length]).toEqual([500, 1]);
    expect(told[0]).toBeInstanceOf(TypeError);
  });

  test.each<[string, RelayGrant['key']]>([
    ['a key', 'é'.repeat(257)],
    ['a list whose text', ['a', 'b'.repeat(506)]],
  ])('%s is over 512 bytes: 500, and onError hears of a RangeError, for every method', async (_, key) => {
    for (const method of ['POST', 'DELETE']) {
      const { status, told } = await decide(() => ({ key, open: () => of() }), method);
      expect([status, told.length]).toEqual([500, 1]);
      expect(told[0]).toBeInstanceOf(RangeError);
    }
  });

  test('without onError, the relay prints its own bugs on the console, and nothing else', async () => {
    const { url } = await startRelay({
      authorize: ({ functionName }) => {
        if (functionName === 'chat') throw new Error('a bug');
        return { open: () => throwError(() => new TruncatedStreamError({ functionName: 'f', chunks: 0, bytes: 0 })) };
      },
      onError: undefined as never,
    });
    const said: unknown[] = [];
    const { error } = console;
    console.error = (...words: unknown[]) => said.push(...words);
    try {
      await ask(url);
      await ask(url, { path: '/other' });
    } finally {
      console.error = error;
    }
    expect(said).toEqual([new Error('a bug')]);
  });
});

describe('statuses before the first frame', () => {
  async function fail(
    error: unknown,
    expose?: 'all',
  ): Promise<{ status: number; type: unknown; retryAfter: unknown; body: Record<string, unknown> }> {
    const { url } = await startRelay({
      authorize: () => ({ open: () => throwError(() => error), ...(expose && { expose }) }),
    });
    const { status, headers, text } = await ask(url);
    return { status, type: headers['x-amzn-errortype'], retryAfter: headers['retry-after'], body: json(text) };
  }

  test.each([
    ['TooManyRequestsException', 429],
    ['EC2ThrottledException', 502],
    ['ResourceNotFoundException', 404],
    ['EFSIOException', 410],
    ['SnapStartTimeoutException', 503],
    ['ResourceConflictException', 409],
  ] as const)('a service exception keeps its own status, but 408 becomes 503: %s', async (name, status) => {
    expect(await fail(serviceException(name))).toMatchObject({ status, type: name });
  });

  test('a throttle tells its reason and when to come back', async () => {
    const exception = serviceException('TooManyRequestsException', {
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: '7',
    });
    const { retryAfter, body } = await fail(exception);
    expect(retryAfter).toBe('7');
    expect(body).toMatchObject({
      Message: 'The invocation failed',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: '7',
      $fault: 'client',
    });
  });

  test.each<[string, unknown]>([
    ['a truncated stream', new TruncatedStreamError({ functionName: 'f', chunks: 2, bytes: 3 })],
    ['a failed function', new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '{}' })],
    ['a reset', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['any other error', new Error('secret')],
    ['what is no error', 'secret'],
  ])('everything else that may have run is 424, never 5xx: %s', async (_, error) => {
    const { status, body } = await fail(error);
    expect(status).toBe(424);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('what was never sent is 503 with Retry-After', async () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' });
    const { status, retryAfter, body } = await fail(error);
    expect([status, retryAfter]).toEqual([503, '1']);
    expect(JSON.stringify(body)).not.toContain('10.0.0.1');
  });

  test('a limit of the replay is 410', async () => {
    expect(await fail(new ReplayLimitError({ maxReplayBytes: 1 }))).toMatchObject({
      status: 410,
      type: 'ReplayLimitError',
      body: { code: 'replay-limit' },
    });
  });

  test('a client sees the kind of an error, and with expose the details', async () => {
    const error = new FunctionError({
      functionName: 'billing-prod',
      errorCode: 'Unhandled',
      errorDetails: JSON.stringify({ errorType: 'CardError', errorMessage: 'card 4711', trace: ['at pay'] }),
      logTail: 'card 4711 in log',
    });
    const kind = { Type: 'User', Message: 'The function failed', code: 'function-error', ours: true };
    expect((await fail(error)).body).toEqual({ ...kind, errorType: 'CardError', errorCode: 'Unhandled' });
    expect((await fail(error, 'all')).body).toMatchObject({
      errorMessage: 'card 4711',
      trace: ['at pay'],
      logTail: 'card 4711 in log',
      message: error.message,
    });
  });

  test('an error that cannot be described is 424 all the same', async () => {
    const proxy: unknown = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
      },
    );
    expect((await fail(proxy)).status).toBe(424);
    expect((await fail(Object.create(null))).status).toBe(424);
  });

  test('what open throws is an error of the invocation', async () => {
    const { url } = await startRelay({
      authorize: () => ({
        open() {
          throw new Error('no such thing');
        },
      }),
    });
    expect((await ask(url)).status).toBe(424);
  });
});

describe('limits of bodies and streams', () => {
  const open = (): Observable<LambdaStreamEvent> => of(headEvent(), completeEvent());

  test('a body over the limit is 413 and connection: close, and authorize is not asked', async () => {
    let asked = 0;
    const { url } = await startRelay({ maxBodyBytes: 10, authorize: () => (asked++, { open }) });
    const declared = await ask(url, { body: 'x'.repeat(11) });
    expect([declared.status, declared.headers['connection']]).toEqual([413, 'close']);
    const counted = await ask(url, { headers: { 'transfer-encoding': 'chunked' }, body: 'x'.repeat(11) });
    expect([counted.status, counted.headers['connection']]).toEqual([413, 'close']);
    expect(asked).toBe(0);
    expect((await ask(url, { body: 'x'.repeat(10) })).status).toBe(200);
  });

  test('a body over the limit is 413 in fetch too, and is not read on', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(8));
      },
    });
    const relay = createRelay({ maxBodyBytes: 10, authorize: () => ({ open }) });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const response = await relay.fetch(new Request(`http://a.example${lambdaPath}`, init));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
    expect(pulled).toBeLessThan(6);
    await relay.close();
  });
});
