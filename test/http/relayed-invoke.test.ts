import { buildSync } from 'esbuild';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  BehaviorSubject,
  concat,
  filter,
  firstValueFrom,
  NEVER,
  of,
  Subject,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import {
  classifyInvocationError,
  decodeText,
  FunctionError,
  invokeWithResponseStream,
  ProtocolError,
  ReplayLimitError,
  retryInvocation,
  TruncatedStreamError,
  type InvokeWithResponseStream,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, headEvent, retryEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { relayedInvoke, type RelayedInvokeOptions } from '../../src/http/relayed-invoke.js';
import type { RelayFetch } from '../../src/http/relay-request.js';
import { createRelay, RelayRefusal, type RelayCall, type RelayOptions } from '../../src/relay/index.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';
import { startRelay } from '../relay/relay-server.js';
import { settled, stopClock } from '../relay/virtual-clock.js';
import { follow } from '../relay/written-invocation.js';
import { startFrames } from './play-relay.js';

/** A relay that answers with these events, and the client of it, without a network between them. */
function relayed(
  open: () => Observable<LambdaStreamEvent>,
  options: Partial<RelayOptions> & { expose?: 'all' } = {},
): { invoke: ReturnType<typeof relayedInvoke>; calls: RelayCall[]; inits: RequestInit[]; fetch: RelayFetch } {
  const calls: RelayCall[] = [];
  const inits: RequestInit[] = [];
  const { expose, ...rest } = options;
  const relay = createRelay({
    authorize: (call) => (calls.push(call), { open, ...(expose && { expose }) }),
    onError: () => undefined,
    ...rest,
  });
  onTestFinished(() => relay.close());
  const fetch: RelayFetch = async (url, init) => (inits.push(init), relay.fetch(new Request(url, init)));
  return { invoke: relayedInvoke({ url: 'http://relay.example/api/', fetch }), calls, inits, fetch };
}

const input = { FunctionName: 'chat' };

describe('relayedInvoke', () => {
  test('a lost connection to a keyed invocation is made anew, and goes on at its byte', async () => {
    const { connection, fetchFrom, record } = startFrames();
    // prettier-ignore
    const relay = connection('--h--a-#');
    // prettier-ignore
    const again = connection('        --h--b-(c|)');
    // prettier-ignore
    const result =           '--h--a-r--h--b-(c|)';
    const places: (string | null)[] = [];
    const answer = fetchFrom([relay, again]);
    const invoke = relayedInvoke({
      url: 'http://relay.example',
      reconnect: { initialDelayMs: 0 },
      fetch(url, init) {
        places.push(new Headers(init.headers).get('last-event-id'));
        return answer(url, init);
      },
    });
    const retries: LambdaStreamEvent[] = [];
    const events = invoke(undefined, input).pipe(tap((event) => event.type === 'retry' && retries.push(event)));
    expect(await record(events, 16)).toBe(result);
    expect(retries).toMatchObject([{ mode: 'replay', attempt: 2, delivered: { chunks: 1, bytes: 1 } }]);
    expect(places).toEqual([null, '1-1']);
  });

  test('is an InvokeWithResponseStream, with the same events', async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 255);
    const { client } = await startLive({
      chat: async function* (event: unknown) {
        yield bytes;
        yield await Promise.resolve(JSON.stringify(event));
      },
    });
    const { url } = await startRelay({
      authorize: ({ input: asked }) => ({
        open: (pauseWhile) => invokeWithResponseStream(client, asked, { pauseWhile }),
        expose: 'all',
      }),
    });
    const invoke: InvokeWithResponseStream = relayedInvoke({ url });
    const asked = { ...input, Payload: { prompt: 'é' }, LogType: 'Tail' } as const;
    const direct = await outcomeOf(invokeWithResponseStream(client, asked));
    const relayedOutcome = await outcomeOf(invoke(client, asked));
    const content = ({ values }: { values: LambdaStreamEvent[] }): Buffer =>
      Buffer.concat(values.map((event) => (event.type === 'chunk' ? event.payload : new Uint8Array())));
    expect(content(relayedOutcome)).toEqual(content(direct));
    const [head] = relayedOutcome.values;
    expect(head).toMatchObject({ type: 'head', statusCode: 200, executedVersion: '$LATEST' });
    expect(typeof (head as { requestId?: string }).requestId).toBe('string');
    expect((relayedOutcome.values.at(-1) as { logTail?: string }).logTail).toContain('REPORT');
    expect(relayedOutcome.completed).toBe(true);
  });

  test("what the input asks for arrives as the SDK's does", async () => {
    const { invoke, calls, inits } = relayed(() => of(headEvent(), completeEvent()));
    const source = () => ({
      FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:chat',
      Payload: { a: 1 },
      Qualifier: 'live now',
      TenantId: 'blue',
      LogType: 'Tail' as const,
      ClientContext: { custom: { a: 'é' } },
    });
    await outcomeOf(invoke(undefined, source));
    expect(calls[0]?.input).toEqual({
      ...source(),
      Payload: new TextEncoder().encode('{"a":1}'),
    });
    expect(new Headers(inits[0]?.headers).get('content-type')).toBe('application/octet-stream');
    expect(inits[0]?.method).toBe('POST');
  });

  test('the url keeps its own query, and its path may end with a slash', async () => {
    const urls: string[] = [];
    const fetch = (url: string): Promise<Response> => (
      urls.push(url),
      Promise.resolve(new Response(null, { status: 204 }))
    );
    for (const url of ['http://a.example', 'http://a.example/api/?x=1', new URL('http://a.example/api')]) {
      await outcomeOf(relayedInvoke({ url, fetch })(undefined, { FunctionName: 'a b', Qualifier: '1' }));
    }
    const path = '2021-11-15/functions/a%20b/response-streaming-invocations';
    expect(urls).toEqual([
      `http://a.example/${path}?Qualifier=1`,
      `http://a.example/api/${path}?x=1&Qualifier=1`,
      `http://a.example/api/${path}?Qualifier=1`,
    ]);
  });

  test('headers may be a function, also async, asked before each connection', async () => {
    const { invoke: _, ...rest } = relayed(() => of(headEvent(), completeEvent()));
    expect(rest.calls).toEqual([]);
    const tokens: (string | null)[] = [];
    const relay = createRelay({
      authorize({ request }) {
        tokens.push(request.headers.get('authorization'));
        throw new RelayRefusal(401, 'No');
      },
    });
    onTestFinished(() => relay.close());
    let count = 0;
    const invoke = relayedInvoke({
      url: 'http://relay.example',
      headers: async () => ({ authorization: `Bearer ${await Promise.resolve(++count)}` }),
      fetch: (url, init) => relay.fetch(new Request(url, init)),
    });
    await outcomeOf(invoke(undefined, input));
    await outcomeOf(invoke(undefined, input));
    expect(tokens).toEqual(['Bearer 1', 'Bearer 2']);
  });

  test('what headers throws is the error of the stream', async () => {
    const error = new Error('no token');
    const invoke = relayedInvoke({ url: 'http://a.example', headers: () => Promise.reject(error) });
    expect((await outcomeOf(invoke(undefined, input))).error).toBe(error);
  });

  test('an event without a key has no position', async () => {
    const { invoke } = relayed(() => of(headEvent(), chunkEvent('a'), completeEvent()));
    const { values } = await outcomeOf(invoke(undefined, input));
    expect(values.map((event) => 'position' in event)).toEqual([false, false, false]);
  });

  test('cold: nothing happens before the subscription, and each is one request', async () => {
    const { invoke, inits } = relayed(() => of(headEvent(), completeEvent()));
    const events = invoke(undefined, input);
    expect(inits).toHaveLength(0);
    await outcomeOf(events);
    await outcomeOf(events);
    expect(inits).toHaveLength(2);
  });

  test('retries, heads and pings of the relay are events or nothing, never unknown ones', async () => {
    const clock = stopClock();
    const more = new Subject<LambdaStreamEvent>();
    const { fetch } = relayed(() =>
      concat(of(headEvent(), retryEvent(), headEvent({ contentType: 'text/plain' })), more),
    );
    let sent: Promise<string> | undefined;
    const invoke = relayedInvoke({
      url: 'http://relay.example',
      async fetch(url, init) {
        const response = await fetch(url, init);
        sent = response.clone().text();
        return response;
      },
    });
    const client = follow(invoke(undefined, input));
    await client.until(({ length }) => length === 3);
    await clock.advance(15_000);
    more.next(completeEvent());
    const { values } = await client.outcome;
    expect(await sent).toContain('RxPing');
    expect(typesOf(values)).toBe('head retry head complete');
    expect(values[1]).toMatchObject({ mode: 'fresh', attempt: 2, error: { name: 'TooManyRequestsException' } });
    expect(values[2]).toMatchObject({ contentType: 'text/plain' });
  });

  test('pages skip an event of a later version, and unknown events of the function come through', async () => {
    const event = { type: 'unknown', eventType: 'Progress', headers: {}, payload: new Uint8Array([1]) } as const;
    const { invoke } = relayed(() => of(headEvent(), event, { ...event, eventType: 'RxLater' }, completeEvent()));
    const { values } = await outcomeOf(invoke(undefined, input));
    expect(typesOf(values)).toBe('head unknown complete');
  });

  test('the HTTP head that fetchResponseStream made arrives', async () => {
    const head = { type: 'http-head', statusCode: 404, headers: { 'x-a': 'b' }, cookies: ['c=1'] } as const;
    const { invoke } = relayed(() => of(headEvent(), head, completeEvent()));
    expect((await outcomeOf(invoke(undefined, input))).values[1]).toEqual(head);
  });

  test('a restart is told by a retry event', async () => {
    const restart = retryEvent({ mode: 'restart', delivered: { chunks: 1, bytes: 1 } });
    const { invoke } = relayed(() =>
      of(headEvent(), chunkEvent('a'), restart, headEvent(), chunkEvent('b'), completeEvent()),
    );
    const { values } = await outcomeOf(invoke(undefined, input).pipe(decodeText()));
    expect(values).toEqual(['a', 'b']);
  });
});

describe('errors of relayedInvoke', () => {
  const failing = (error: unknown, expose?: 'all') =>
    relayed(() => throwError(() => error), expose && { expose }).invoke(undefined, input);
  const failingLate = (error: unknown, expose?: 'all') =>
    relayed(
      () =>
        concat(
          of(headEvent()),
          throwError(() => error),
        ),
      expose && { expose },
    ).invoke(undefined, input);

  test.each([
    ['before the first frame', failing, 429],
    ['within the stream', failingLate, 429],
  ])("a service exception has AWS's name and fields, and the same verdict: %s", async (_, failed, httpStatusCode) => {
    const exception = serviceException('TooManyRequestsException', {
      Reason: 'ConcurrentSnapshotCreateLimitExceeded',
      retryAfterSeconds: '2',
    });
    const { error } = await outcomeOf(failed(exception));
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ConcurrentSnapshotCreateLimitExceeded',
      retryAfterSeconds: '2',
      $fault: 'client',
      $metadata: { httpStatusCode },
    });
    expect(classifyInvocationError(error)).toEqual(classifyInvocationError(exception));
  });

  test.each<[string, unknown, unknown]>([
    ['ECONNRESET', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), undefined],
    ['a truncated stream', new TruncatedStreamError({ functionName: 'f', chunks: 1, bytes: 2 }), TruncatedStreamError],
    ['a limit', new ReplayLimitError({ maxReplayBytes: 1 }), ReplayLimitError],
    ['any error', new Error('x'), undefined],
  ])('the verdict is the same behind the relay, and the class is this package’s: %s', async (_, thrown, Class) => {
    for (const failed of [failing, failingLate]) {
      const { error } = await outcomeOf(failed(thrown));
      expect(classifyInvocationError(error)).toEqual(classifyInvocationError(thrown));
      if (Class) expect(error).toBeInstanceOf(Class);
    }
  });

  test('a FunctionError is one, with what its relay exposes', async () => {
    const errorDetails = JSON.stringify({ errorType: 'CardError', errorMessage: 'card 4711', trace: ['at pay'] });
    const thrown = new FunctionError({ functionName: 'secret', errorCode: 'Unhandled', errorDetails });
    for (const failed of [failing, failingLate]) {
      const { error } = await outcomeOf(failed(thrown));
      expect(error).toBeInstanceOf(FunctionError);
      expect(error).toMatchObject({ errorCode: 'Unhandled', errorType: 'CardError' });
      expect(JSON.stringify(error) + String(error)).not.toMatch(/4711|secret/);
      expect((await outcomeOf(failed(thrown, 'all'))).error).toMatchObject({
        errorMessage: 'card 4711',
        trace: ['at pay'],
      });
    }
  });

  test("functionErrors: 'emit' makes an event of it", async () => {
    const open = () => concat(of(headEvent()), of(completeEvent({ errorCode: 'Unhandled' })));
    const { invoke } = relayed(open);
    const { values, completed } = await outcomeOf(invoke(undefined, input, { functionErrors: 'emit' }));
    expect([values.at(-1), completed]).toEqual([{ type: 'complete', errorCode: 'Unhandled' }, true]);
  });

  test('a refusal keeps its status in $metadata.httpStatusCode, and its message', async () => {
    const { invoke } = relayed(() => NEVER, {
      authorize: () => {
        throw new RelayRefusal(402, 'Pay first');
      },
    });
    const { error } = await outcomeOf(invoke(undefined, input));
    expect(error).toMatchObject({ name: 'RelayRefusal', message: 'Pay first', $metadata: { httpStatusCode: 402 } });
    expect(classifyInvocationError(error).verdict).toBe('never');
  });

  test.each([
    [502, 'soon', true],
    [504, 'soon', true],
    [503, 'soon', false],
    [404, 'never', false],
  ])('a proxy that answers %i has no name, and its verdict by status', async (status, verdict, mayHaveRun) => {
    const fetch = () => Promise.resolve(new Response('<html>', { status, headers: { 'content-type': 'text/html' } }));
    const { error } = await outcomeOf(relayedInvoke({ url: 'http://a.example', fetch })(undefined, input));
    expect(error).toMatchObject({ $metadata: { httpStatusCode: status } });
    expect(classifyInvocationError(error)).toMatchObject({ verdict, mayHaveRun });
  });

  test('a 200 that is no event stream, as a page to sign in, is a ProtocolError', async () => {
    const fetch = () => Promise.resolve(new Response('<html>', { headers: { 'content-type': 'text/html' } }));
    const { error } = await outcomeOf(relayedInvoke({ url: 'http://a.example', fetch })(undefined, input));
    expect(error).toBeInstanceOf(ProtocolError);
  });

  test('the body of an error is read up to a limit', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(16 * 1024).fill(32));
      },
    });
    const fetch = () => Promise.resolve(new Response(body, { status: 500 }));
    const { error } = await outcomeOf(relayedInvoke({ url: 'http://a.example', fetch })(undefined, input));
    expect(error).toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(pulled).toBeLessThan(8);
  });

  test('without a key a cut is a TruncatedStreamError and nothing runs again', async () => {
    let ran = 0;
    const server = createServer((_, response) => {
      ran++;
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.write(Buffer.alloc(8), () => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { error } = await outcomeOf(relayedInvoke({ url })(undefined, input));
    expect(error).toBeInstanceOf(TruncatedStreamError);
    expect(ran).toBe(1);
  });

  test('before x-rx-invocation the caller gets the error: retryInvocation retries a refused connection', async () => {
    let sent = 0;
    const fetch = () => (
      sent++,
      Promise.reject(
        new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' } }),
      )
    );
    const invoke = relayedInvoke({ url: 'http://a.example', fetch });
    const { error } = await outcomeOf(invoke(undefined, input));
    expect([sent, classifyInvocationError(error)]).toMatchObject([1, { verdict: 'soon', mayHaveRun: false }]);
    await outcomeOf(invoke(undefined, input).pipe(retryInvocation({ maxAttempts: 3, initialDelayMs: 0 })));
    expect(sent).toBe(4);
  });
});

describe('leaving and pausing', () => {
  test.each([
    ['before', NEVER],
    ['after', concat(of(headEvent()), NEVER)],
  ])('unsubscribing %s the headers closes the connection, and the relay leaves', async (_, events) => {
    const { opened: running, open: run } = gate();
    const { opened: left, open: leave } = gate();
    const { url } = await startRelay({
      authorize: () => ({ open: () => events.pipe(tap({ subscribe: run, finalize: leave })) }),
    });
    const client = follow(relayedInvoke({ url })(undefined, input));
    await running;
    if (events !== NEVER) await client.until(({ length }) => length === 1);
    client.leave();
    await left;
    expect(typesOf(client.values)).toBe(events === NEVER ? '' : 'head');
  });

  test('pauseWhile stops the reading, end to end', async () => {
    const { local, client } = await startLive({
      chat: async function* () {
        for (let i = 0; i < 400; i++) yield await Promise.resolve(new Uint8Array(64 * 1024));
      },
    });
    const { url } = await startRelay({
      authorize: ({ input: asked }) => ({
        open: (pauseWhile) => invokeWithResponseStream(client, asked, { pauseWhile }),
      }),
    });
    const pauseWhile = new BehaviorSubject(false);
    let bytes = 0;
    const page = follow(
      relayedInvoke({ url })(undefined, input, { pauseWhile }).pipe(
        tap((event) => {
          if (event.type === 'chunk') bytes += event.payload.length;
          if (bytes > 100_000 && !pauseWhile.value) pauseWhile.next(true);
        }),
      ),
    );
    await firstValueFrom(pauseWhile.pipe(filter(Boolean)));
    // What the buffers on the way take, and not the 26 MB of the whole.
    expect(await settled(() => local.requests[0]?.bytesWritten ?? 0)).toBeLessThan(16_000_000);
    pauseWhile.next(false);
    pauseWhile.complete();
    const { completed } = await page.outcome;
    expect([completed, bytes]).toEqual([true, 400 * 64 * 1024]);
  });
});

describe('a call with arguments that can never be used', () => {
  test.each<[string, unknown]>([
    ['url', undefined],
    ['url', { url: '' }],
    ['url', { url: '/api' }],
    ['url', { url: 'ftp://a.example' }],
    ['url', { url: 1 }],
    ['headers', { url: 'http://a.example', headers: 'x' }],
    ['fetch', { url: 'http://a.example', fetch: 'x' }],
    ['reconnect', { url: 'http://a.example', reconnect: true }],
    ['maxAttempts', { url: 'http://a.example', reconnect: { maxAttempts: '8' } }],
  ])('%s: TypeError at the call', (name, options) => {
    expect(() => relayedInvoke(options as RelayedInvokeOptions)).toThrow(TypeError);
    expect(() => relayedInvoke(options as RelayedInvokeOptions)).toThrow(name);
  });

  const secret = 's3cret-token';

  test.each<[string, unknown]>([
    ['url', { url: `http://user:${secret}@a.example` }],
    ['url', { url: new URL(`https://${secret}@a.example`) }],
    ['url', { url: `/api?token=${secret}` }],
    ['url', { url: `wss://a.example/?${secret}` }],
    ['headers', { url: 'http://a.example', headers: secret }],
  ])('%s: the message of the TypeError does not show it', (name, options) => {
    const call = (): unknown => relayedInvoke(options as RelayedInvokeOptions);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(new RegExp(`^relayedInvoke: ${name} must be (?!.*${secret})`));
  });

  test.each<[string, NonNullable<RelayedInvokeOptions['headers']>]>([
    ['a value', { authorization: `Bearer ${secret}\n${secret}` }],
    ['a name', { [`${secret} x`]: '1' }],
    ['of a function, a value', () => ({ authorization: `${secret}\0` })],
    ['of a function, no headers', (() => secret) as never],
  ])('headers that HTTP does not allow, %s: the error of the stream does not show them', async (_, headers) => {
    const { error } = await outcomeOf(relayedInvoke({ url: 'http://a.example', headers })(undefined, input));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain('headers');
    expect(String(error)).not.toContain(secret);
  });

  test.each([{ maxAttempts: -1 }, { initialDelayMs: Infinity }, { maxDelayMs: -1 }, { timeoutMs: 0 }])(
    'reconnect %o: RangeError at the call',
    (reconnect) => expect(() => relayedInvoke({ url: 'http://a.example', reconnect })).toThrow(RangeError),
  );

  test.each([{ after: 'x' }, { after: '1-' }, { functionErrors: 'drop' }, { pauseWhile: true }])(
    'options %o: TypeError at the call',
    (options) => {
      const invoke = relayedInvoke({ url: 'http://a.example' });
      expect(() => invoke(undefined, input, options as never)).toThrow(TypeError);
    },
  );

  test('an input without a function name: TypeError at the call', () => {
    expect(() => relayedInvoke({ url: 'http://a.example' })(undefined, {} as never)).toThrow(TypeError);
  });
});

test('the bundle of relayedInvoke holds no byte of the SDK', () => {
  const { metafile } = buildSync({
    stdin: { contents: "export { relayedInvoke } from './src/http/relayed-invoke.ts'", resolveDir: process.cwd() },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => /@aws-sdk|@smithy|node:|src\/(relay|local|log)\//.test(path))).toEqual([]);
  expect(inputs.some((path) => path.includes('src/http/relayed-invoke.ts'))).toBe(true);
});

test('textOf is whole for an invocation of many small writes', async () => {
  const words = Array.from({ length: 500 }, (_, i) => `w${i} `);
  const { invoke } = relayed(() => of(headEvent(), ...words.map((word) => chunkEvent(word)), completeEvent()));
  expect(textOf((await outcomeOf(invoke(undefined, input))).values)).toBe(words.join(''));
});
