import { AsyncLocalStorage } from 'node:async_hooks';
import { invokeWithResponseStream, retryInvocation, type LambdaStreamEvent } from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { BehaviorSubject, Observable, type Subscriber } from 'rxjs';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { describe, expect, it } from 'vitest';
import { gate, httpHandlers, startLive } from '../support/live.js';

const request = new AsyncLocalStorage<string>();

/** Subscribes as `who`, and notes in whose request each event and the end arrive. */
function watch(who: string, stream: Observable<LambdaStreamEvent>, onEvent: (type: string) => void = () => undefined) {
  const seen: string[] = [];
  const { opened: ended, open: end } = gate();
  const note = (what: string): void => {
    seen.push(`${what} in ${String(request.getStore())}`);
    onEvent(what);
  };
  request.run(who, () =>
    stream.subscribe({
      next: ({ type }) => note(type),
      error: () => {
        note('error');
        end();
      },
      complete: () => {
        note('completion');
        end();
      },
    }),
  );
  return { seen, ended };
}

describe.each(httpHandlers)('with %s, events arrive in the request of their subscription', (_name, requestHandler) => {
  it('where another request lifts the pause', async () => {
    const { client } = await startLive(
      { f: scripted([{ chunk: 'a' }, { chunk: 'b' }, { complete: {} }, 'end']) },
      { requestHandler: requestHandler() },
    );
    const paused = new BehaviorSubject(true);
    const { seen, ended } = watch(
      'alice',
      invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile: paused }),
      (type) => {
        if (type === 'head') request.run('bob', () => setImmediate(() => paused.next(false)));
      },
    );
    await ended;
    expect(seen).toEqual([
      'head in alice',
      'chunk in alice',
      'chunk in alice',
      'complete in alice',
      'completion in alice',
    ]);
  });

  it.each([
    ['a truncated stream', [{ chunk: 'a' }, 'end'] as const],
    ['an exception within the stream', [{ chunk: 'a' }, { exception: 'ServiceException', body: {} }] as const],
  ])('where %s ends it, after a middleware of the client has entered another', async (_what, steps) => {
    const { client } = await startLive({ f: scripted([...steps]) }, { requestHandler: requestHandler() });
    client.middlewareStack.add((next) => (args) => request.run('a span of the SDK', () => next(args)), {
      step: 'initialize',
    });
    const { seen, ended } = watch('alice', invokeWithResponseStream(client, { FunctionName: 'f' }));
    await ended;
    expect(seen).toEqual(['head in alice', 'chunk in alice', 'error in alice']);
  });
});

it('a mocked client’s events arrive in it too', async () => {
  const paused = new BehaviorSubject(true);
  const EventStream = [{ PayloadChunk: { Payload: new Uint8Array(1) } }, { InvokeComplete: {} }];
  const client = { send: () => Promise.resolve({ EventStream: EventStream as never }) };
  const { seen, ended } = watch(
    'alice',
    invokeWithResponseStream(client, { FunctionName: 'f' }, { pauseWhile: paused }),
    (type) => {
      if (type === 'head') request.run('bob', () => setImmediate(() => paused.next(false)));
    },
  );
  await ended;
  expect(seen).toEqual(['head in alice', 'chunk in alice', 'complete in alice', 'completion in alice']);
});

it('a retry’s attempt is subscribed to in the request of the subscription, and so is its event', async () => {
  const subscribers: Subscriber<LambdaStreamEvent>[] = [];
  const subscribedIn: (string | undefined)[] = [];
  const source = new Observable<LambdaStreamEvent>((subscriber) => {
    subscribedIn.push(request.getStore());
    subscribers.push(subscriber);
    if (subscribers.length === 2) {
      subscriber.next(completeEvent());
      subscriber.complete();
    }
  });
  const { seen, ended } = watch('alice', source.pipe(retryInvocation({ initialDelayMs: 0 })));
  request.run('the failed attempt', () => subscribers[0]?.error(serviceException('TooManyRequestsException')));
  await ended;
  expect(subscribedIn).toEqual(['alice', 'alice']);
  expect(seen).toEqual(['retry in alice', 'complete in alice', 'completion in alice']);
});

it('fakeInvoke plays its events in it', async () => {
  let play!: Subscriber<LambdaStreamEvent>;
  const invoke = fakeInvoke({ f: new Observable((subscriber) => void (play = subscriber)) });
  const { seen, ended } = watch('alice', invoke({ send: () => Promise.resolve({}) }, { FunctionName: 'f' }));
  request.run('bob', () => {
    for (const event of [headEvent(), chunkEvent('a'), completeEvent()]) play.next(event);
  });
  await ended;
  expect(seen).toEqual(['head in alice', 'chunk in alice', 'complete in alice', 'completion in alice']);
});
