import type { LambdaStreamClient, LambdaStreamEvent } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { NEVER } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, it } from 'vitest';
import { answer } from './answer.js';

const client = {} as LambdaStreamClient; // never asked: the fake answers
const events = { h: headEvent(), a: chunkEvent('Hel'), b: chunkEvent('lo'), c: completeEvent() };
const texts = { a: 'Hel', b: 'Hello' };

const scheduler = (): TestScheduler => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

it('tries again after a throttle, and grows piece by piece', () => {
  scheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
    const throttled = cold<LambdaStreamEvent>('-#', events, serviceException('TooManyRequestsException'));
    const chat = cold<LambdaStreamEvent>('h-a-b-(c|)', events);
    const invoke = fakeInvoke({ chat: ({ attempt }) => (attempt === 1 ? throttled : chat) });

    expectObservable(answer(client, 'Hi', invoke)).toBe('11ms --a-b-|', texts);
    expectSubscriptions(chat.subscriptions).toBe('11ms ^-----!'); // 10 ms after the failure
  });
});

it('closes the connection when it is left', () => {
  const invoke = fakeInvoke({ chat: NEVER });
  answer(client, 'Hi', invoke).subscribe().unsubscribe();
  expect(invoke.inputs).toEqual([{ FunctionName: 'chat', Payload: { prompt: 'Hi' } }]);
  expect(invoke.invocations[0]?.state).toBe('unsubscribed');
});

it('tells that a response was cut', () => {
  scheduler().run(({ cold, expectObservable }) => {
    const invoke = fakeInvoke({ chat: cold<LambdaStreamEvent>('h-a-|', events) });
    const cut: unknown = expect.objectContaining({ code: 'truncated', bytes: 3 });
    expectObservable(answer(client, 'Hi', invoke)).toBe('--a-#', texts, cut);
  });
});
