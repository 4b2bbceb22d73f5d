import { TooManyRequestsException } from '@aws-sdk/client-lambda';
import { invokeWithResponseStream, isLambdaStreamError } from 'rx-lambda-stream';
import { describe, expect, inject, it } from 'vitest';
import { createClient, defineFunction } from '../support/browser-lambda.js';
import type { BrowserStep } from '../support/browser-protocol.js';
import { fetchFailed, isFirefox } from '../support/browser-platform.js';
import { outcomeOf, typesOf } from '../support/collect.js';

/** Subscribes twice; the second request meets this step on a connection that has been used. */
async function meetOnReusedConnection(step: BrowserStep) {
  const { name, requests } = await defineFunction([{ complete: {} }], [step], [{ complete: {} }]);
  const client = createClient({ maxAttempts: 1 });
  let subscriptions = 0;
  const stream = invokeWithResponseStream(client, () => ({ FunctionName: name, Payload: `${++subscriptions}` }));
  // The first one brings the preflight's answer into its cache, the page read to its end an idle connection.
  expect((await outcomeOf(stream)).completed).toBe(true);
  await (await fetch(inject('clientConfig').endpoint)).text();
  const outcome = await outcomeOf(stream);
  expect(subscriptions).toBe(2);
  return { outcome, payloads: (await requests(0)).map(({ payload }) => payload) };
}

it('the browser itself re-sends a request whose reused connection dies before the headers', async () => {
  const { outcome, payloads } = await meetOnReusedConnection('reset');
  expect([typesOf(outcome.values), outcome.completed]).toEqual(['head complete', true]);
  // The second subscription sent once, and the server has its request twice.
  expect(payloads).toEqual(['1', '2', '2']);
});

it('Chromium re-sends a request that is answered 408, as by EFSMountTimeoutException; Firefox does not', async () => {
  const { outcome, payloads } = await meetOnReusedConnection({
    httpError: { statusCode: 408, name: 'EFSMountTimeoutException' },
  });
  if (isFirefox) {
    expect(outcome.error).toMatchObject({ name: 'EFSMountTimeoutException', $metadata: { httpStatusCode: 408 } });
    expect(payloads).toEqual(['1', '2']);
  } else {
    expect([typesOf(outcome.values), outcome.completed]).toEqual(['head complete', true]);
    expect(payloads).toEqual(['1', '2', '2']);
  }
});

describe('an exception whose name CORS hides', () => {
  const error = { statusCode: 429, name: 'TooManyRequestsException', message: 'Rate exceeded' };

  it('is the SDK’s own object still, with a cause that names the header to expose', async () => {
    const headers = { 'access-control-expose-headers': 'x-amzn-requestid' };
    const { name } = await defineFunction([{ httpError: { ...error, headers } }]);
    const outcome = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
    expect(outcome.error).not.toBeInstanceOf(TooManyRequestsException);
    expect(outcome.error).toMatchObject({ $metadata: { httpStatusCode: 429 }, name: 'Unknown' });
    expect(isLambdaStreamError(outcome.error)).toBe(false);
    expect((outcome.error as Error).cause).toMatchObject({
      message: expect.stringContaining('Access-Control-Expose-Headers: x-amzn-errortype') as unknown,
    });
  });

  it('has no such cause where the name is there', async () => {
    const { name } = await defineFunction([{ httpError: error }]);
    const outcome = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
    expect(outcome.error).toBeInstanceOf(TooManyRequestsException);
    expect((outcome.error as Error).cause).toBeUndefined();
  });
});

it('a page that CORS does not let call sees a TypeError, and nothing of the answer', async () => {
  const { name, requests } = await defineFunction([
    { head: { headers: { 'access-control-allow-origin': 'https://other.example' } } },
    { complete: {} },
  ]);
  const { values, error } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
  expect(values).toEqual([]);
  expect(error).toMatchObject({ name: 'TypeError', message: fetchFailed });
  // The function has run all the same.
  expect(await requests(0)).toHaveLength(1);
});
