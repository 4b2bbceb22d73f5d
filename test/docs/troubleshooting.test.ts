/** What docs/troubleshooting.md says and no other test shows, by its headings. */
import { createServer, request as httpRequest, type Agent, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip, gzipSync } from 'node:zlib';
import * as sdk from '@aws-sdk/client-lambda';
import { InvokeWithResponseStreamCommand, LambdaServiceException, ThrottleReason } from '@aws-sdk/client-lambda';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  BehaviorSubject,
  concatWith,
  from,
  lastValueFrom,
  NEVER,
  of,
  repeat,
  retry,
  Subject,
  take,
  TimeoutError,
  timeout,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import {
  classifyInvocationError,
  collectResponse,
  createFlowControl,
  decodeHttpResponse,
  decodeText,
  InvalidTextError,
  invokeWithResponseStream,
  isLambdaStreamError,
  parseNdjson,
  parseSse,
  ProtocolError,
  shareInvocation,
  splitLines,
  toSnapshots,
  TruncatedStreamError,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { HttpResponseStream, scripted, startLocalLambda, streamifyResponse } from 'rx-lambda-stream/local';
import type { LocalLambda, LocalLambdaOptions, ScriptStep } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { failOnLog, gunzipText, readRecords, trace } from '../../examples/troubleshooting-fixes.js';
import { exceptionTable } from '../../src/retry/exception-table.js';
import { marbles } from '../support/marbles.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { concat } from '../support/frames.js';
import { gate, startLive } from '../support/live.js';
import { codeIn, readPage, sectionOf, tableRows } from './markdown-page.js';

const page = readPage('docs/troubleshooting.md');
const input = { FunctionName: 'f' };

/** A client on an endpoint whose only function, `f`, follows this script. */
const startScript = (steps: readonly ScriptStep[], config: sdk.LambdaClientConfig = {}) =>
  startLive({ f: scripted(steps) }, config);

/** How a script ends. */
async function outcomeOfScript<T = LambdaStreamEvent>(
  steps: readonly ScriptStep[],
  operator?: OperatorFunction<LambdaStreamEvent, T>,
) {
  const { client } = await startScript(steps);
  const source = invokeWithResponseStream(client, input);
  return outcomeOf(operator ? source.pipe(operator) : (source as Observable<unknown> as Observable<T>));
}

/** An endpoint with settings of its own, and a client on it. */
async function startWith(options: LocalLambdaOptions): Promise<{ local: LocalLambda; client: sdk.LambdaClient }> {
  const local = await startLocalLambda(options);
  const client = new sdk.LambdaClient(local.clientConfig);
  onTestFinished(async () => {
    client.destroy();
    await local.close();
  });
  return { local, client };
}

const utf8 = new TextEncoder();
const euro = utf8.encode('€');
const endless = scripted([{ chunk: 'tick' }, 'stall']);

describe('see what arrives', () => {
  it.each<[string, readonly ScriptStep[], OperatorFunction<LambdaStreamEvent, unknown>, readonly string[]]>([
    [
      'a success',
      [{ chunk: 'abc' }, { complete: {} }],
      (source) => source,
      ['head', 'chunk of 3 bytes', 'complete', 'completed'],
    ],
    [
      'a failure',
      [{ chunk: 'a' }, 'end'],
      (source) => source,
      ['head', 'chunk of 1 bytes', 'TruncatedStreamError: The response'],
    ],
    ['a consumer that leaves', [{ chunk: 'a' }, 'stall'], take(1), ['head', 'unsubscribed']],
  ])('tells what arrives, and how it ends: %s', async (_what, steps, operator, expected) => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => told.mockRestore());
    await outcomeOfScript(steps, (source) => source.pipe(trace(), operator));
    const lines = told.mock.calls.map(([line]) => String(line));
    expect(lines.map((line) => line.replace(/^\d+ ms: /, '').slice(0, 34))).toEqual(expected);
    for (const line of lines) expect(line).toMatch(/^\d+ ms: /);
  });
});

describe('no region, or no credentials', () => {
  /** A process without any configuration of AWS. */
  function stubNoConfiguration(region?: string): void {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_REGION', region);
    onTestFinished(() => void vi.unstubAllEnvs());
  }

  it.each([
    [undefined, 'Error: Region is missing'],
    ['us-east-1', 'CredentialsProviderError: Could not load credentials'],
  ])('what the SDK does not find is an error before anything is sent, with region %s', async (region, expected) => {
    const { local } = await startLive({ f: endless });
    stubNoConfiguration(region);
    const client = new sdk.LambdaClient({ endpoint: local.endpoint });
    const { error } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(String(error)).toContain(expected);
    expect(classifyInvocationError(error)).toMatchObject({ verdict: 'never' });
    expect(local.requests).toEqual([]);
  });

  it('an endpoint that nobody serves refuses the connection', async () => {
    const { local, client } = await startLive({ f: endless });
    await local.close();
    const { error } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(String(error)).toMatch(/connect ECONNREFUSED 127\.0\.0\.1:\d+/);
  });
});

describe('the stream hangs', () => {
  it('a pause whose source has completed stays on', async () => {
    const { local, client } = await startLive({ f: endless });
    const events: LambdaStreamEvent[] = [];
    const pauseWhile = of(true);
    const subscription = invokeWithResponseStream(client, input, { pauseWhile }).subscribe((event) =>
      events.push(event),
    );
    // What is not paused has its chunk meanwhile.
    await lastValueFrom(invokeWithResponseStream(client, input).pipe(take(2)));
    expect(typesOf(events)).toBe('head');
    subscription.unsubscribe();
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });

  it('a pause that begins with true ends when somebody says false', async () => {
    const { client } = await startScript([{ chunk: 'a' }, { complete: {} }]);
    const pauseWhile = new BehaviorSubject(true);
    const whole = outcomeOf(invokeWithResponseStream(client, input, { pauseWhile }));
    await outcomeOf(invokeWithResponseStream(client, input));
    pauseWhile.next(false);
    expect((await whole).completed).toBe(true);
  });

  it('work that never completes keeps the stream paused', () => {
    const flow = createFlowControl({ highWaterMark: 2 });
    const paused: boolean[] = [];
    flow.paused.subscribe((value) => paused.push(value));
    const values = new Subject<number>();
    const subscription = values.pipe(flow.mergeMap((value) => of(value).pipe(concatWith(NEVER)))).subscribe();
    values.next(1);
    values.next(2);
    expect(paused).toEqual([false, true]);
    subscription.unsubscribe();
    expect(paused).toEqual([false, true, false]);
  });

  it('work that is bounded by a timeout does not', async () => {
    const flow = createFlowControl({ highWaterMark: 1 });
    const values = from([1, 2]).pipe(
      flow.mergeMap(() => NEVER.pipe(timeout({ first: 1, with: () => of('gave up') })), 1),
    );
    expect((await outcomeOf(values)).values).toEqual(['gave up', 'gave up']);
    expect(await lastValueFrom(flow.paused.pipe(take(1)))).toBe(false);
  });

  it.each<[string, readonly ScriptStep[]]>([
    ['before', ['stall']],
    ['after', [{ chunk: 'a' }, 'stall']],
  ])(
    'timeout closes the connection of a function that falls silent, before and after its first byte: %s',
    async (_, steps) => {
      const { local, client } = await startScript(steps);
      const { error } = await outcomeOf(
        invokeWithResponseStream(client, input).pipe(timeout({ first: 100, each: 100 })),
      );
      expect(error).toBeInstanceOf(TimeoutError);
      expect(await local.requests[0]?.closedEarly).toBe(true);
    },
  );
});

describe('the 51st call hangs', () => {
  const functions = { f: endless, marker: scripted([{ complete: {} }]) };

  /** How many requests there are once another client's has gone from beginning to end. */
  async function requestsAfterAWhile(local: LocalLambda): Promise<number> {
    const other = new sdk.LambdaClient(local.clientConfig);
    await outcomeOf(invokeWithResponseStream(other, { FunctionName: 'marker' }));
    other.destroy();
    return local.requests.filter(({ functionName }) => functionName === 'f').length;
  }

  it('fifty open streams make the next one wait, until one is left', async () => {
    const { local, client } = await startLive(functions);
    const open = Array.from({ length: 50 }, () => invokeWithResponseStream(client, input).subscribe());
    await local.request(49);
    const events: LambdaStreamEvent[] = [];
    const next = invokeWithResponseStream(client, input).subscribe((event) => events.push(event));
    expect([await requestsAfterAWhile(local), events.length]).toEqual([50, 0]);
    open[0]?.unsubscribe();
    // The marker's request was the 51st to arrive.
    await local.request(51);
    await vi.waitUntil(() => typesOf(events) === 'head chunk');
    for (const subscription of [...open, next]) subscription.unsubscribe();
  });

  it('a timeout makes the waiting an error', async () => {
    const { local, client } = await startLive(functions);
    const open = Array.from({ length: 50 }, () => invokeWithResponseStream(client, input).subscribe());
    await local.request(49);
    const { error } = await outcomeOf(invokeWithResponseStream(client, input).pipe(timeout({ first: 50 })));
    expect(error).toBeInstanceOf(TimeoutError);
    for (const subscription of open) subscription.unsubscribe();
  });

  it('the SDK warns when twice as many requests wait as there are sockets', () => {
    const logger = { warn: vi.fn(), info: vi.fn(), debug: vi.fn(), error: vi.fn(), trace: vi.fn() };
    const usage = (waiting: number) => ({
      maxSockets: 50,
      sockets: { host: Array(50) },
      requests: { host: Array(waiting) },
    });
    NodeHttpHandler.checkSocketUsage(usage(99) as unknown as Agent, 0, logger);
    expect(logger.warn).not.toHaveBeenCalled();
    NodeHttpHandler.checkSocketUsage(usage(100) as unknown as Agent, 0, logger);
    expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('socket usage at capacity=50'));
  });

  it('more sockets let more streams be open', async () => {
    const { local, client } = await startLive(functions, { requestHandler: { httpAgent: { maxSockets: 60 } } });
    const open = Array.from({ length: 60 }, () => invokeWithResponseStream(client, input).subscribe());
    await local.request(59);
    expect(local.requests).toHaveLength(60);
    for (const subscription of open) subscription.unsubscribe();
  });
});

/** A proxy on 127.0.0.1 that answers with what it makes of the endpoint's response. */
async function startProxy(
  target: string,
  relay: (upstream: IncomingMessage) => Promise<{ headers: Record<string, string>; body: Uint8Array }>,
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const forwarded = httpRequest(
      new URL(incoming.url ?? '/', target),
      { method: 'POST', headers: incoming.headers },
      (upstream) => {
        void relay(upstream).then(({ headers, body }) =>
          outgoing
            .writeHead(upstream.statusCode ?? 502, { 'content-type': upstream.headers['content-type'], ...headers })
            .end(body),
        );
      },
    );
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function collect(upstream: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of upstream) parts.push(part as Uint8Array);
  return concat(...parts);
}

describe('nothing arrives until the end', () => {
  it('a handler that is not wrapped is one chunk at its end', async () => {
    const { opened, open } = gate();
    const { local, client } = await startLive({
      f: async () => {
        await opened;
        return { all: 'at once' };
      },
    });
    const result = outcomeOf(invokeWithResponseStream(client, input));
    await local.request(0);
    open();
    const { values } = await result;
    expect([typesOf(values), textOf(values)]).toEqual(['head chunk complete', '{"all":"at once"}']);
  });

  it.each([false, true])('a compressing function holds its text back until it flushes: %s', async (flushes) => {
    const { opened, open } = gate();
    const { client } = await startLive({
      f: streamifyResponse(async (_event: unknown, responseStream) => {
        const gzip = createGzip();
        gzip.pipe(responseStream);
        gzip.write('tick ');
        if (flushes) gzip.flush();
        await opened;
        gzip.end('tock');
        await new Promise((resolve) => responseStream.on('finish', resolve));
      }),
      marker: scripted([{ complete: {} }]),
    });
    let early = 0;
    const lengths: number[] = [];
    const done = new Promise<void>((resolve, reject) => {
      invokeWithResponseStream(client, input).subscribe({
        next: (event) => event.type === 'chunk' && lengths.push(event.payload.length),
        complete: resolve,
        error: reject,
      });
    });
    // The header of ten bytes comes in any case; behind it a whole other request leaves time for more.
    await vi.waitUntil(() => lengths.length >= (flushes ? 2 : 1));
    await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'marker' }));
    early = lengths.reduce((sum, length) => sum + length, 0);
    open();
    await done;
    if (flushes) expect(early).toBeGreaterThan(10);
    else expect(early).toBe(10);
  });

  it('a proxy that collects the response holds the head back too', async () => {
    const { opened, open } = gate();
    const { local, client } = await startScript(['flush', { chunk: 'a' }, { waitFor: opened }, { complete: {} }]);
    const endpoint = await startProxy(local.endpoint, async (upstream) => ({
      headers: {},
      body: await collect(upstream),
    }));
    const behind = new sdk.LambdaClient({ ...local.clientConfig, endpoint });
    const events: LambdaStreamEvent[] = [];
    const whole = new Promise<void>((resolve, reject) => {
      invokeWithResponseStream(behind, input).subscribe({
        next: (event) => events.push(event),
        complete: resolve,
        error: reject,
      });
    });
    await local.request(0);
    // Without the proxy they are there.
    await lastValueFrom(invokeWithResponseStream(client, input).pipe(take(2)));
    expect(events).toEqual([]);
    open();
    await whole;
    expect(typesOf(events)).toBe('head chunk complete');
    behind.destroy();
  });

  it.each<[string, OperatorFunction<LambdaStreamEvent, unknown>, string | Uint8Array, string | Uint8Array]>([
    ['splitLines', splitLines(), 'a line', '\n'],
    ['parseNdjson', parseNdjson(), '{"id":1}', '\n'],
    ['parseSse', parseSse(), 'data: 1\n', '\n'],
    ['decodeHttpResponse', (source) => source.pipe(decodeHttpResponse(), decodeText()), '{"id":1}', '\n'],
    ['decodeText', decodeText(), euro.subarray(0, 2), euro.subarray(2)],
  ])('%s waits for what ends its value', (_name, operator, value, end) => {
    const source = new Subject<LambdaStreamEvent>();
    const seen: unknown[] = [];
    source.pipe(operator).subscribe((emitted) => seen.push(emitted));
    source.next(chunkEvent(value));
    expect(seen).toEqual([]);
    source.next(chunkEvent(end));
    expect(seen).not.toEqual([]);
  });

  it('collectResponse waits for what ends its value', async () => {
    const source = new Subject<LambdaStreamEvent>();
    const collected = outcomeOf(source.pipe(collectResponse()));
    source.next(chunkEvent('a'));
    source.next(completeEvent());
    source.complete();
    expect((await collected).values.map((response) => response.text())).toEqual(['a']);
  });
});

describe('HTTP statuses', () => {
  const section = sectionOf(page, 'HTTP 408, 409, 413, 429 and 5xx');
  const rows = tableRows(section, 'HTTP').map((row) => ({
    status: Number(row['HTTP']),
    names: codeIn(row['exceptions (`…Exception`)'] ?? '').map((name) => `${name}Exception`),
    retried: row['retried'],
  }));

  /** The installed SDK's exceptions of the operation, with their HTTP status. */
  const statusOf = (name: string): unknown => {
    const [, , , traits] = sdk[`${name}$` as 'ServiceException$'] as unknown as [
      unknown,
      unknown,
      unknown,
      { httpError: number },
    ];
    return traits.httpError;
  };

  it('has all exceptions of these statuses, with what is said of each', () => {
    const expected = Object.keys(exceptionTable).filter((name) =>
      /^(408|409|413|429|5..)$/.test(String(statusOf(name))),
    );
    expect(rows.flatMap(({ names }) => names).sort()).toEqual(expected.sort());
    for (const { status, names, retried } of rows) {
      for (const name of names) {
        expect([name, statusOf(name)]).toEqual([name, status]);
        expect([name, classifyInvocationError(serviceException(name))]).toEqual([
          name,
          { verdict: retried, mayHaveRun: false },
        ]);
      }
    }
  });

  it('has all Reasons of a throttle, with what is said of each', () => {
    const reasons = tableRows(section, '`Reason` of a `TooManyRequestsException`').map((row) => ({
      Reason: codeIn(row['`Reason` of a `TooManyRequestsException`'] ?? '')[0] ?? '',
      retried: row['retried'],
    }));
    expect(reasons.map(({ Reason }) => Reason).sort()).toEqual(Object.values(ThrottleReason).sort());
    for (const { Reason, retried } of reasons) {
      expect(classifyInvocationError(serviceException('TooManyRequestsException', { Reason })).verdict).toBe(retried);
    }
  });

  it.each([
    [502, true],
    [503, false],
    [504, true],
  ])('a nameless %i is retried soon, and may have run: %s', async (statusCode, mayHaveRun) => {
    for (const body of ['', '<html>']) {
      const { error } = await outcomeOfScript([{ httpError: { statusCode, body } }]);
      expect(classifyInvocationError(error)).toEqual({ verdict: 'soon', mayHaveRun });
    }
  });

  it('EFSIOException is the exception to the rule', () => {
    expect(classifyInvocationError(serviceException('EFSIOException'))).toMatchObject({ mayHaveRun: true });
  });
});

describe('DryRun', () => {
  it('the local endpoint answers a DryRun either way', async () => {
    const expected = { 'no-content': [0, 'head', 204], run: [1, 'head chunk complete', 200] } as const;
    for (const dryRun of ['no-content', 'run'] as const) {
      let runs = 0;
      const { client } = await startWith({ functions: { f: () => ++runs }, dryRun });
      const stream = invokeWithResponseStream(client, { FunctionName: 'f', InvocationType: 'DryRun' });
      const { values, completed } = await outcomeOf(stream);
      const [head] = values;
      expect(completed).toBe(true);
      expect([runs, typesOf(values), head?.type === 'head' && head.statusCode]).toEqual(expected[dryRun]);
    }
  });
});

describe('a failure that looks like a success', () => {
  const functions = {
    throws: streamifyResponse(async (_event: unknown, responseStream) => {
      responseStream.write('part');
      await Promise.resolve();
      throw new RangeError('out of luck');
    }),
    'times-out': { handler: () => new Promise(() => undefined), timeoutMs: 20 },
    succeeds: () => 'fine',
  };

  it('is found in the log where Lambda does not say so', async () => {
    const { client } = await startWith({ functions, errorReporting: 'silent' });
    const expected = {
      throws: /^The function failed: ERROR\tInvoke Error .*"errorMessage":"out of luck"/,
      'times-out': /^The function failed: Status: timeout$/,
      succeeds: undefined,
    };
    for (const [FunctionName, message] of Object.entries(expected)) {
      const source = invokeWithResponseStream(client, { FunctionName, LogType: 'Tail' });
      expect(await outcomeOf(source)).toMatchObject({ completed: true });
      const { error } = await outcomeOf(source.pipe(failOnLog(), collectResponse()));
      if (message) expect((error as Error).message).toMatch(message);
      else expect(error).toBeUndefined();
    }
  });

  it('is a FunctionError where Lambda does', async () => {
    const { client } = await startWith({ functions });
    for (const FunctionName of ['throws', 'times-out']) {
      const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName }));
      expect(error).toMatchObject({ name: 'FunctionError' });
    }
  });

  it('the log has to be asked for', async () => {
    const { error } = await outcomeOfScript([{ complete: {} }], failOnLog());
    expect(error).toEqual(new TypeError("failOnLog needs LogType: 'Tail'"));
  });

  it('a response over the limit ends as if it were whole', async () => {
    const { client } = await startWith({ functions: { f: () => 'x'.repeat(1_000) }, maxResponseBytes: 100 });
    const { values, completed } = await outcomeOf(invokeWithResponseStream(client, input));
    expect([textOf(values).length, completed]).toEqual([100, true]);
  });
});

describe('garbled characters', () => {
  it('come of chunks that are decoded each by itself, and not of decodeText', async () => {
    const steps = [{ chunk: euro.subarray(0, 1) }, { chunk: euro.subarray(1) }, { complete: {} }];
    const { values } = await outcomeOfScript(steps);
    const each = values.map((event) => (event.type === 'chunk' ? new TextDecoder().decode(event.payload) : ''));
    expect(each.join('')).toContain('�');
    expect(textOf(values)).toBe('€');
    expect((await outcomeOfScript(steps, decodeText())).values).toEqual(['€']);
  });

  it('are numbers where a payload is made a string', async () => {
    const { values } = await outcomeOfScript([{ chunk: 'Hello' }, { complete: {} }]);
    expect(values.map((event) => (event.type === 'chunk' ? String(event.payload) : ''))).toContain(
      '72,101,108,108,111',
    );
  });

  it('of another encoding are an error under fatal, and read by a decoder of it', async () => {
    const latin1 = Uint8Array.of(0x67, 0x72, 0xfc, 0xdf);
    const steps = [{ chunk: latin1 }, { complete: {} }];
    expect((await outcomeOfScript(steps, decodeText())).values.join('')).toBe('gr��');
    expect((await outcomeOfScript(steps, decodeText({ fatal: true }))).error).toBeInstanceOf(InvalidTextError);
    const { values } = await outcomeOfScript(steps);
    const read = values.map((event) => (event.type === 'chunk' ? new TextDecoder('latin1').decode(event.payload) : ''));
    expect(read.join('')).toBe('grüß');
  });

  const site = streamifyResponse(async (_event: unknown, responseStream) => {
    const metadata = { statusCode: 200, headers: { 'content-encoding': 'gzip' } };
    const stream = HttpResponseStream.from(responseStream, metadata);
    stream.write(gzipSync('text, '.repeat(1_000)));
    stream.end();
    await new Promise((resolve) => stream.on('finish', resolve));
  });

  it('of a prelude are gone behind decodeHttpResponse', async () => {
    const prelude = `{"statusCode":200}${'\0'.repeat(8)}text`;
    const steps = [{ chunk: prelude }, { complete: {} }];
    expect((await outcomeOfScript(steps, decodeText())).values).toEqual([prelude]);
    expect((await outcomeOfScript(steps, (source) => source.pipe(decodeHttpResponse(), decodeText()))).values).toEqual([
      'text',
    ]);
  });

  it('of compression are text behind DecompressionStream, and the http-head says so', async () => {
    const { client } = await startLive({ f: site });
    const { values } = await outcomeOf(invokeWithResponseStream(client, input).pipe(decodeHttpResponse()));
    expect(values.find(({ type }) => type === 'http-head')).toMatchObject({ headers: { 'content-encoding': 'gzip' } });
    expect(textOf(values)).toContain('�');
    let text = '';
    for await (const part of gunzipText(client, input)) text += part;
    expect(text).toBe('text, '.repeat(1_000));
  });

  it('of compression arrive as they are written, and leaving closes the connection', async () => {
    const { local, client } = await startLive({
      f: streamifyResponse(async (_event: unknown, responseStream) => {
        const gzip = createGzip();
        gzip.pipe(responseStream);
        gzip.write('tick ');
        gzip.flush();
        await new Promise((resolve) => responseStream.on('close', resolve));
      }),
    });
    const reader = gunzipText(client, input).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'tick ' });
    await reader.cancel();
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });
});

describe('TruncatedStreamError', () => {
  it('tells a clean end from a broken connection by its cause', async () => {
    const clean = await outcomeOfScript([{ chunk: 'abc' }, 'end']);
    expect(clean.error).toBeInstanceOf(TruncatedStreamError);
    expect((clean.error as Error).message).toContain('"f" ended without InvokeComplete');
    expect((clean.error as Error).cause).toBeUndefined();
    const broken = await outcomeOfScript([{ chunk: 'abc' }, { waitMs: 20 }, 'reset']);
    expect((broken.error as Error).message).toContain('"f" broke without InvokeComplete');
    expect(broken.error).toMatchObject({ chunks: 1, bytes: 3, cause: { code: 'ECONNRESET' } });
  });
});

describe('an endpoint that does not speak the operation', () => {
  it.each(['application/json', 'text/html', 'text/plain'])(
    'with a 200 of %s is a ProtocolError',
    async (contentType) => {
      const { error } = await outcomeOfScript([
        { head: { headers: { 'content-type': contentType } } },
        { raw: '<html>' },
      ]);
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as Error).message).toContain(`Content-Type "${contentType}"`);
    },
  );

  it('with an error in HTML is the SDK’s SyntaxError, its status kept', async () => {
    const { error } = await outcomeOfScript([{ httpError: { statusCode: 404, body: '<html>' } }]);
    expect(error).toMatchObject({ name: 'SyntaxError', $metadata: { httpStatusCode: 404 } });
    expect((error as Error).message).toMatch(/^Unexpected token '<'/);
  });

  it.each([
    [undefined, 404, 'Unknown'],
    ['MissingAuthenticationTokenException', 403, 'MissingAuthenticationTokenException'],
  ])('with an error in JSON called %s is a LambdaServiceException', async (name, statusCode, expected) => {
    const body = '{"message":"no"}';
    const { error } = await outcomeOfScript([{ httpError: { statusCode, body, ...(name !== undefined && { name }) } }]);
    expect(error).toBeInstanceOf(LambdaServiceException);
    expect(error).toMatchObject({ name: expected, message: 'no' });
    expect(classifyInvocationError(error).verdict).toBe('never');
  });

  it('a proxy that compresses is undone by fetch, and a ProtocolError with Node’s handler', async () => {
    const { local } = await startScript([{ chunk: 'Hello' }, { complete: {} }]);
    const endpoint = await startProxy(local.endpoint, async (upstream) => ({
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(await collect(upstream)),
    }));
    const invoke = (config: sdk.LambdaClientConfig) =>
      outcomeOf(invokeWithResponseStream(new sdk.LambdaClient({ ...local.clientConfig, endpoint, ...config }), input));
    const node = await invoke({});
    expect(node.error).toBeInstanceOf(ProtocolError);
    expect((node.error as Error).message).toContain('checksum');
    expect(textOf((await invoke({ requestHandler: new FetchHttpHandler() })).values)).toBe('Hello');
  });

  it('an address that speaks plain HTTP is read as its bytes come', async () => {
    const head = { head: { headers: { 'content-type': 'application/x-ndjson' } } };
    const { local } = await startLive({
      rows: scripted([head, { raw: '{"id":1}\n{"id"' }, { raw: ':2}\n' }]),
      stalls: scripted([head, { raw: '{"id":1}\n' }, 'stall']),
    });
    const url = (name: string): string =>
      `${local.endpoint}/2021-11-15/functions/${name}/response-streaming-invocations`;
    expect(await outcomeOf(readRecords(url('rows')))).toEqual({ values: [{ id: 1 }, { id: 2 }], completed: true });
    expect((await outcomeOf(readRecords(url('nobody')))).error).toEqual(new Error('HTTP 404'));
    expect((await outcomeOf(readRecords(url('stalls')).pipe(take(1)))).values).toEqual([{ id: 1 }]);
    expect(await local.requests.at(-1)?.closedEarly).toBe(true);
  });
});

describe('the function runs twice', () => {
  it('two subscribers are two invocations, and one where they share', async () => {
    const { local, client } = await startScript([{ chunk: 'a' }, { complete: {} }]);
    const stream = invokeWithResponseStream(client, input);
    const both = await Promise.all([outcomeOf(stream), outcomeOf(stream)]);
    const ids = both.map(({ values: [head] }) => head?.type === 'head' && head.requestId);
    expect([local.requests.length, new Set(ids).size]).toEqual([2, 2]);
    const shared = stream.pipe(shareInvocation());
    await Promise.all([outcomeOf(shared), outcomeOf(shared)]);
    expect(local.requests).toHaveLength(3);
  });

  it('RxJS’s own retry sends what can never succeed again', async () => {
    const { local, client } = await startScript([{ httpError: { statusCode: 502, name: 'InvalidZipFileException' } }]);
    await outcomeOf(invokeWithResponseStream(client, input).pipe(retry(2)));
    expect(local.requests).toHaveLength(3);
  });

  it('RxJS’s own repeat sends what has succeeded again', async () => {
    const { local, client } = await startScript([{ complete: {} }]);
    const { values } = await outcomeOf(invokeWithResponseStream(client, input).pipe(repeat(2)));
    expect([local.requests.length, typesOf(values)]).toEqual([2, 'head complete head complete']);
  });

  it('the SDK’s loop sends again after a reset behind the headers, this package does not', async () => {
    const { local, client } = await startScript(['flush', { waitMs: 20 }, 'reset']);
    await expect(client.send(new InvokeWithResponseStreamCommand(input))).rejects.toThrow();
    expect(local.requests).toHaveLength(3);
    expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toBeInstanceOf(TruncatedStreamError);
    expect(local.requests).toHaveLength(4);
  });
});

describe('memory', () => {
  it('a payload may be a view into a larger buffer', async () => {
    const { values } = await outcomeOfScript([{ batch: [{ chunk: 'a' }, { chunk: 'b' }, { complete: {} }] }]);
    const [payload] = values.flatMap((event) => (event.type === 'chunk' ? [event.payload] : []));
    expect(payload?.byteLength).toBe(1);
    expect(payload?.buffer.byteLength).toBeGreaterThan(1);
    expect(payload?.slice().buffer.byteLength).toBe(1);
  });

  const MiB = 1024 * 1024;
  const slowSchema = {
    '~standard': { version: 1 as const, vendor: 'test', validate: () => new Promise<never>(() => undefined) },
  };
  const record = `${JSON.stringify('x'.repeat(MiB / 2))}\n`;

  const proofs: Record<string, () => Promise<unknown>> = {
    '`splitLines()`, `parseNdjson()`: a line': async () => {
      const steps = [chunkEvent('x'.repeat(MiB)), chunkEvent('x')];
      expect((await outcomeOf(from(steps.slice(0, 1)).pipe(splitLines()))).error).toBeUndefined();
      expect((await outcomeOf(from(steps).pipe(parseNdjson()))).error).toMatchObject({ name: 'LineTooLongError' });
      return (await outcomeOf(from(steps).pipe(splitLines()))).error;
    },
    '`parseSse()`: an event': async () =>
      (await outcomeOf(of(chunkEvent(`data: ${'x'.repeat(8 * MiB)}`)).pipe(parseSse()))).error,
    '`collectResponse()`: the response': async () =>
      (await outcomeOf(from(Array<LambdaStreamEvent>(17).fill(chunkEvent('x'.repeat(MiB)))).pipe(collectResponse())))
        .error,
    '`toSnapshots()`: the text, as the `error` of its last snapshot': async () => {
      const events = from(Array<LambdaStreamEvent>(17).fill(chunkEvent('x'.repeat(MiB))));
      const last = (await outcomeOf(events.pipe(toSnapshots()))).values.at(-1);
      return last?.status === 'failed' ? last.error : undefined;
    },
    '`parseNdjson()`, `parseSse()`: records that wait for a schema': async () => {
      const records = Array<LambdaStreamEvent>(40).fill(chunkEvent(record));
      return (await outcomeOf(from(records).pipe(parseNdjson({ schema: slowSchema })))).error;
    },
    '`decodeHttpResponse()`: status and headers, or a JSON object at the start': async () =>
      (await outcomeOf(of(chunkEvent(`{"a":"${'x'.repeat(65 * 1024)}`)).pipe(decodeHttpResponse()))).error,
    '`shareInvocation()`: what a late subscriber would be replayed': async () => {
      const source = new Subject<LambdaStreamEvent>();
      const shared = source.pipe(shareInvocation());
      const early = shared.subscribe();
      for (let i = 0; i < 17; i++) source.next(chunkEvent('x'.repeat(MiB)));
      const { error } = await outcomeOf(shared);
      early.unsubscribe();
      return error;
    },
    'a single frame': async () => (await outcomeOfScript([{ bogusLength: 25_165_825 }, 'stall'])).error,
  };
  const rows = tableRows(sectionOf(page, 'Memory grows, or a limit is passed'), 'default');

  it('has a proof for each limit', () => {
    expect(rows.map((row) => row['of'])).toEqual(Object.keys(proofs));
  });

  it.each(Object.entries(proofs))('names the limit that was passed: %s', async (of, passLimit) => {
    const row = rows.find((each) => each['of'] === of);
    const error = (await passLimit()) as Error & Partial<Record<string, number>>;
    expect(`\`${error.name}\``).toBe(row?.['error']);
    const limit =
      error['maxLineBytes'] ??
      error['maxBytes'] ??
      error['maxReplayBytes'] ??
      /limit of (\d+) bytes/.exec(error.message)?.[1];
    expect(Number(limit).toLocaleString('en')).toBe(row?.['default']);
    const [option] = codeIn(row?.['limit'] ?? '');
    if (option !== undefined) expect(`${error.message} ${Object.keys(error).join(' ')}`).toContain(option);
  });
});

describe('a marble test', () => {
  it('an input function that is async leaves virtual time, a plain one does not', () => {
    const response = { h: headEvent(), a: chunkEvent('a'), c: completeEvent() };
    const client = { send: () => Promise.reject(new Error('A fake sends nothing')) };
    for (const [source, expected] of [
      [() => input, '--a-|'],
      [() => of(input), '--a-|'],
      [() => Promise.resolve(input), ''],
    ] as const) {
      marbles((m) => {
        const f = m.cold('h-a-(c|)', response);
        m.expect(fakeInvoke({ f })(client, source).pipe(decodeText())).toBeObservable(expected);
      })();
    }
  });
});

describe('instanceof', () => {
  it('isLambdaStreamError and classifyInvocationError hold across two copies of the package', async () => {
    vi.resetModules();
    const other = await import('rx-lambda-stream');
    const error = new other.TruncatedStreamError({ functionName: 'f', chunks: 0, bytes: 0 });
    expect([error.name, error.code]).toEqual(['TruncatedStreamError', 'truncated']);
    expect(error).not.toBeInstanceOf(TruncatedStreamError);
    expect(isLambdaStreamError(error)).toBe(true);
    expect(classifyInvocationError(error)).toEqual({ verdict: 'soon', mayHaveRun: true });
  });
});
