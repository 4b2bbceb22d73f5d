import { decodeText, parseNdjson, retryInvocation, type RetryEvent } from 'rx-lambda-stream';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { refusingUrl, reset, startHttp } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const quick = { initialDelayMs: 1, jitter: 'none' } as const;

describe('retryInvocation over fetchResponseStream', () => {
  it('tries a 503 again, with the function asked anew, and obeys its Retry-After', async () => {
    const server = await startHttp((response, _request, attempt) => {
      if (attempt === 1) response.writeHead(503, { 'retry-after': '0.05' }).end('busy');
      else response.end('all');
    });
    let signatures = 0;
    const { values, completed } = await outcomeOf(
      fetchResponseStream(() => `${server.url}?signature=${++signatures}`).pipe(retryInvocation(quick)),
    );
    expect([typesOf(values), textOf(values), completed]).toEqual([
      'head retry head http-head chunk complete',
      'all',
      true,
    ]);
    expect(values[1]).toMatchObject({ mode: 'fresh', delayMs: 50, error: { statusCode: 503 } } satisfies Partial<
      Record<keyof RetryEvent, unknown>
    >);
    expect(server.requests.map(({ url }) => url)).toEqual(['/?signature=1', '/?signature=2']);
  });

  it('sends a Request’s body again', async () => {
    const server = await startHttp((response, { body }, attempt) => {
      if (attempt < 3) response.writeHead(429).end();
      else response.end(body);
    });
    const request = new Request(server.url, { method: 'POST', body: 'ask' });
    const { values } = await outcomeOf(fetchResponseStream(request).pipe(retryInvocation(quick)));
    expect(textOf(values)).toBe('ask');
    expect(server.requests.map(({ body }) => body)).toEqual(['ask', 'ask', 'ask']);
  });

  it('leaves alone what may have run, unless the caller says that it may run twice', async () => {
    const server = await startHttp((response, _request, attempt) => {
      if (attempt % 2 === 1) response.writeHead(502).end();
      else response.end('all');
    });
    const stream = fetchResponseStream(server.url);
    expect((await outcomeOf(stream.pipe(retryInvocation(quick)))).error).toMatchObject({ statusCode: 502 });
    expect(server.requests).toHaveLength(1);
    await outcomeOf(stream);
    const { values } = await outcomeOf(stream.pipe(retryInvocation({ ...quick, idempotent: true })));
    expect(textOf(values)).toBe('all');
  });

  it('never tries a 404 again', async () => {
    const server = await startHttp((response) => response.writeHead(404).end());
    const { error } = await outcomeOf(
      fetchResponseStream(server.url).pipe(retryInvocation({ ...quick, idempotent: true })),
    );
    expect(error).toMatchObject({ statusCode: 404 });
    expect(server.requests).toHaveLength(1);
  });

  it('tries a refused connection again', async () => {
    const server = await startHttp((response) => response.end('all'));
    const urls = [await refusingUrl(), server.url];
    const { values } = await outcomeOf(fetchResponseStream(() => urls.shift() ?? '').pipe(retryInvocation(quick)));
    expect(textOf(values)).toBe('all');
  });

  it('replays a cut body to exactly the bytes that are missing', async () => {
    const server = await startHttp((response, _request, attempt) => {
      response.write('one two ');
      if (attempt === 1) setTimeout(() => reset(response), 5);
      else response.end('three');
    });
    const { values } = await outcomeOf(
      fetchResponseStream(server.url).pipe(
        retryInvocation({ ...quick, idempotent: true, afterFirstChunk: 'replay' }),
        decodeText(),
      ),
    );
    expect(values.join('')).toBe('one two three');
  });

  it('continues after the last record that arrived', async () => {
    const server = await startHttp((response, { url }, attempt) => {
      const after = Number(url.slice(1));
      response.write(`{"id":${after + 1}}\n{"id":${after + 2}}\n{"id":`);
      if (attempt === 1) setTimeout(() => reset(response), 5);
      else response.end(`${after + 3}}\n`);
    });
    let last = 0;
    const { values } = await outcomeOf(
      fetchResponseStream(() => `${server.url}${last}`).pipe(
        retryInvocation({ ...quick, idempotent: true, afterFirstChunk: 'continue' }),
        parseNdjson<{ id: number }>(),
        tap(({ id }) => (last = id)),
      ),
    );
    expect(values.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  });
});
