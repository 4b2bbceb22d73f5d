/**
 * Proves what docs/migrating.md says: its examples on both sides, and its tables row by row. A row without a proof here
 * fails, and so does a proof without a row.
 */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import * as sdk from '@aws-sdk/client-lambda';
import {
  InvokeWithResponseStreamCommand,
  InvokeWithResponseStreamRequest$,
  InvokeWithResponseStreamResponse$,
  LambdaClient,
  LambdaServiceException,
  TooManyRequestsException,
  type InvokeWithResponseStreamCommandInput,
  type InvokeWithResponseStreamResponseEvent,
  type LambdaClientConfig,
} from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { concatMap, firstValueFrom, TimeoutError, timeout, type Observable } from 'rxjs';
import {
  classifyInvocationError,
  createRetryBudget,
  FunctionError,
  invokeWithResponseStream,
  ProtocolError,
  retryInvocation,
  TruncatedStreamError,
  type InvokeInput,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { scripted, type LocalRequest, type ScriptStep } from 'rx-lambda-stream/local';
import { serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as after from '../../examples/migrating-after.js';
import * as before from '../../examples/migrating-before.js';
import { outcomeOf, typesOf } from '../support/collect.js';
import { gate, startLive } from '../support/live.js';
import { stalled } from '../support/stalled.js';
import { codeIn, readPage, sectionOf, tableRows, type Row } from './markdown-page.js';

const page = readPage('docs/migrating.md');

/** Runs a proof for each row, and fails where there is a row or a proof without the other. */
function prove(
  rows: readonly Row[],
  column: string,
  proofs: Readonly<Record<string, () => Promise<void> | void>>,
): void {
  it('has a proof for each row', () => {
    expect(rows.map((row) => row[column])).toEqual(Object.keys(proofs));
  });
  it.each(Object.entries(proofs))('%s', (_row, proof) => proof());
}

/** What is printed, by whatever way, to the end of the test. */
function captureOutput(): { readonly stdout: () => string; readonly stderr: () => string } {
  let stdout = '';
  let stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text instanceof Uint8Array ? new TextDecoder().decode(text) : text;
    return true;
  });
  vi.spyOn(console, 'log').mockImplementation((...what: unknown[]) => void (stdout += `${what.join(' ')}\n`));
  vi.spyOn(console, 'error').mockImplementation((...what: unknown[]) => void (stderr += `${what.join(' ')}\n`));
  onTestFinished(() => void vi.restoreAllMocks());
  return { stdout: () => stdout, stderr: () => stderr };
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('It did not fail'),
    (error: unknown) => error,
  );

/** The SDK's own events. */
async function readLoop(
  client: LambdaClient,
  input: InvokeWithResponseStreamCommandInput,
): Promise<InvokeWithResponseStreamResponseEvent[]> {
  const { EventStream = [] } = await client.send(new InvokeWithResponseStreamCommand(input));
  const events: InvokeWithResponseStreamResponseEvent[] = [];
  for await (const event of EventStream) events.push(event);
  return events;
}

const handlerConfigOf = ({ config }: LambdaClient): object =>
  (config.requestHandler as NodeHttpHandler).httpHandlerConfigs();

const input = { FunctionName: 'f' };

/** A client on an endpoint whose only function, `f`, follows this script. */
const startScript = (steps: readonly ScriptStep[], config: LambdaClientConfig = {}) =>
  startLive({ f: scripted(steps) }, config);

/** How the script ends for a subscriber. */
async function failureOf(
  steps: readonly ScriptStep[],
  operator: (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent> = (source) => source,
): Promise<unknown> {
  const { client } = await startScript(steps);
  return (await outcomeOf(operator(invokeWithResponseStream(client, input)))).error;
}

const sides = [
  ['the SDK’s loop', before],
  ['this package', after],
] as const;

const euro = new TextEncoder().encode('€');
const throttle = { statusCode: 429, name: 'TooManyRequestsException', body: { Reason: 'CallerRateLimitExceeded' } };

describe.each(sides)('the examples, with %s', (side, example) => {
  it('text is printed as it comes, with whole characters', async () => {
    const chat = scripted([
      { chunk: 'costs 5 ' },
      { chunk: euro.subarray(0, 1) },
      { chunk: euro.subarray(1) },
      { complete: {} },
    ]);
    const { client } = await startLive({ chat });
    const { stdout } = captureOutput();
    await example.printAnswer(client);
    expect(stdout()).toBe('costs 5 €');
  });

  it('the whole is collected', async () => {
    const report = scripted([{ chunk: '{"total":' }, { chunk: '7}' }, { complete: {} }]);
    const { client } = await startLive({ report });
    expect(await example.readReport(client)).toEqual({ total: 7 });
  });

  it('rows are printed, the last one without a line feed too', async () => {
    const rows = scripted([{ chunk: '{"id":1}\n{"id"' }, { chunk: ':2}\n{"id":3}' }, { complete: {} }]);
    const { client } = await startLive({ rows });
    const { stdout } = captureOutput();
    await example.printRows(client);
    expect(stdout()).toBe('1\n2\n3\n');
  });

  it('the first chunk is returned', async () => {
    const { local, client } = await startLive({ ticker: scripted([{ chunk: 'tick' }, 'stall']) });
    expect(new TextDecoder().decode(await example.readFirstChunk(client))).toBe('tick');
    if (side === 'this package') expect(await local.requests[0]?.closedEarly).toBe(true);
    // That the SDK's loop leaves it open is proved below.
  });

  it('an abort closes the connection, and fails', async () => {
    const { local, client } = await startLive({ ticker: scripted([{ chunk: 'tick' }, 'stall']) });
    const { stdout } = captureOutput();
    const controller = new AbortController();
    const printing = errorOf(example.printUntilAborted(client, controller.signal));
    await vi.waitUntil(() => stdout() === 'tick');
    controller.abort();
    const error = await printing;
    expect(await local.requests[0]?.closedEarly).toBe(true);
    if (side === 'this package') expect(error).toBe(controller.signal.reason);
    else expect(error).toMatchObject({ name: 'Error', message: 'aborted', code: 'ECONNRESET' });
  });

  it('text and log are printed, and a failed function fails with its log printed too', async () => {
    const chat = scripted((_request, attempt) => [
      { chunk: 'hello' },
      {
        complete:
          attempt === 1 ? { logTail: 'the log' } : { errorCode: 'Unhandled', errorDetails: 'why', logTail: 'x' },
      },
    ]);
    const { client } = await startLive({ chat });
    const { stdout, stderr } = captureOutput();
    await example.printWithLog(client);
    expect([stdout(), stderr()]).toEqual(['hello', 'the log\n']);
    expect(String(await errorOf(example.printWithLog(client)))).toContain('Unhandled');
    expect(stderr()).toBe('the log\nx\n');
  });

  it('a throttle is explained, before the stream and within it', async () => {
    const { client } = await startLive(
      {
        f: scripted((_request, attempt) =>
          attempt === 1
            ? [{ httpError: throttle }]
            : [{ chunk: 'a' }, { exception: throttle.name, body: throttle.body }],
        ),
      },
      { maxAttempts: 1 },
    );
    for (let i = 0; i < 2; i++) {
      const error =
        side === 'this package'
          ? (await outcomeOf(invokeWithResponseStream(client, input))).error
          : await errorOf(readLoop(client, input));
      expect(example.explain(error)).toBe('throttled: CallerRateLimitExceeded');
    }
  });
});

describe('the examples of one side', () => {
  it('a signal that is aborted already sends nothing', async () => {
    const { local, client } = await startLive({ ticker: scripted(['stall']) });
    const error = await errorOf(after.printUntilAborted(client, AbortSignal.abort('no')));
    expect([error, local.requests.length]).toEqual(['no', 0]);
  });

  it('retries send as often as they say, the client’s maxAttempts likewise', async () => {
    const chat = scripted((_request, attempt) =>
      attempt % 4 === 0 ? [{ chunk: 'at last' }, { complete: {} }] : [{ httpError: throttle }],
    );
    const { local, client } = await startLive({ chat }, { maxAttempts: 1 });
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { stdout } = captureOutput();
    await after.printWithRetries(client);
    expect([stdout(), local.requests.length]).toEqual(['at last', 4]);
    const retrying = before.createRetryingClient(local.clientConfig);
    await readLoop(retrying, { FunctionName: 'chat' });
    retrying.destroy();
    expect(local.requests).toHaveLength(8);
  });

  it('a loop with for await is left after three rows, and the connection closed', async () => {
    const rows = scripted([{ chunk: '{"id":1}\n{"id":2}\n{"id":3}\n{"id":4}\n' }, 'stall']);
    const { local, client } = await startLive({ rows });
    const { stdout } = captureOutput();
    await after.printThreeRows(client);
    expect(stdout()).toBe('1\n2\n3\n');
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });

  it('the counterpart of the Python program prints, and explains what goes wrong', async () => {
    const chat = scripted(({ payload }, attempt) =>
      attempt === 1
        ? [{ chunk: new Uint8Array(payload) }, { complete: {} }]
        : [
            { chunk: 'part' },
            { complete: { errorCode: 'Unhandled', errorDetails: '{"errorType":"E","errorMessage":"m"}' } },
          ],
    );
    const { client } = await startLive({ chat });
    const { stdout, stderr } = captureOutput();
    await after.ask(client, 'Hello');
    await after.ask(client, 'Hello');
    expect([stdout(), stderr()]).toEqual(['{"prompt":"Hello"}part', 'the function failed: E, m\n']);
  });

  it('a cut stream is explained', async () => {
    expect(after.explain(await failureOf([{ chunk: 'abc' }, 'end']))).toBe('cut after 3 bytes');
  });

  it('a blank line fails the first loop over rows only', async () => {
    const { client } = await startLive({ rows: scripted([{ chunk: '{"id":1}\n\n{"id":2}\n' }, { complete: {} }]) });
    captureOutput();
    expect(await errorOf(before.printRows(client))).toBeInstanceOf(SyntaxError);
    await after.printRows(client);
  });
});

describe('what changes', () => {
  const permanent: ScriptStep = { httpError: { statusCode: 502, name: 'InvalidZipFileException' } };

  prove(tableRows(sectionOf(page, 'What changes'), 'what'), 'what', {
    'when the request is sent': async () => {
      const { local, client } = await startScript([{ complete: {} }]);
      const stream = invokeWithResponseStream(client, input);
      // A whole request of the SDK's later, the Observable has still sent nothing.
      await readLoop(client, { FunctionName: 'f', Payload: 'theirs' });
      expect(local.requests).toHaveLength(1);
      await outcomeOf(stream);
      await outcomeOf(stream);
      expect(local.requests).toHaveLength(3);
    },
    'how many requests that is': async () => {
      const { local, client } = await startScript([permanent]);
      await errorOf(readLoop(client, input));
      expect(local.requests).toHaveLength(3);
      await outcomeOf(invokeWithResponseStream(client, input));
      expect(local.requests).toHaveLength(4);
      await outcomeOf(invokeWithResponseStream(client, input, { sdkRetries: true }));
      expect(local.requests).toHaveLength(7);
    },
    'a function that failed': async () => {
      const { client } = await startScript([{ complete: { errorCode: 'Unhandled', errorDetails: '' } }]);
      expect(await readLoop(client, input)).toEqual([{ InvokeComplete: { ErrorCode: 'Unhandled', ErrorDetails: '' } }]);
      expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toBeInstanceOf(FunctionError);
      const { values } = await outcomeOf(invokeWithResponseStream(client, input, { functionErrors: 'emit' }));
      expect(values.at(-1)).toMatchObject({ type: 'complete', errorCode: 'Unhandled' });
    },
    'a stream without its end': async () => {
      const { client } = await startScript([{ chunk: 'half' }, 'end']);
      expect(await readLoop(client, input)).toHaveLength(1);
      expect((await outcomeOf(invokeWithResponseStream(client, input))).error).toBeInstanceOf(TruncatedStreamError);
    },
    'an exception within the stream': async () => {
      const exception = { exception: throttle.name, body: throttle.body };
      const { client } = await startScript([{ chunk: 'a' }, exception]);
      const theirs = await errorOf(readLoop(client, input));
      expect(theirs).not.toBeInstanceOf(TooManyRequestsException);
      expect(JSON.parse((theirs as Error).message)).toEqual(throttle.body);
      // As the first frame, it makes `send` fail, after three requests.
      const first = await startScript([exception]);
      const early = await errorOf(first.client.send(new InvokeWithResponseStreamCommand(input)));
      expect(early).not.toBeInstanceOf(TooManyRequestsException);
      expect(first.local.requests).toHaveLength(3);
      const { error } = await outcomeOf(invokeWithResponseStream(client, input));
      expect(error).toBeInstanceOf(TooManyRequestsException);
      expect(error).toMatchObject(throttle.body);
    },
    "the response's head": async () => {
      const { opened, open } = gate();
      const { client } = await startScript(['flush', { waitFor: opened }, { complete: {} }]);
      let there = false;
      const sent = client.send(new InvokeWithResponseStreamCommand(input)).finally(() => (there = true));
      const head = await firstValueFrom(invokeWithResponseStream(client, input));
      expect([head.type, there]).toEqual(['head', false]);
      open();
      await sent;
    },
    'leaving early': async () => {
      const { local, client } = await startLive({
        ticker: scripted([{ chunk: 'tick' }, 'stall']),
        f: scripted([{ complete: {} }]),
      });
      await before.readFirstChunk(client);
      await after.readFirstChunk(client);
      expect(await local.requests[1]?.closedEarly).toBe(true);
      let left = false;
      void local.requests[0]?.closed.then(() => (left = true));
      // Two whole requests later the first one is still open.
      for (let i = 0; i < 2; i++) await readLoop(client, input);
      expect(left).toBe(false);
    },
    'an event type that the SDK lacks': async () => {
      const { client } = await startScript([{ unknownEvent: { eventType: 'Progress' } }, { complete: {} }]);
      expect(await readLoop(client, input)).toEqual([{ InvokeComplete: {} }]);
      expect(typesOf((await outcomeOf(invokeWithResponseStream(client, input))).values)).toBe('head unknown complete');
    },
    'slow work in the loop': async () => {
      const piece = new Uint8Array(64 * 1024);
      const { local, client } = await startLive({
        f: async function* () {
          for (;;) {
            yield piece;
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      });
      const { EventStream } = await client.send(new InvokeWithResponseStreamCommand(input));
      await EventStream?.[Symbol.asyncIterator]().next();
      expect(await stalled(await local.request(0))).toBeLessThan(20_000_000);
      // The same work here does not hold it back: it gets far past what all buffers hold.
      const { opened, open } = gate();
      const subscription = invokeWithResponseStream(client, input)
        .pipe(concatMap(() => opened))
        .subscribe();
      const ours = await local.request(1);
      while (ours.bytesWritten < 40_000_000) await new Promise((resolve) => setImmediate(resolve));
      subscription.unsubscribe();
      open();
    },
  });
});

describe('timeouts', () => {
  const silent: readonly ScriptStep[] = ['stall'];
  const halfway: readonly ScriptStep[] = [{ chunk: 'tick' }, 'stall'];

  async function errorWith(requestHandler: object, steps: readonly ScriptStep[], bound = 20_000): Promise<unknown> {
    const { client } = await startScript(steps, { requestHandler });
    return (await outcomeOf(invokeWithResponseStream(client, input).pipe(timeout(bound)))).error;
  }

  /** A client whose connections never come about, and no name is looked up for it. */
  function createLonelyClient(connectionTimeout: number): LambdaClient {
    return new LambdaClient({
      region: 'us-east-1',
      endpoint: 'http://lambda.invalid',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      requestHandler: new NodeHttpHandler({ connectionTimeout, httpAgent: new Agent({ lookup: () => undefined }) }),
    });
  }

  prove(tableRows(sectionOf(page, 'Timeouts'), 'in a pipeline'), 'in a pipeline', {
    'keep it there': async () => {
      const client = createLonelyClient(20);
      const { error } = await outcomeOf(invokeWithResponseStream(client, input));
      expect(error).toMatchObject({ name: 'TimeoutError' });
      expect(classifyInvocationError(error)).toEqual({ verdict: 'soon', mayHaveRun: false });
    },
    '`timeout({ first: ms })`': async () => {
      const ours = await failureOf(silent, timeout({ first: 50 }));
      const theirs = await errorWith({ requestTimeout: 50, throwOnRequestTimeout: true }, silent);
      for (const error of [ours, theirs]) {
        expect(error).toMatchObject({ name: 'TimeoutError' });
        expect(classifyInvocationError(error)).toEqual({ verdict: 'soon', mayHaveRun: true });
      }
      // Behind the headers it is over: what is seen is the bound of the test, with time to get there.
      const late = await errorWith({ requestTimeout: 1_000, throwOnRequestTimeout: true }, halfway, 1_500);
      expect(late).toBeInstanceOf(TimeoutError);
    },
    '`timeout({ each: ms })`': async () => {
      expect(await failureOf(halfway, timeout({ each: 50 }))).toBeInstanceOf(TimeoutError);
      expect(await errorWith({ socketTimeout: 50 }, silent)).toMatchObject({ name: 'TimeoutError' });
      const late = await errorWith({ socketTimeout: 50 }, halfway);
      expect(late).toBeInstanceOf(TruncatedStreamError);
      expect((late as Error).cause).toMatchObject({ name: 'TimeoutError' });
      expect(classifyInvocationError(late)).toEqual({ verdict: 'soon', mayHaveRun: true });
    },
    '`takeUntil(abortOf(AbortSignal.timeout(ms)))`': async () => {
      const { local, client } = await startLive({ ticker: scripted(halfway) });
      captureOutput();
      const error = await errorOf(after.printUntilAborted(client, AbortSignal.timeout(50)));
      expect(error).toMatchObject({ name: 'TimeoutError' });
      expect(await local.requests[0]?.closedEarly).toBe(true);
    },
  });

  it('requestTimeout alone logs a warning, and nothing fails', async () => {
    const { opened, open } = gate();
    const warn = vi.fn<(text: string) => void>(() => open());
    const logger = { warn, info: vi.fn(), debug: vi.fn(), error: vi.fn(), trace: vi.fn() };
    const { client } = await startScript([{ waitFor: opened }, { complete: {} }], {
      requestHandler: new NodeHttpHandler({ requestTimeout: 50, logger }),
    });
    expect((await outcomeOf(invokeWithResponseStream(client, input))).completed).toBe(true);
    expect(warn.mock.calls[0]?.[0]).toContain('throwOnRequestTimeout');
  });

  it('the example bounds its wait for the first event and for each that follows', async () => {
    captureOutput();
    for (const steps of [silent, halfway]) {
      const { local, client } = await startLive({ ticker: scripted(steps) });
      expect(await errorOf(after.printInTime(client, 50, 50))).toBeInstanceOf(TimeoutError);
      expect(await local.requests[0]?.closedEarly).toBe(true);
      const impatient = before.createImpatientClient(local.clientConfig, 50, 50);
      const error = await errorOf(readLoop(impatient, { FunctionName: 'ticker' }));
      impatient.destroy();
      expect(error).toMatchObject({ name: 'TimeoutError' });
    }
  });
});

describe('retries', () => {
  it('the client’s own maxAttempts is not looked at', async () => {
    const { local, client } = await startScript([{ httpError: throttle }], { maxAttempts: 7 });
    await outcomeOf(invokeWithResponseStream(client, input));
    expect(local.requests).toHaveLength(1);
  });

  it('sdkRetries and retryInvocation together multiply', async () => {
    const { local, client } = await startScript([{ httpError: { statusCode: 500, name: 'ServiceException' } }]);
    const source = invokeWithResponseStream(client, input, { sdkRetries: true });
    await outcomeOf(source.pipe(retryInvocation({ initialDelayMs: 0 })));
    expect(local.requests).toHaveLength(9);
  });
});

describe('response fields', () => {
  const details = { errorType: 'E', errorMessage: 'm', trace: ['at x'] };
  const end = { errorCode: 'Unhandled', errorDetails: JSON.stringify(details), logTail: 'the log' };
  const headers = {
    'x-amz-executed-version': '7',
    'x-amzn-remapped-content-type': 'text/csv',
    'x-amz-id-2': 'extended',
    'x-amz-cf-id': 'edge',
  };

  /** One response with everything in it, as both sides have it. */
  async function readBoth() {
    const { client } = await startScript([{ head: { headers } }, { chunk: 'bytes' }, { complete: end }]);
    const output = await client.send(new InvokeWithResponseStreamCommand(input));
    const theirs: InvokeWithResponseStreamResponseEvent[] = [];
    for await (const event of output.EventStream ?? []) theirs.push(event);
    const { error } = await outcomeOf(invokeWithResponseStream(client, input));
    const { values } = await outcomeOf(invokeWithResponseStream(client, input, { functionErrors: 'emit' }));
    const [head, chunk, complete] = values;
    if (head?.type !== 'head' || chunk?.type !== 'chunk' || complete?.type !== 'complete')
      throw new Error('Not all came');
    if (!(error instanceof FunctionError)) throw new Error('No FunctionError');
    return { output, theirs, head, chunk, complete, error };
  }

  const proofs: Record<string, () => Promise<void>> = {
    StatusCode: async () => {
      const { output, head } = await readBoth();
      expect([head.statusCode, output.StatusCode]).toEqual([200, 200]);
    },
    ExecutedVersion: async () => {
      const { output, head } = await readBoth();
      expect([head.executedVersion, output.ExecutedVersion]).toEqual(['7', '7']);
    },
    ResponseStreamContentType: async () => {
      const { output, head } = await readBoth();
      expect(output.ResponseStreamContentType).toBe('application/vnd.amazon.eventstream');
      expect([head.headers['content-type'], head.contentType]).toEqual([output.ResponseStreamContentType, 'text/csv']);
    },
    EventStream: async () => {
      const { theirs, chunk, complete } = await readBoth();
      expect(theirs).toHaveLength([chunk, complete].length);
    },
    'EventStream.PayloadChunk.Payload': async () => {
      const { theirs, chunk } = await readBoth();
      expect(theirs[0]).toEqual({ PayloadChunk: { Payload: chunk.payload } });
      for (const bytes of [theirs[0]?.PayloadChunk?.Payload, chunk.payload])
        expect(bytes?.constructor).toBe(Uint8Array);
    },
    'EventStream.InvokeComplete': async () => {
      const { theirs, complete } = await readBoth();
      expect([Object.keys(theirs.at(-1) ?? {}), complete.type]).toEqual([['InvokeComplete'], 'complete']);
    },
    'EventStream.InvokeComplete.ErrorCode': async () => {
      const { theirs, complete, error } = await readBoth();
      const code = theirs.at(-1)?.InvokeComplete?.ErrorCode;
      expect([code, complete.errorCode, error.errorCode]).toEqual(['Unhandled', 'Unhandled', 'Unhandled']);
    },
    'EventStream.InvokeComplete.ErrorDetails': async () => {
      const { theirs, complete, error } = await readBoth();
      const text = theirs.at(-1)?.InvokeComplete?.ErrorDetails;
      expect([text, complete.errorDetails, error.errorDetails]).toEqual(Array(3).fill(end.errorDetails));
      expect(error).toMatchObject(details);
    },
    'EventStream.InvokeComplete.LogResult': async () => {
      const { theirs, complete, error } = await readBoth();
      expect(atob(theirs.at(-1)?.InvokeComplete?.LogResult ?? '')).toBe('the log');
      expect([complete.logTail, error.logTail]).toEqual(['the log', 'the log']);
    },
    '$metadata.requestId': async () => {
      const { local, client } = await startScript([{ complete: {} }]);
      const { $metadata } = await client.send(new InvokeWithResponseStreamCommand(input));
      const head = await firstValueFrom(invokeWithResponseStream(client, input));
      const ids = [$metadata.requestId, head.type === 'head' && head.requestId];
      expect(ids).toEqual(local.requests.map(({ requestId }) => requestId));
    },
    '$metadata.httpStatusCode': async () => {
      const { output, head } = await readBoth();
      expect([output.$metadata.httpStatusCode, head.statusCode]).toEqual([200, 200]);
    },
    '$metadata.attempts': () => countRetries(),
    '$metadata.totalRetryDelay': () => countRetries(),
    '$metadata.extendedRequestId': async () => {
      const { output, head } = await readBoth();
      expect([output.$metadata.extendedRequestId, head.headers['x-amz-id-2']]).toEqual(['extended', 'extended']);
    },
    '$metadata.cfId': async () => {
      const { output, head } = await readBoth();
      expect([output.$metadata.cfId, head.headers['x-amz-cf-id']]).toEqual(['edge', 'edge']);
    },
  };

  async function countRetries(): Promise<void> {
    const { client } = await startLive({
      f: scripted((_request, attempt) =>
        attempt % 3 === 0 ? [{ complete: {} }] : [{ httpError: { statusCode: 500, name: 'ServiceException' } }],
      ),
    });
    const { $metadata } = await client.send(new InvokeWithResponseStreamCommand(input));
    expect($metadata.attempts).toBe(3);
    expect($metadata.totalRetryDelay).toEqual(expect.any(Number));
    const { values } = await outcomeOf(
      invokeWithResponseStream(client, input).pipe(retryInvocation({ initialDelayMs: 1, jitter: 'none' })),
    );
    expect(values).toMatchObject([
      { type: 'retry', attempt: 2, delayMs: 1 },
      { type: 'retry', attempt: 3, delayMs: 2 },
      { type: 'head' },
      { type: 'complete' },
    ]);
  }

  const rows = tableRows(sectionOf(page, 'Response fields'), "the SDK's field");
  const fields = rows.flatMap((row) => codeIn(row["the SDK's field"] ?? ''));

  it('has a proof for each field', () => {
    expect(fields).toEqual(Object.keys(proofs));
  });
  it.each(Object.entries(proofs))('%s', (_field, proof) => proof());

  it('leaves out none of what the SDK’s model has', () => {
    for (const path of memberPaths(InvokeWithResponseStreamResponse$)) expect(fields.join(' ')).toContain(path);
  });

  it('is the same table for boto3, whose names are the model’s too', () => {
    const cells = tableRows(sectionOf(page, 'Response'), 'boto3').map((row) => codeIn(row['boto3'] ?? '')[0] ?? '');
    const keys = cells.map((cell) => [...cell.matchAll(/\['(\w+)'\]/g)].map(([, key]) => key).join('.'));
    for (const path of memberPaths(InvokeWithResponseStreamResponse$)) {
      const inEvent = path.replace('EventStream.', '');
      if (inEvent !== 'PayloadChunk' && inEvent !== 'InvokeComplete') expect(keys).toContain(inEvent);
    }
  });
});

/** The members of a structure in the SDK's model, those of its own structures too: `EventStream.PayloadChunk`. */
function memberPaths(schema: unknown): string[] {
  const resolved: unknown = typeof schema === 'function' ? (schema as () => unknown)() : schema;
  if (!Array.isArray(resolved) || !Array.isArray(resolved[4])) {
    // A member's own traits stand around its type.
    return Array.isArray(resolved) && typeof resolved[0] === 'function' ? memberPaths(resolved[0]) : [];
  }
  const [, , , , names, members] = resolved as [number, string, string, unknown, string[], unknown[]];
  return names.flatMap((name, i) => [name, ...memberPaths(members[i]).map((path) => `${name}.${path}`)]);
}

describe('parameters', () => {
  const done = [{ complete: {} }] as const;
  const rows = tableRows(sectionOf(page, 'Parameters'), 'parameter');

  /** What the endpoint got. */
  async function send(members: Partial<InvokeInput>, steps: readonly ScriptStep[] = done): Promise<LocalRequest> {
    const { local, client } = await startScript(steps);
    expect((await outcomeOf(invokeWithResponseStream(client, { ...input, ...members }))).completed).toBe(true);
    const [request] = local.requests;
    return request ?? expect.unreachable('Nothing was sent');
  }
  const payloadOf = async (Payload: InvokeInput['Payload']): Promise<string> =>
    new TextDecoder().decode((await send({ Payload })).payload);

  prove(rows, 'parameter', {
    '`FunctionName`': async () => {
      for (const FunctionName of ['f', '123456789012:function:f', 'arn:aws:lambda:us-east-1:123456789012:function:f']) {
        expect(await send({ FunctionName })).toMatchObject({ functionName: 'f' });
      }
    },
    '`InvocationType`': async () => {
      for (const InvocationType of ['RequestResponse', 'DryRun'] as const) {
        expect(await send({ InvocationType })).toMatchObject({ invocationType: InvocationType });
      }
    },
    '`LogType`': async () => {
      for (const LogType of ['None', 'Tail'] as const)
        expect(await send({ LogType })).toMatchObject({ logType: LogType });
    },
    '`ClientContext`': async () => {
      for (const ClientContext of [{ a: 1 }, btoa('{"a":1}')]) {
        expect(await send({ ClientContext })).toMatchObject({ clientContext: { a: 1 } });
      }
      await expect(send({ ClientContext: 'x'.repeat(3_584) })).rejects.toThrow(RangeError);
    },
    '`Qualifier`': async () => {
      for (const Qualifier of ['7', 'live']) expect(await send({ Qualifier })).toMatchObject({ qualifier: Qualifier });
    },
    '`Payload`': async () => {
      const text = '{"a":1}';
      const bytes = new TextEncoder().encode(text);
      for (const Payload of [bytes, bytes.buffer, text, new Blob([text]), new File([text], 'a.json'), { a: 1 }]) {
        expect(await payloadOf(Payload)).toBe(text);
      }
      expect(await payloadOf([1])).toBe('[1]');
    },
    '`TenantId`': async () => expect(await send({ TenantId: 'blue' })).toMatchObject({ tenantId: 'blue' }),
  });

  it('are all that the SDK’s model has, and no others', () => {
    const names = rows.flatMap((row) => codeIn(row['parameter'] ?? ''));
    expect(names.sort()).toEqual(memberPaths(InvokeWithResponseStreamRequest$).sort());
  });

  it('a function that makes the input is called for each subscription, and again for each attempt', async () => {
    const { client } = await startScript([{ httpError: throttle }]);
    const make = vi.fn(() => input);
    await outcomeOf(invokeWithResponseStream(client, make).pipe(retryInvocation({ initialDelayMs: 0 })));
    await outcomeOf(invokeWithResponseStream(client, make));
    expect(make).toHaveBeenCalledTimes(4);
  });

  it('what cannot be sent is a TypeError at the call', async () => {
    const { client } = await startScript(done);
    for (const wrong of [{}, { FunctionName: 'f', Payload: 5 }]) {
      expect(() => invokeWithResponseStream(client, wrong as InvokeInput)).toThrow(TypeError);
    }
  });
});

describe('exceptions', () => {
  interface Stated {
    readonly name: string;
    readonly status: number;
    readonly verdict: string;
    readonly mayHaveRun: string;
    readonly sdkRequests: number;
    readonly botoRequests: number;
  }
  const stated = tableRows(sectionOf(page, 'Exceptions'), '`client.exceptions.`').map((row): Stated => ({
    name: codeIn(row['`client.exceptions.`'] ?? '')[0] ?? '',
    status: Number(row['HTTP']),
    verdict: row['retried'] ?? '',
    mayHaveRun: row['may have run'] ?? '',
    sdkRequests: Number(row['SDK']),
    botoRequests: Number(row['boto3']),
  }));

  it('are exactly those that the installed SDK has for the operation', () => {
    const types = createRequire(import.meta.url)
      .resolve('@aws-sdk/client-lambda')
      .replace(/dist-cjs.*$/, 'dist-types/commands/InvokeWithResponseStreamCommand.d.ts');
    const thrown = [...readFileSync(types, 'utf8').matchAll(/@throws \{@link (\w+)\}/g)].map(([, name]) => name);
    expect(stated.map(({ name }) => name)).toEqual(thrown.filter((name) => name !== 'LambdaServiceException').sort());
  });

  it.each(stated)('$name: HTTP $status, retried $verdict, may have run: $mayHaveRun', (row) => {
    expect(sdk).toHaveProperty(row.name);
    const [, , , traits] = sdk[`${row.name}$` as 'ServiceException$'] as unknown as readonly unknown[];
    expect(traits).toMatchObject({ httpError: row.status });
    expect(classifyInvocationError(serviceException(row.name))).toEqual({
      verdict: row.verdict,
      mayHaveRun: row.mayHaveRun === '**yes**',
    });
    // boto3's legacy mode and the SDK go by the same HTTP statuses.
    expect(row.botoRequests).toBe(row.sdkRequests === 1 ? 1 : 5);
  });

  it('are sent by the SDK as often as stated, and by this package once, before the stream and within it', async () => {
    const functions = stated.flatMap(({ name, status }) => [
      [name, scripted([{ httpError: { statusCode: status, name } }])] as const,
      [`${name}-within`, scripted([{ exception: name, body: { message: 'm' } }])] as const,
    ]);
    const { local, client } = await startLive(Object.fromEntries(functions));
    const requestsOf = (name: string): number =>
      local.requests.filter(({ functionName }) => functionName === name).length;
    await Promise.all(
      stated.map(async ({ name, sdkRequests }) => {
        // Each with its own client, whose quota of retries would else run out.
        const own = new LambdaClient(local.clientConfig);
        const theirs = await errorOf(readLoop(own, { FunctionName: name }));
        own.destroy();
        expect([name, requestsOf(name)]).toEqual([name, sdkRequests]);
        const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: name }));
        const within = await outcomeOf(invokeWithResponseStream(client, { FunctionName: `${name}-within` }));
        for (const thrown of [theirs, error, within.error])
          expect(thrown).toBeInstanceOf(sdk[name as 'ServiceException']);
        expect([name, requestsOf(name), requestsOf(`${name}-within`)]).toEqual([name, sdkRequests + 1, 1]);
      }),
    );
  });
});

describe("boto3's other errors", () => {
  const rows = tableRows(sectionOf(page, 'Exceptions'), "boto3's other errors");

  /** What the table says of the row, against what is said of the error itself. */
  function expectVerdict(row: string, error: unknown): void {
    const { retried, 'may have run': mayHaveRun } = rows.find((each) => each["boto3's other errors"] === row) ?? {};
    const { verdict, mayHaveRun: said } = classifyInvocationError(error);
    expect(retried).toBe(verdict);
    // A dash stands where nothing was sent and nothing is to be decided.
    if (mayHaveRun !== '–') expect(mayHaveRun).toBe(said ? '**yes**' : 'no');
  }

  const proofs: Record<string, () => Promise<unknown>> = {
    '`EventStreamError` for an error within the stream, such as `InternalFailure`': async () => {
      const error = await failureOf([{ errorFrame: { code: 'InternalFailure', message: 'm' } }]);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({ name: 'InternalFailure', message: 'm' });
      return error;
    },
    "`ClientError` with a throttle's code, such as `ThrottlingException`": async () => {
      const error = await failureOf([{ httpError: { statusCode: 400, name: 'ThrottlingException' } }]);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({ name: 'ThrottlingException' });
      return error;
    },
    '`ClientError` with another code, such as `AccessDeniedException`': async () => {
      const error = await failureOf([{ httpError: { statusCode: 403, name: 'AccessDeniedException' } }]);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({ name: 'AccessDeniedException' });
      return error;
    },
    '`EndpointConnectionError`': async () => {
      const { local, client } = await startScript([]);
      await local.close();
      const { error } = await outcomeOf(invokeWithResponseStream(client, input));
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
      return error;
    },
    '`ConnectTimeoutError`': async () => {
      const client = new LambdaClient({
        region: 'us-east-1',
        endpoint: 'http://lambda.invalid',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        requestHandler: new NodeHttpHandler({
          connectionTimeout: 20,
          httpAgent: new Agent({ lookup: () => undefined }),
        }),
      });
      const { error } = await outcomeOf(invokeWithResponseStream(client, input));
      expect(error).toMatchObject({ name: 'TimeoutError' });
      return error;
    },
    '`ReadTimeoutError`, before the headers': async () => {
      const error = await failureOf(['stall'], timeout({ first: 20 }));
      expect(error).toBeInstanceOf(TimeoutError);
      return error;
    },
    "urllib3's `ReadTimeoutError`, within the stream": async () => {
      const error = await failureOf([{ chunk: 'a' }, 'stall'], timeout({ each: 50 }));
      expect(error).toBeInstanceOf(TimeoutError);
      return error;
    },
    '`ConnectionClosedError`, before the headers': async () => {
      const error = await failureOf(['reset']);
      expect(error).toMatchObject({ code: 'ECONNRESET' });
      return error;
    },
    "urllib3's `ProtocolError`, within the stream": async () => {
      const error = await failureOf([{ chunk: 'a' }, { waitMs: 20 }, 'reset']);
      expect(error).toBeInstanceOf(TruncatedStreamError);
      expect((error as Error).cause).toBeInstanceOf(Error);
      return error;
    },
    'none: the loop ends without an `InvokeComplete`': async () => {
      const error = await failureOf([{ chunk: 'a' }, 'end']);
      expect(error).toBeInstanceOf(TruncatedStreamError);
      return error;
    },
    "botocore.eventstream's `ChecksumMismatch`": async () => {
      const error = await failureOf([{ badCrc: 'message' }]);
      expect(error).toBeInstanceOf(ProtocolError);
      return error;
    },
    'none: the `InvokeComplete` has an `ErrorCode`': async () => {
      const error = await failureOf([{ complete: { errorCode: 'Unhandled', errorDetails: '' } }]);
      expect(error).toBeInstanceOf(FunctionError);
      return error;
    },
    '`NoCredentialsError`': async () => {
      stubConfiguration({ AWS_EC2_METADATA_DISABLED: 'true' });
      const { local } = await startScript([]);
      const client = new LambdaClient({ region: 'us-east-1', endpoint: local.endpoint });
      const { error } = await outcomeOf(invokeWithResponseStream(client, input));
      expect(error).toMatchObject({ name: 'CredentialsProviderError' });
      expect(local.requests).toEqual([]);
      return error;
    },
    '`NoRegionError`': async () => {
      stubConfiguration({});
      const { error } = await outcomeOf(invokeWithResponseStream(new LambdaClient({}), input));
      expect(error).toEqual(new Error('Region is missing'));
      return error;
    },
    '`ParamValidationError`': async () => {
      const { client } = await startScript([]);
      const error = await errorOf(
        Promise.resolve().then(() => invokeWithResponseStream(client, {} as unknown as InvokeInput)),
      );
      expect(error).toBeInstanceOf(TypeError);
      return error;
    },
  };

  it('have a proof for each row', () => {
    const [first, ...others] = rows.map((row) => row["boto3's other errors"]);
    // Proved with the table of exceptions.
    expect(first).toContain('an exception within the stream');
    expect(others).toEqual(Object.keys(proofs));
  });
  it.each(Object.entries(proofs))('%s', async (row, proof) => expectVerdict(row, await proof()));
});

/** The SDK's configuration from the environment: these variables and nothing else, to the end of the test. */
function stubConfiguration(variables: Readonly<Record<string, string>>): void {
  const nothing = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ ...nothing, ...variables })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('configuration', () => {
  const rows = tableRows(sectionOf(page, 'Configuration'), 'here');
  const column = "botocore's `Config`, and its default";

  async function requestsWith(operator?: (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent>) {
    const { local, client } = await startScript([{ httpError: { statusCode: 500, name: 'ServiceException' } }]);
    const source = invokeWithResponseStream(client, input);
    await outcomeOf(operator ? operator(source) : source);
    return local.requests.length;
  }
  const quick = { initialDelayMs: 0 } as const;

  prove(rows, column, {
    "`retries={'max_attempts': n}`, which are `n` retries": () => expectRequests(3, { maxAttempts: 2 + 1 }),
    "`retries={'total_max_attempts': n}`": () => expectRequests(2, { maxAttempts: 2 }),
    '`retries` not set: up to 5 requests, in `legacy` mode': async () => {
      expect(await requestsWith()).toBe(1);
      await expectRequests(3, {});
    },
    "`retries={'mode': 'adaptive'}`": async () => {
      const budget = createRetryBudget({ capacity: 5, retryCost: 5 });
      expect(await requestsWith(retryInvocation({ ...quick, budget }))).toBe(2);
      expect(await requestsWith(retryInvocation({ ...quick, budget }))).toBe(1);
    },
    '`read_timeout=60`': async () => {
      const { opened, open } = gate();
      const { local, client } = await startScript(['flush', { waitFor: opened }, { complete: {} }]);
      const source = invokeWithResponseStream(client, input);
      // Before retryInvocation the bound holds for each attempt.
      const bounded = source.pipe(
        timeout({ first: 60_000, each: 20 }),
        retryInvocation({ ...quick, idempotent: true }),
      );
      expect((await outcomeOf(bounded)).error).toBeInstanceOf(TimeoutError);
      expect(local.requests).toHaveLength(3);
      const patient = outcomeOf(source);
      await local.request(3);
      open();
      expect((await patient).completed).toBe(true);
    },
    '`connect_timeout=60`': async () => {
      const { client } = await startScript([], { requestHandler: { connectionTimeout: 60_000 } });
      await outcomeOf(invokeWithResponseStream(client, input));
      expect(handlerConfigOf(client)).toMatchObject({ connectionTimeout: 60_000 });
      const other = await startScript([]);
      await outcomeOf(invokeWithResponseStream(other.client, input));
      expect(handlerConfigOf(other.client)).toMatchObject({ connectionTimeout: undefined });
    },
    '`max_pool_connections=10`': async () => {
      for (const [requestHandler, maxSockets] of [
        [{ httpsAgent: { maxSockets: 3 } }, 3],
        [{}, 50],
      ] as const) {
        const { client } = await startScript([], { requestHandler });
        await outcomeOf(invokeWithResponseStream(client, input));
        expect(handlerConfigOf(client)).toMatchObject({ httpsAgent: { maxSockets } });
      }
    },
    '`region_name`, `endpoint_url`': async () => {
      const { local } = await startScript([]);
      const client = new LambdaClient({ ...local.clientConfig, region: 'eu-central-1' });
      await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
      client.destroy();
      expect(local.requests[0]?.headers.authorization).toContain('/eu-central-1/lambda/');
    },
    '`aws_access_key_id`, `aws_secret_access_key`, `aws_session_token`': async () => {
      const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' };
      const { local, client } = await startScript([], { credentials });
      await outcomeOf(invokeWithResponseStream(client, input));
      expect(local.requests[0]?.headers).toMatchObject({
        authorization: expect.stringContaining('Credential=AKID/') as string,
        'x-amz-security-token': 'token',
      });
    },
  });

  async function expectRequests(count: number, config: { readonly maxAttempts?: number }): Promise<void> {
    expect(await requestsWith(retryInvocation({ ...quick, ...config }))).toBe(count);
  }

  it('a function that is slow to write its first byte is invoked once', async () => {
    const { local, client } = await startScript(['stall']);
    const source = invokeWithResponseStream(client, input).pipe(timeout({ first: 1_000 }), retryInvocation(quick));
    expect((await outcomeOf(source)).error).toBeInstanceOf(TimeoutError);
    expect(local.requests).toHaveLength(1);
  });

  it('the region comes from AWS_REGION, or from the profile, and not from AWS_DEFAULT_REGION', async () => {
    stubConfiguration({ AWS_DEFAULT_REGION: 'eu-west-1' });
    await expect(new LambdaClient({}).config.region()).rejects.toThrow('Region is missing');
    vi.stubEnv('AWS_REGION', 'eu-west-3');
    expect(await new LambdaClient({}).config.region()).toBe('eu-west-3');
  });
});
