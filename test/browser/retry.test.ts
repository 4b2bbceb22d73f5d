import { decodeText, invokeWithResponseStream, retryInvocation, type LambdaStreamEvent } from 'rx-lambda-stream';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { exceptionTable } from '../../src/retry/exception-table.js';
import { serviceException } from '../../src/testing/index.js';
import { createClient, defineFunction } from '../support/browser-lambda.js';
import type { BrowserStep } from '../support/browser-protocol.js';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';

/** Real waits, but short ones. */
const quick = { initialDelayMs: 1, maxDelayMs: 2 } as const;

const modesOf = (events: readonly LambdaStreamEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'retry' ? [event.mode] : []));

describe('retryInvocation, by the server’s count', () => {
  const names = Object.keys(exceptionTable) as (keyof typeof exceptionTable)[];

  it.each(names)('sends %s as often as the table says, as an HTTP error and within the stream', async (name) => {
    const { verdict, mayHaveRun } = exceptionTable[name];
    const { httpStatusCode: statusCode = 0 } = serviceException(name).$metadata;
    const client = createClient();
    const failures: BrowserStep[] = [{ httpError: { statusCode, name } }, { exception: name, body: { message: 'm' } }];
    for (const failure of failures) {
      for (const idempotent of [false, true]) {
        const fn = await defineFunction([failure]);
        let attempts = 0;
        const source = invokeWithResponseStream(client, () => ({ FunctionName: fn.name, Payload: `${++attempts}` }));
        const { error } = await outcomeOf(source.pipe(retryInvocation({ ...quick, idempotent })));
        expect(error).toMatchObject({ name });
        const sent = (await fn.requests(0)).map(({ payload }) => payload);
        const isRetried = verdict !== 'never' && (idempotent || !mayHaveRun);
        // An HTTP 408 Chromium itself may send again (see platform.test.ts): the same request, with the same payload.
        expect(statusCode === 408 ? [...new Set(sent)] : sent).toEqual(isRetried ? ['1', '2', '3'] : ['1']);
      }
    }
  });

  it('recovers: two throttled attempts, then the response', async () => {
    const throttled = [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }];
    const { name, requests } = await defineFunction(throttled, throttled, [{ chunk: 'at last' }, { complete: {} }]);
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { values, completed } = await outcomeOf(source.pipe(retryInvocation(quick)));
    expect([typesOf(values), completed]).toEqual(['retry retry head chunk complete', true]);
    expect(await requests(0)).toHaveLength(3);
  });

  it('takes a truncated stream for one whose function may have run', async () => {
    for (const [idempotent, expected] of [
      [false, 1],
      [true, 3],
    ] as const) {
      const { name, requests } = await defineFunction(['flush', 'end']);
      const source = invokeWithResponseStream(createClient(), { FunctionName: name });
      const { error } = await outcomeOf(source.pipe(retryInvocation({ ...quick, idempotent })));
      expect(error).toMatchObject({ code: 'truncated' });
      expect(await requests(0)).toHaveLength(expected);
    }
  });

  it('takes the browser’s network error, which names no cause, for one whose function may have run', async () => {
    // A port that nobody listens on: nothing here ever answers.
    const refused = createClient({ endpoint: 'http://127.0.0.1:9' });
    const source = invokeWithResponseStream(refused, { FunctionName: 'f' });
    const plain = await outcomeOf(source.pipe(retryInvocation(quick)));
    expect(plain).toMatchObject({ values: [], error: { name: 'TypeError' } });
    const idempotent = await outcomeOf(source.pipe(retryInvocation({ ...quick, idempotent: true })));
    expect(typesOf(idempotent.values)).toBe('retry retry');
  });

  it('replays after a reset: what was delivered is held back, and the rest follows', async () => {
    const { name, open, requests } = await defineFunction(
      [{ chunk: 'one ' }, { chunk: 'two ' }, { gate: 'reset' }, 'reset'],
      [{ chunk: 'one two three ' }, { chunk: 'four' }, { complete: {} }],
    );
    let chunks = 0;
    const source = invokeWithResponseStream(createClient(), { FunctionName: name }).pipe(
      tap(({ type }) => {
        if (type === 'chunk' && ++chunks === 2) void open('reset');
      }),
      retryInvocation({ ...quick, idempotent: true, afterFirstChunk: 'replay' }),
    );
    const { values, completed } = await outcomeOf(source);
    expect([textOf(values), modesOf(values), completed]).toEqual(['one two three four', ['replay'], true]);
    expect(await requests(0)).toHaveLength(2);
  });

  it('restarts, and a decoder behind it drops what it held', async () => {
    const { name } = await defineFunction(
      [{ chunk: Uint8Array.of(0xe2, 0x82) }, { exception: 'TooManyRequestsException', body: {} }],
      [{ chunk: '€' }, { complete: {} }],
    );
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { values } = await outcomeOf(
      source.pipe(retryInvocation({ ...quick, afterFirstChunk: 'restart' }), decodeText()),
    );
    expect(values).toEqual(['€']);
  });
});
