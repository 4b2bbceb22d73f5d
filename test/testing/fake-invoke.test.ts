import { EMPTY, NEVER, delay, from, map, mergeMap, of, timer, type Observable } from 'rxjs';
import { LambdaClient, ResourceNotFoundException } from '@aws-sdk/client-lambda';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  FunctionError,
  TruncatedStreamError,
  type InvokeInputSource,
  type InvokeWithResponseStream,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent } from 'rx-lambda-stream/testing';
import { marbles } from '../support/marbles.js';

const client = new LambdaClient({ region: 'eu-central-1' });
const h = headEvent();
const a = chunkEvent('a');
const b = chunkEvent('b');
const c = completeEvent();
const events = { h, a, b, c };
const chat = { FunctionName: 'chat' };

/** What came before `subscribe` returned. */
function outputAtOnce(source: Observable<LambdaStreamEvent>): unknown[] {
  const output: unknown[] = [];
  source
    .subscribe({
      next: (value) => output.push(value),
      error: (error: unknown) => output.push(error),
      complete: () => output.push('|'),
    })
    .unsubscribe();
  return output;
}

describe('fakeInvoke', () => {
  it(
    'plays the Observable of the function and records the subscription',
    marbles((m) => {
      // prettier-ignore
      {
        const table = m.cold('h-a-b-(c|)', events);
        const result =       'h-a-b-(c|)';
        const subs =         '^-----!   ';
        m.expect(fakeInvoke({ chat: table })(client, chat)).toBeObservable(result, events);
        m.expect(table).toHaveSubscriptions(subs);
      }
    }),
  );

  it('can take the place of invokeWithResponseStream', () => {
    expectTypeOf(fakeInvoke({})).toExtend<InvokeWithResponseStream>();
  });

  it(
    'completes with the complete event, whatever follows it',
    marbles((m) => {
      // prettier-ignore
      {
        const table = m.cold('h-c-a-|', events);
        const result =       'h-(c|)';
        const subs =         '^-!';
        m.expect(fakeInvoke({ chat: table })(client, chat)).toBeObservable(result, events);
        m.expect(table).toHaveSubscriptions(subs);
      }
    }),
  );

  it(
    'errors with a TruncatedStreamError where the Observable completes without a complete event',
    marbles((m) => {
      const error = new TruncatedStreamError({ functionName: 'chat', chunks: 2, bytes: 2 });
      m.expect(fakeInvoke({ chat: m.cold('h-a-b-|', events) })(client, chat)).toBeObservable('h-a-b-#', events, error);
    }),
  );

  it(
    'needs no complete event after a 204, an accepted DryRun',
    marbles((m) => {
      const dry = { h: headEvent({ statusCode: 204 }) };
      m.expect(fakeInvoke({ chat: m.cold('h-', dry) })(client, chat)).toBeObservable('(h|)', dry);
    }),
  );

  it(
    'turns a complete event with an errorCode into a FunctionError',
    marbles((m) => {
      const failed = { ...events, f: completeEvent({ errorCode: 'Unhandled', errorDetails: '{}', logTail: 'END' }) };
      const error = new FunctionError({
        functionName: 'chat',
        errorCode: 'Unhandled',
        errorDetails: '{}',
        logTail: 'END',
      });
      m.expect(fakeInvoke({ chat: m.cold('h-a-f', failed) })(client, chat)).toBeObservable('h-a-#', failed, error);
    }),
  );

  it(
    "emits it under functionErrors: 'emit'",
    marbles((m) => {
      const failed = { h, f: completeEvent({ errorCode: 'Unhandled' }) };
      const invoke = fakeInvoke({ chat: m.cold('h-f', failed) });
      m.expect(invoke(client, chat, { functionErrors: 'emit' })).toBeObservable('h-(f|)', failed);
    }),
  );

  it('passes the error of the Observable on', () => {
    marbles((m) => {
      m.expect(fakeInvoke({ chat: m.cold('h-#', events, 'reset') })(client, chat)).toBeObservable(
        'h-#',
        events,
        'reset',
      );
    })();
  });

  it("errors with the SDK's ResourceNotFoundException for a name that the table lacks", () => {
    const invoke = fakeInvoke({ chat: NEVER });
    for (const name of ['other', 'toString', '__proto__']) {
      const [error] = outputAtOnce(invoke(client, { FunctionName: name }));
      expect(error).toBeInstanceOf(ResourceNotFoundException);
      expect(error).toMatchObject({ $metadata: { httpStatusCode: 404 } });
    }
  });

  it('gives each invocation to a function in the table, with its attempt', () => {
    const invoke = fakeInvoke({
      chat: ({ attempt, input }) => of(chunkEvent(`${attempt}:${input.Qualifier ?? ''}`), c),
    });
    expect(outputAtOnce(invoke(client, { ...chat, Qualifier: 'blue' }))).toEqual([chunkEvent('1:blue'), c, '|']);
    expect(outputAtOnce(invoke(client, { ...chat, Qualifier: 'green' }))).toEqual([chunkEvent('2:green'), c, '|']);
  });

  it('records an answer that throws as failed, and passes on what it throws', () => {
    const failure = new Error('no answer for this prompt');
    const invoke = fakeInvoke({
      chat: () => {
        throw failure;
      },
    });
    expect(outputAtOnce(invoke(client, chat))).toEqual([failure]);
    expect(invoke.invocations.map(({ state }) => state)).toEqual(['failed']);
    expect(invoke.invocations[0]?.closedFrame).toBeTypeOf('number');
    expect(invoke.unsubscriptions).toBe(0);
  });

  it(
    'records inputs, frames and cancellations',
    marbles((m) => {
      const invoke = fakeInvoke({ chat: m.cold('h-a-b-c', events), log: m.cold('h-c', events) });
      m.expect(invoke(client, chat)).toBeObservable(m.cold('h-a-b-(c|)', events));
      m.expect(invoke(client, chat), '--^--!').toBeObservable('--h-a', events);
      m.expect(invoke(client, { FunctionName: 'log', Payload: { x: 1 } })).toBeObservable('h-(c|)', events);
      m.flush();
      expect(invoke.inputs).toEqual([chat, { FunctionName: 'log', Payload: { x: 1 } }, chat]);
      expect(invoke.subscriptions).toBe(3);
      expect(invoke.unsubscriptions).toBe(1);
      expect(
        invoke.invocations.map(({ attempt, subscribedFrame, closedFrame, state }) => ({
          attempt,
          subscribedFrame,
          closedFrame,
          state,
        })),
      ).toEqual([
        { attempt: 1, subscribedFrame: 0, closedFrame: 6, state: 'completed' },
        { attempt: 1, subscribedFrame: 0, closedFrame: 2, state: 'completed' },
        { attempt: 2, subscribedFrame: 2, closedFrame: 5, state: 'unsubscribed' },
      ]);
    }),
  );

  it(
    'calls an input function once per subscription, and unsubscribes from the Observable it returned',
    marbles((m) => {
      let calls = 0;
      const answer = m.cold('--i-i', { i: chat });
      const invoke = fakeInvoke({ chat: m.cold('h-(c|)', events) });
      const source = invoke(client, () => {
        calls++;
        return answer;
      });
      m.expect(source).toBeObservable('--h-(c|)', events);
      m.expect(source, '^!').toBeObservable('--');
      m.expect(answer).toHaveSubscriptions(['^-!', '^!']);
      m.flush();
      expect(calls).toBe(2);
      expect(invoke.subscriptions).toBe(1);
    }),
  );

  it('errors with what the input function throws, and with a TypeError where it answers nothing', () => {
    const failure = new Error('no cursor');
    const invoke = fakeInvoke({ chat: NEVER });
    const failing = () => {
      throw failure;
    };
    expect(outputAtOnce(invoke(client, failing))).toEqual([failure]);
    expect(outputAtOnce(invoke(client, () => EMPTY))[0]).toBeInstanceOf(TypeError);
    expect(outputAtOnce(invoke(client, () => ({ FunctionName: '' })))[0]).toBeInstanceOf(TypeError);
    expect(invoke.subscriptions).toBe(0);
  });

  it('throws at the call for an input that can never be sent', () => {
    expect(() => fakeInvoke({})(client, { FunctionName: '' })).toThrow(TypeError);
  });

  it('waits for a promise that the input function returns', async () => {
    const invoke = fakeInvoke({ chat: of(h, c) });
    const output: LambdaStreamEvent[] = [];
    await invoke(client, () => Promise.resolve(chat)).forEach((event) => output.push(event));
    expect(output).toEqual([h, c]);
  });

  it(
    'records what pauseWhile said while the invocation was open',
    marbles((m) => {
      const pauseWhile = m.hot('-t-f---t', { t: true, f: false });
      const invoke = fakeInvoke({ chat: m.cold('h----c', events) });
      m.expect(invoke(client, chat, { pauseWhile })).toBeObservable('h----(c|)', events);
      m.expect(pauseWhile).toHaveSubscriptions('^----!');
      m.flush();
      expect(invoke.invocations[0]?.pauses).toEqual([
        { frame: 1, paused: true },
        { frame: 3, paused: false },
      ]);
    }),
  );

  it(
    'errors with the error of pauseWhile',
    marbles((m) => {
      const invoke = fakeInvoke({ chat: m.cold('h----c', events) });
      m.expect(invoke(client, chat, { pauseWhile: m.hot('--#') })).toBeObservable('h-#', events);
    }),
  );
});

describe('the table', () => {
  it.each([
    [undefined, 'table must be an object of answers by function name, not undefined'],
    [[of(h)], 'table must be an object of answers by function name, not an array'],
    [{ chat: [h, c] }, 'the answer of "chat" must be an Observable or a function, not an array'],
    [{ chat: undefined }, 'the answer of "chat" must be an Observable or a function, not undefined'],
  ])('%# is refused at the call', (table, message) => {
    expect(() => fakeInvoke(table as never)).toThrow(new TypeError(`fakeInvoke: ${message}`));
  });
});

describe('no promise stands between fakeInvoke and the output of a pipeline', () => {
  const sources: Record<string, InvokeInputSource> = {
    'a value': chat,
    'a function returning a value': () => chat,
    'a function returning an Observable': () => of(chat),
  };

  it.each(Object.entries(sources))('with %s, all comes before subscribe returns', (_, input) => {
    expect(outputAtOnce(fakeInvoke({ chat: of(h, a, b, c) })(client, input))).toEqual([h, a, b, c, '|']);
    expect(outputAtOnce(fakeInvoke({ chat: () => of(h, a, b, c) })(client, input))).toEqual([h, a, b, c, '|']);
  });

  it.each(Object.entries(sources))('with %s, each event keeps its frame under the TestScheduler', (_, input) => {
    marbles((m) => {
      const invoke = fakeInvoke({ chat: m.cold('h-a-b-(c|)', events) });
      m.expect(invoke(client, input).pipe(delay(1))).toBeObservable('-h-a-b-(c|)', events);
      m.expect(timer(2).pipe(mergeMap(() => invoke(client, input)))).toBeObservable('--h-a-b-(c|)', events);
    })();
  });

  it('and the guard would see one: a promise in the pipeline leaves nothing at once', () => {
    const withPromise = fakeInvoke({ chat: of(h, c) })(client, chat).pipe(
      mergeMap((event) => from(Promise.resolve(event))),
      map((event) => event),
    );
    expect(outputAtOnce(withPromise)).toEqual([]);
    expect(outputAtOnce(fakeInvoke({ chat: of(h, c) })(client, () => Promise.resolve(chat)))).toEqual([]);
  });
});
