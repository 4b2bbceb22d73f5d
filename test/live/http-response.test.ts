import {
  collectResponse,
  decodeHttpResponse,
  decodeText,
  invokeWithResponseStream,
  retryInvocation,
  toSnapshots,
} from 'rx-lambda-stream';
import { HttpResponseStream, scripted, streamifyResponse } from 'rx-lambda-stream/local';
import { last, lastValueFrom, map, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { httpHandlers, startLive } from '../support/live.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const input = { FunctionName: 'site' };

/** A page as a function behind a function URL writes it. */
const site = (statusCode: number, pieces: readonly string[]) =>
  streamifyResponse((_event, responseStream) => {
    const stream = HttpResponseStream.from(responseStream, {
      statusCode,
      headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Count': String(pieces.length) },
      cookies: ['a=1; Path=/', 'b=2'],
    });
    for (const piece of pieces) stream.write(piece);
    stream.end();
    return Promise.resolve();
  });

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  test('an HttpResponseStream arrives as its status, headers, cookies and body', async () => {
    const { client } = await startLive({ site: site(201, ['Zoë ', '€\0']) }, { requestHandler: requestHandler() });
    const response = await lastValueFrom(
      invokeWithResponseStream(client, input).pipe(decodeHttpResponse(), collectResponse()),
    );
    expect(response.httpHead).toEqual({
      type: 'http-head',
      statusCode: 201,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-count': '2' },
      cookies: ['a=1; Path=/', 'b=2'],
    });
    expect(response.head?.contentType).toBe('application/vnd.awslambda.http-integration-response');
    expect(response.text()).toBe('Zoë €\0');
  });

  test('a failing status is an error with the body, and closes the connection at the body’s limit', async () => {
    const { local, client } = await startLive(
      { site: scripted([{ chunk: `{"statusCode":503}${'\0'.repeat(8)}no room` }, 'stall']) },
      { requestHandler: requestHandler() },
    );
    const { error } = await outcomeOf(
      invokeWithResponseStream(client, input).pipe(decodeHttpResponse({ failOnStatus: true, maxErrorBodyBytes: 7 })),
    );
    expect(error).toMatchObject({ code: 'http-status', statusCode: 503 });
    expect(new TextDecoder().decode((error as { body: Uint8Array }).body)).toBe('no room');
    expect(await local.requests[0]!.closedEarly).toBe(true);
  });
});

test('a prelude cut into single bytes by the wire is one head, and the body is text', async () => {
  const bytes = new TextEncoder().encode(`{"statusCode":200}${'\0'.repeat(8)}é`);
  const steps = Array.from(bytes, (_, at) => ({ chunk: bytes.slice(at, at + 1) }));
  const { client } = await startLive({ site: scripted([...steps, { complete: {} }]) });
  const text = invokeWithResponseStream(client, input).pipe(decodeHttpResponse(), decodeText(), toArray());
  expect(await lastValueFrom(text)).toEqual(['é']);
});

test('a response that broke arrives whole after a restart, in its collection and in its snapshots', async () => {
  const { client } = await startLive({
    site: scripted((_request, attempt) =>
      attempt % 2 === 1 ? [{ chunk: 'half' }, 'reset'] : [{ chunk: 'whole' }, { complete: {} }],
    ),
  });
  const retries = retryInvocation({ idempotent: true, afterFirstChunk: 'restart', initialDelayMs: 1 });
  const response = invokeWithResponseStream(client, input).pipe(retries);
  expect((await lastValueFrom(response.pipe(collectResponse()))).text()).toBe('whole');
  const statuses = response.pipe(
    toSnapshots({ intervalMs: 0 }),
    map(({ status, text }) => `${status} ${text}`),
    last(),
  );
  expect(await lastValueFrom(statuses)).toBe('complete whole');
});

test('a failure is a state of the snapshots, with the text so far', async () => {
  const { client } = await startLive({ site: scripted([{ chunk: 'half' }, { waitMs: 1 }, 'end']) });
  const snapshot = await lastValueFrom(invokeWithResponseStream(client, input).pipe(toSnapshots()));
  expect(snapshot).toMatchObject({ status: 'failed', text: 'half', bytes: 4, error: { code: 'truncated' } });
});

test('a response over the limit of its collection closes the connection', async () => {
  const { local, client } = await startLive({ site: scripted([{ chunk: 'abcd' }, 'stall']) });
  const { error } = await outcomeOf(invokeWithResponseStream(client, input).pipe(collectResponse({ maxBytes: 3 })));
  expect(error).toMatchObject({ code: 'response-too-large', maxBytes: 3 });
  expect(await local.requests[0]!.closedEarly).toBe(true);
});
