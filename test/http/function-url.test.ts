/** fetchResponseStream over the function URLs of the local endpoint: what runs here is a handler as it runs on AWS. */
import { collectResponse, parseNdjson, retryInvocation } from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import {
  HttpResponseStream,
  startLocalLambda,
  streamifyResponse,
  type LocalLambdaOptions,
} from 'rx-lambda-stream/local';
import { take } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';

async function startUrl(handler: LocalLambdaOptions['functions'][string]) {
  const local = await startLocalLambda({ functions: { f: handler }, functionUrls: true, onProblem: () => undefined });
  onTestFinished(() => local.close());
  return { local, url: local.functionUrls['f'] ?? '' };
}

it('the prelude is the head: status, headers, cookies, and the body streams behind it', async () => {
  const { url } = await startUrl(
    streamifyResponse(async (event, responseStream) => {
      const { rawPath, queryStringParameters } = event as { rawPath: string; queryStringParameters: object };
      const stream = HttpResponseStream.from(responseStream, {
        statusCode: 201,
        headers: { 'content-type': 'application/x-ndjson' },
        cookies: ['a=1', 'b=2'],
      });
      for (const record of [{ rawPath }, queryStringParameters]) {
        stream.write(`${JSON.stringify(record)}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
    }),
  );
  const { values } = await outcomeOf(fetchResponseStream(`${url}rows?x=1`));
  expect(typesOf(values)).toMatch(/^head http-head( chunk)+ complete$/);
  expect(values[0]).toMatchObject({
    statusCode: 201,
    contentType: 'application/x-ndjson',
    requestId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
  });
  expect(values[1]).toMatchObject({ statusCode: 201, cookies: ['a=1', 'b=2'] });
  const records = await outcomeOf(fetchResponseStream(`${url}rows?x=1`).pipe(parseNdjson()));
  expect(records.values).toEqual([{ rawPath: '/rows' }, { x: '1' }]);
});

it('a buffered response is one too', async () => {
  const { url } = await startUrl(() => Promise.resolve({ statusCode: 404, body: 'no such order' }));
  const { error } = await outcomeOf(fetchResponseStream(url));
  expect(error).toMatchObject({ code: 'http-status', statusCode: 404 });
  expect(new TextDecoder().decode((error as { body: Uint8Array }).body)).toBe('no such order');
  const { values } = await outcomeOf(fetchResponseStream(url, { failOnStatus: false }).pipe(collectResponse()));
  expect(values[0]?.text()).toBe('no such order');
});

it('a failure before the first byte is a 502, a failure after it a cut body', async () => {
  const { url } = await startUrl(async function* (event: { rawPath: string }) {
    if (event.rawPath === '/late') {
      yield 'half of ';
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('broken');
  });
  const early = await outcomeOf(fetchResponseStream(`${url}early`));
  expect(early.error).toMatchObject({ code: 'http-status', statusCode: 502 });
  const late = await outcomeOf(fetchResponseStream(`${url}late`));
  expect(textOf(late.values)).toBe('half of ');
  expect(late.error).toMatchObject({ code: 'truncated', bytes: 8 });
});

it('unsubscribing closes the connection', async () => {
  const { local, url } = await startUrl(async function* () {
    for (let i = 0; i < 200; i++) {
      yield 'more ';
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  const { values } = await outcomeOf(fetchResponseStream(url).pipe(take(3)));
  expect(typesOf(values)).toBe('head http-head chunk');
  expect(await local.requests[0]?.closedEarly).toBe(true);
});

it('a busy function is tried again', async () => {
  let attempts = 0;
  const { url } = await startUrl(() => {
    attempts++;
    return Promise.resolve(attempts === 1 ? { statusCode: 429, headers: { 'retry-after': '0.01' } } : { body: 'done' });
  });
  const { values } = await outcomeOf(fetchResponseStream(url).pipe(retryInvocation()));
  expect(typesOf(values)).toBe('head retry head http-head chunk complete');
});
