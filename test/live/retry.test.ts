import { LambdaClient } from '@aws-sdk/client-lambda';
import { map, tap, type Observable } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TruncatedStreamError } from '../../src/errors.js';
import type { LambdaStreamEvent, RetryEvent } from '../../src/events.js';
import { invokeWithResponseStream } from '../../src/invoke/invoke-with-response-stream.js';
import { scripted, type Script } from '../../src/local/index.js';
import { parseNdjson } from '../../src/decoding/parse-ndjson.js';
import { exceptionTable } from '../../src/retry/exception-table.js';
import { retryInvocation } from '../../src/retry/retry-invocation.js';
import type { RetryInvocationOptions } from '../../src/retry/retry-options.js';
import { serviceException } from '../../src/testing/index.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

/** Real waits, but short ones. */
const quick = { initialDelayMs: 1, maxDelayMs: 2 } as const;

/** A function that fails in this way each time, a client with the SDK's defaults, and how it went. */
async function invokeFailing(script: Script, config: RetryInvocationOptions = {}, handler = httpHandlers[0][1]) {
  const { local, client } = await startLive({ f: scripted(script) }, { requestHandler: handler() });
  const source = invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(retryInvocation({ ...quick, ...config }));
  const { values, error } = await outcomeOf(source);
  return { local, events: values, types: typesOf(values), error, requests: local.requests.length };
}

const retriesOf = (events: readonly LambdaStreamEvent[]): RetryEvent[] =>
  events.filter((event) => event.type === 'retry');

describe('retryInvocation against a real endpoint, with the default client', () => {
  const names = Object.keys(exceptionTable) as (keyof typeof exceptionTable)[];

  it.each(names)('sends %s as often as the table says, as an HTTP error and within the stream', async (name) => {
    const { verdict, mayHaveRun } = exceptionTable[name];
    const { httpStatusCode: statusCode = 0 } = serviceException(name).$metadata;
    const { local, client } = await startLive({
      http: scripted([{ httpError: { statusCode, name } }]),
      frame: scripted([{ exception: name, body: { Type: 'User', message: 'in the stream' } }]),
    });
    for (const FunctionName of ['http', 'frame']) {
      for (const idempotent of [false, true]) {
        const before = local.requests.length;
        const source = invokeWithResponseStream(client, { FunctionName });
        const { error } = await outcomeOf(source.pipe(retryInvocation({ ...quick, idempotent })));
        const isRetried = verdict !== 'never' && (idempotent || !mayHaveRun);
        expect(local.requests.length - before).toBe(isRetried ? 3 : 1);
        expect(error).toMatchObject({ name });
      }
    }
  });

  describe.each(httpHandlers)('with %s', (_, handler) => {
    it('counts a reset before the headers as one after which the function may have run', async () => {
      expect(await invokeFailing(['reset'], {}, handler)).toMatchObject({ requests: 1, types: '' });
      const idempotent = await invokeFailing(['reset'], { idempotent: true }, handler);
      expect(idempotent).toMatchObject({ requests: 3, types: 'retry retry' });
      expect(retriesOf(idempotent.events).map(({ mode }) => mode)).toEqual(['fresh', 'fresh']);
    });

    it('counts a reset after the headers likewise, and a head follows each connection', async () => {
      const script: Script = ['flush', 'reset'];
      expect(await invokeFailing(script, {}, handler)).toMatchObject({ requests: 1, types: 'head' });
      const idempotent = await invokeFailing(script, { idempotent: true }, handler);
      expect(idempotent).toMatchObject({ requests: 3, types: 'head retry head retry head' });
      expect(idempotent.error).toBeInstanceOf(TruncatedStreamError);
    });

    it('retries nothing after data, unless afterFirstChunk says how', async () => {
      const script: Script = [{ chunk: 'data' }, { exception: 'TooManyRequestsException' }];
      const plain = await invokeFailing(script, { idempotent: true }, handler);
      expect(plain).toMatchObject({ requests: 1, types: 'head chunk', error: { name: 'TooManyRequestsException' } });
      const restarted = await invokeFailing(script, { afterFirstChunk: 'restart' }, handler);
      expect(restarted).toMatchObject({ requests: 3, types: 'head chunk retry head chunk retry head chunk' });
      expect(retriesOf(restarted.events).map(({ mode, delivered }) => ({ mode, delivered }))).toEqual([
        { mode: 'restart', delivered: { chunks: 1, bytes: 4 } },
        { mode: 'restart', delivered: { chunks: 1, bytes: 4 } },
      ]);
    });

    it('tries a refused connection again, since nothing was sent', async () => {
      const { local } = await startLive({});
      await local.close();
      const client = new LambdaClient({ ...local.clientConfig, requestHandler: handler() });
      const source = invokeWithResponseStream(client, { FunctionName: 'f' });
      const { values, error } = await outcomeOf(source.pipe(retryInvocation(quick)));
      expect(typesOf(values)).toBe('retry retry');
      expect(error).toBeInstanceOf(Error);
      client.destroy();
    });

    it('tries a failed TLS handshake again, since nothing was sent', async () => {
      const { local } = await startLive({});
      const endpoint = local.endpoint.replace('http:', 'https:');
      const client = new LambdaClient({ ...local.clientConfig, endpoint, requestHandler: handler() });
      const source = invokeWithResponseStream(client, { FunctionName: 'f' });
      const { values } = await outcomeOf(source.pipe(retryInvocation(quick)));
      expect(typesOf(values)).toBe('retry retry');
      expect(local.requests).toHaveLength(0);
      client.destroy();
    });

    it('replays: what was delivered is held back, and the rest follows', async () => {
      const { requests, events, types } = await invokeFailing(
        (_request, attempt) =>
          attempt === 1
            ? [{ chunk: 'one ' }, { chunk: 'two ' }, 'reset']
            : [{ chunk: 'one two three ' }, { chunk: 'four' }, { complete: {} }],
        { idempotent: true, afterFirstChunk: 'replay' },
        handler,
      );
      expect(requests).toBe(2);
      expect(textOf(events)).toBe('one two three four');
      expect(types).toMatch(/^head( chunk)+ retry head( chunk)+ complete$/);
    });
  });

  it("sends three requests for maxAttempts 3, not the SDK's attempts times its own", async () => {
    const { requests, error, local } = await invokeFailing([
      { httpError: { statusCode: 429, name: 'TooManyRequestsException' } },
    ]);
    expect(requests).toBe(3);
    expect(error).toMatchObject({ name: 'TooManyRequestsException' });
    const ids = local.requests.map(({ headers }) => headers['amz-sdk-invocation-id']);
    expect(new Set(ids).size).toBe(ids[0] === undefined ? 1 : 3);
  });

  it('recovers: a throttled attempt, then the response', async () => {
    const { requests, types } = await invokeFailing((_request, attempt) =>
      attempt === 1
        ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]
        : [{ chunk: 'at last' }, { complete: {} }],
    );
    expect({ requests, types }).toEqual({ requests: 2, types: 'retry head chunk complete' });
  });

  it("continues from the last record's id", async () => {
    const rows = [1, 2, 3, 4, 5, 6].map((id) => ({ id, name: `row ${id}` }));
    const { local, client } = await startLive({
      rows: scripted((request, attempt) => {
        const { after } = JSON.parse(new TextDecoder().decode(request.payload)) as { after: number };
        const text = rows
          .filter(({ id }) => id > after)
          .map((row) => `${JSON.stringify(row)}\n`)
          .join('');
        // Two attempts break within a record.
        return attempt < 3 ? [{ chunk: text.slice(0, 50) }, 'reset'] : [{ chunk: text }, { complete: {} }];
      }),
    });
    let after = 0;
    const records: Observable<(typeof rows)[number]> = invokeWithResponseStream(client, () => ({
      FunctionName: 'rows',
      Payload: { after },
    })).pipe(
      retryInvocation({ ...quick, idempotent: true, afterFirstChunk: 'continue' }),
      parseNdjson<(typeof rows)[number]>(),
      tap((row) => (after = row.id)),
    );
    const { values, completed } = await outcomeOf(records);
    expect(completed).toBe(true);
    expect(values).toEqual(rows);
    expect(local.requests.map(({ payload }) => new TextDecoder().decode(payload))).toEqual([
      '{"after":0}',
      '{"after":2}',
      '{"after":4}',
    ]);
  });

  it('goes again at once where the SDK has corrected its clock, and signs with the right time', async () => {
    const { local, client } = await startLive({
      f: scripted((_request, attempt) =>
        attempt === 1
          ? [
              {
                httpError: {
                  statusCode: 403,
                  name: 'InvalidSignatureException',
                  headers: { date: 'Sun, 06 Nov 2044 08:49:37 GMT' },
                },
              },
            ]
          : [{ complete: {} }],
      ),
    });
    const source = invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(retryInvocation());
    const { values } = await outcomeOf(source);
    expect(typesOf(values)).toBe('retry head complete');
    expect(retriesOf(values)[0]).toMatchObject({ delayMs: 0 });
    expect(local.requests[1]?.headers['x-amz-date']).toMatch(/^20441106T0849/);
  });

  describe('Retry-After', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it.each([
      ['seconds', () => ({ 'retry-after': '8' })],
      [
        'an HTTP date',
        () => ({ date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:49:45 GMT' }),
      ],
      ['x-amz-retry-after', () => ({ 'x-amz-retry-after': '8000' })],
    ])('as %s is obeyed to the millisecond', async (_, headers) => {
      const { local, client } = await startLive({
        f: scripted((_request, attempt) =>
          attempt === 1
            ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: headers() } }]
            : [{ complete: {} }],
        ),
      });
      // RxJS waits with intervals; nothing else here does.
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const invoke = () =>
        invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(
          retryInvocation(),
          map((event) => (event.type === 'retry' ? event.delayMs : event.type)),
        );
      let announce!: () => void;
      const announced = new Promise<void>((resolve) => (announce = resolve));
      const outcome = outcomeOf(invoke().pipe(tap((value) => value === 8_000 && announce())));
      await announced;
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(7_999);
      expect(vi.getTimerCount()).toBe(1);
      expect(local.requests).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect((await outcome).values).toEqual([8_000, 'head', 'complete']);
      expect(local.requests).toHaveLength(2);
    });

    it('over maxRetryAfterMs lets the error through at once', async () => {
      const { requests, error } = await invokeFailing([
        { httpError: { statusCode: 429, name: 'TooManyRequestsException', headers: { 'retry-after': '61' } } },
      ]);
      expect(requests).toBe(1);
      expect(error).toMatchObject({ retryAfterSeconds: '61' });
    });

    it('sends nothing more once its wait is unsubscribed from', async () => {
      const { local, client } = await startLive({
        f: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]),
      });
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const source = invokeWithResponseStream(client, { FunctionName: 'f' }).pipe(retryInvocation());
      await new Promise<void>((resolve) => {
        const subscription = source.subscribe(() => {
          // The wait begins right after its announcement.
          queueMicrotask(() => {
            expect(vi.getTimerCount()).toBe(1);
            subscription.unsubscribe();
            resolve();
          });
        });
      });
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(60_000);
      await local.idle();
      expect(local.requests).toHaveLength(1);
    });
  });
});
