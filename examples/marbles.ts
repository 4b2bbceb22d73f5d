import { LambdaClient } from '@aws-sdk/client-lambda';
import assert from 'node:assert/strict';
import { decodeText, retryInvocation } from 'rx-lambda-stream';
import { chunkEvent, completeEvent, fakeInvoke, headEvent, serviceException } from 'rx-lambda-stream/testing';
import { TestScheduler } from 'rxjs/testing';

const scheduler = new TestScheduler((actual, expected) => assert.deepEqual(actual, expected));

scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
  const throttled = cold<never>('-#', undefined, serviceException('TooManyRequestsException'));
  const answer = cold('h-a-(c|)', { h: headEvent(), a: chunkEvent('Hi'), c: completeEvent() });
  const invoke = fakeInvoke({ chat: ({ attempt }) => (attempt === 1 ? throttled : answer) });

  const text = invoke(new LambdaClient(), { FunctionName: 'chat' }).pipe(
    retryInvocation({ initialDelayMs: 10, jitter: 'none' }),
    decodeText(),
  );

  expectObservable(text).toBe('            13ms t-|', { t: 'Hi' });
  expectSubscriptions(throttled.subscriptions).toBe('^!');
  expectSubscriptions(answer.subscriptions).toBe('11ms ^---!'); // 10 ms after the failure
});
