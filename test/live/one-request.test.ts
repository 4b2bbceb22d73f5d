import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream } from 'rx-lambda-stream';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import { describe, expect, it } from 'vitest';
import { outcomeOf, typesOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';

const failures: readonly (readonly [string, readonly ScriptStep[]])[] = [
  ['answers 500', [{ httpError: { statusCode: 500, name: 'ServiceException' } }]],
  ['answers 502', [{ httpError: { statusCode: 502, name: 'EC2ThrottledException' } }]],
  ['answers 429', [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]],
  ['answers 503 without a body', [{ httpError: { statusCode: 503, body: '' } }]],
  ['resets after the 200 headers', ['flush', 'reset']],
  ['resets mid-stream', [{ chunk: 'some' }, 'reset']],
  ['resets before the headers', ['reset']],
];

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  it.each(failures)('one subscription is one request when the server %s', async (_what, steps) => {
    const { local, client } = await startLive({ fails: scripted(steps) }, { requestHandler: requestHandler() });
    const { error, completed } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'fails' }));
    expect(completed).toBe(false);
    expect(error).toBeInstanceOf(Error);
    expect(local.requests).toHaveLength(1);
  });

  it('the client’s own retries were on all the time', async () => {
    const { local, client } = await startLive(
      { fails: scripted([{ httpError: { statusCode: 500, name: 'ServiceException' } }]) },
      { requestHandler: requestHandler() },
    );
    await expect(client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'fails' }))).rejects.toThrow();
    expect(local.requests).toHaveLength(3);
  });

  it('sdkRetries leaves them on, and takes the body of the attempt that succeeds', async () => {
    const { local, client } = await startLive(
      {
        flaky: scripted((_request, attempt) =>
          attempt < 3
            ? [{ httpError: { statusCode: 500, name: 'ServiceException' } }]
            : [{ chunk: 'yes' }, { complete: {} }],
        ),
      },
      { requestHandler: requestHandler() },
    );
    const { values, completed } = await outcomeOf(
      invokeWithResponseStream(client, { FunctionName: 'flaky' }, { sdkRetries: true }),
    );
    expect(completed).toBe(true);
    expect(typesOf(values)).toBe('head chunk complete');
    expect(local.requests).toHaveLength(3);
  });
});

it('nothing is sent before the subscription, and each subscription sends once', async () => {
  const { local, client } = await startLive({ hello: scripted([{ chunk: 'hello' }, { complete: {} }]) });
  let made = 0;
  const stream = invokeWithResponseStream(client, () => {
    made++;
    return { FunctionName: 'hello' };
  });
  await client.config.credentials();
  expect([local.requests.length, made]).toEqual([0, 0]);
  await outcomeOf(stream);
  expect([local.requests.length, made]).toEqual([1, 1]);
  await Promise.all([outcomeOf(stream), outcomeOf(stream)]);
  expect([local.requests.length, made]).toEqual([3, 3]);
});

it('streams that complete give their connection back', async () => {
  const { local, client } = await startLive({ hello: scripted([{ chunk: 'hello' }, { complete: {} }]) });
  for (let i = 0; i < 20; i++) await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'hello' }));
  // Two, since the end of a response may still be on its way when the next request is sent.
  expect(local.openConnections).toBeLessThanOrEqual(2);
});
