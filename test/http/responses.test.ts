import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { collectResponse, type HeadEvent, type HttpHeadEvent } from 'rx-lambda-stream';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { startHttp, writeAll } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

describe('the heads', () => {
  it('are the status and the headers, as a function URL sends them', async () => {
    const server = await startHttp((response) => {
      response.writeHead(201, [
        ['Content-Type', 'application/x-ndjson'],
        ['X-Amzn-RequestId', 'r-1'],
        ['X-Many', 'one'],
        ['X-Many', 'two'],
        ['Set-Cookie', 'a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT'],
        ['Set-Cookie', 'b=2'],
      ]);
      response.end();
    });
    const { values } = await outcomeOf(fetchResponseStream(server.url));
    const [head, httpHead] = values as [HeadEvent, HttpHeadEvent];
    expect(head).toMatchObject({
      type: 'head',
      statusCode: 201,
      contentType: 'application/x-ndjson',
      requestId: 'r-1',
      headers: { 'x-many': 'one, two', 'set-cookie': 'a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT, b=2' },
    });
    expect(httpHead).toMatchObject({
      type: 'http-head',
      statusCode: 201,
      headers: { 'content-type': 'application/x-ndjson', 'x-many': 'one, two' },
      cookies: ['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT', 'b=2'],
    });
    expect(httpHead.headers).not.toHaveProperty('set-cookie');
  });

  it('have no cookies where the platform has no getSetCookie, as older browsers', async () => {
    const response = new Response('x');
    Object.defineProperty(response.headers, 'getSetCookie', { value: undefined });
    const { values } = await outcomeOf(fetchResponseStream('http://127.0.0.1:1/', { fetch: () => response }));
    expect(values[1]).toMatchObject({ type: 'http-head', cookies: [] });
  });

  it('do not carry headers of another response', async () => {
    const server = await startHttp((response, { url }) => response.setHeader('x-url', url).end());
    const first = await outcomeOf(fetchResponseStream(`${server.url}a`));
    const second = await outcomeOf(fetchResponseStream(`${server.url}b`));
    expect([first, second].map(({ values }) => (values[0] as HeadEvent).headers['x-url'])).toEqual(['/a', '/b']);
  });
});

describe('a response without a body completes after its heads', () => {
  it.each([
    ['to HEAD', 'HEAD', 200],
    ['204', 'GET', 204],
    ['205', 'GET', 205],
    ['304', 'GET', 304],
    ['of no bytes', 'GET', 200],
  ])('%s', async (_what, method, statusCode) => {
    const server = await startHttp((response) => response.writeHead(statusCode, { 'x-a': 'b' }).end());
    const { values, completed } = await outcomeOf(fetchResponseStream(new Request(server.url, { method })));
    expect([typesOf(values), completed]).toEqual(['head http-head complete', true]);
    expect(values[0]).toMatchObject({ statusCode, headers: { 'x-a': 'b' } });
  });
});

describe('a status that is a failure', () => {
  const refusal = () =>
    startHttp((response) => {
      response.writeHead(429, { 'retry-after': '7', 'set-cookie': 'a=1' });
      response.end('slow down');
    });

  it('is an HttpStatusError after the head, with status, headers and body', async () => {
    const server = await refusal();
    const { values, error } = await outcomeOf(fetchResponseStream(server.url));
    expect(typesOf(values)).toBe('head');
    expect(error).toMatchObject({ code: 'http-status', statusCode: 429, headers: { 'retry-after': '7' } });
    expect((error as { headers: object }).headers).not.toHaveProperty('set-cookie');
    expect(text((error as { body: Uint8Array }).body)).toBe('slow down');
    // Read to its end, the connection is kept.
    expect(await server.requests[0]?.closedEarly).toBe(false);
  });

  it('is not a failure with failOnStatus false', async () => {
    const { values, completed } = await outcomeOf(fetchResponseStream((await refusal()).url, { failOnStatus: false }));
    expect([typesOf(values), textOf(values), completed]).toEqual(['head http-head chunk complete', 'slow down', true]);
  });

  it('is what the predicate says, which is asked once', async () => {
    const server = await startHttp((response, { url }) => response.writeHead(Number(url.slice(1))).end());
    const asked: number[] = [];
    const failOnStatus = (status: number): boolean => asked.push(status) > 0 && status === 202;
    const outcomes: unknown[] = [];
    for (const status of [200, 202, 500]) {
      const { error } = await outcomeOf(fetchResponseStream(`${server.url}${status}`, { failOnStatus }));
      outcomes.push((error as { code?: string } | undefined)?.code);
    }
    expect([asked, outcomes]).toEqual([
      [200, 202, 500],
      [undefined, 'http-status', undefined],
    ]);
  });

  it('is what the predicate throws, and the connection is closed', async () => {
    const server = await startHttp((response) => response.write('so far'));
    const failOnStatus = (): never => {
      throw new Error('undecided');
    };
    expect(await outcomeOf(fetchResponseStream(server.url, { failOnStatus }))).toEqual({
      values: [],
      error: new Error('undecided'),
      completed: false,
    });
    expect(await server.requests[0]?.closedEarly).toBe(true);
  });

  it('carries 64 KiB of an endless body, and closes the connection there', async () => {
    const server = await startHttp((response) =>
      writeAll(
        response.writeHead(500),
        (function* () {
          for (;;) yield 'x'.repeat(10_000);
        })(),
      ),
    );
    const { error } = await outcomeOf(fetchResponseStream(server.url));
    expect((error as { body: Uint8Array }).body.length).toBe(65_536);
    expect(await server.requests[0]?.closedEarly).toBe(true);
  });
});

describe('redirects', () => {
  const redirecting = () =>
    startHttp((response, { url }) => {
      if (url === '/') response.writeHead(302, { location: '/there' }).end('gone');
      else response.end('there');
    });

  it('are followed by fetch, and only the last response is seen', async () => {
    const server = await redirecting();
    const { values } = await outcomeOf(fetchResponseStream(server.url));
    expect([typesOf(values), textOf(values)]).toEqual(['head http-head chunk complete', 'there']);
    expect(values[0]).toMatchObject({ statusCode: 200 });
  });

  it('are the error of fetch where the Request forbids them', async () => {
    const { error } = await outcomeOf(
      fetchResponseStream(new Request((await redirecting()).url, { redirect: 'error' })),
    );
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
  });

  it('are responses as others in Node where the Request leaves them to the caller', async () => {
    const { values } = await outcomeOf(
      fetchResponseStream(new Request((await redirecting()).url, { redirect: 'manual' })),
    );
    expect(values[1]).toMatchObject({ statusCode: 302, headers: { location: '/there' } });
    expect(textOf(values)).toBe('gone');
  });
});

it.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
])('a body compressed with %s arrives decompressed; its headers stay as they were sent', async (encoding, compress) => {
  const body = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('');
  const bytes = compress(body);
  const server = await startHttp((response) => {
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': bytes.length });
    return writeAll(
      response,
      Array.from({ length: 8 }, (_, i) => bytes.subarray(i * 8_000, (i + 1) * 8_000)),
    );
  });
  const { values } = await outcomeOf(fetchResponseStream(server.url));
  expect(textOf(values)).toBe(body);
  expect(values[0]).toMatchObject({
    headers: { 'content-encoding': encoding, 'content-length': String(bytes.length) },
  });
});

describe('what no page or fetch can read', () => {
  it.each([
    ['opaque', { type: 'opaque', status: 0, headers: new Headers(), body: null }],
    ['opaqueredirect', { type: 'opaqueredirect', status: 0, headers: new Headers(), body: null }],
    ['error', Response.error()],
  ])('an %s response is a ProtocolError that says why', async (type, response) => {
    const { values, error } = await outcomeOf(
      fetchResponseStream('http://127.0.0.1:1/', { fetch: () => response as Response, failOnStatus: false }),
    );
    expect(values).toEqual([]);
    expect(error).toMatchObject({ code: 'protocol', message: expect.stringContaining(`is ${type}`) as string });
  });

  it.each([
    ['nothing', undefined, 'something else than a Response'],
    ['text', 'hello', 'something else than a Response'],
    ['an object of another kind', { statusCode: 200 }, 'something else than a Response'],
    // React Native's fetch.
    ['a Response without a body member', { status: 200, headers: new Headers() }, 'expo/fetch'],
  ])('a fetch that answers with %s is a TypeError, and the request is aborted', async (_what, answer, message) => {
    let signal: AbortSignal | undefined;
    const { values, error } = await outcomeOf(
      fetchResponseStream('http://127.0.0.1:1/', {
        fetch: (_request, init) => {
          signal = init.signal;
          return answer as unknown as Response;
        },
      }),
    );
    expect(values).toEqual([]);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(message);
    expect(signal?.aborted).toBe(true);
  });

  it('a body that somebody reads already is an error, and the request is aborted', async () => {
    const response = new Response('x');
    response.body?.getReader();
    let signal: AbortSignal | undefined;
    const { error } = await outcomeOf(
      fetchResponseStream('http://127.0.0.1:1/', {
        fetch: (_request, init) => {
          signal = init.signal;
          return response;
        },
      }),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(signal?.aborted).toBe(true);
  });

  it('a body of text instead of bytes is an error, not a success without data', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue('text');
        controller.close();
      },
    });
    const { values, error, completed } = await outcomeOf(
      fetchResponseStream('http://127.0.0.1:1/', {
        fetch: () => ({ status: 200, headers: new Headers(), body }) as Response,
      }),
    );
    expect([typesOf(values), completed]).toEqual(['head http-head', false]);
    expect((error as Error).message).toContain('something else than bytes');
  });
});

describe('the chunks', () => {
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) & 255);

  it('are plain bytes, and all of them', async () => {
    const server = await startHttp((response) => writeAll(response, [large.subarray(0, 1), large.subarray(1)]));
    const { values } = await outcomeOf(fetchResponseStream(server.url));
    const chunks = values.flatMap((event) => (event.type === 'chunk' ? [event.payload] : []));
    expect(chunks.every((chunk) => Object.getPrototypeOf(chunk) === Uint8Array.prototype)).toBe(true);
    const { bytes } = await lastValueFrom(fetchResponseStream(server.url).pipe(collectResponse()));
    expect(hash(bytes)).toBe(hash(large));
  });

  it('may be given away: transferring one’s buffer takes nothing from the others', async () => {
    const server = await startHttp((response) => writeAll(response, [large]));
    const seen: Uint8Array[] = [];
    await new Promise<void>((resolve, reject) => {
      fetchResponseStream(server.url).subscribe({
        next(event) {
          if (event.type !== 'chunk') return;
          seen.push(structuredClone(event.payload, { transfer: [event.payload.buffer as ArrayBuffer] }));
        },
        complete: resolve,
        error: reject,
      });
    });
    expect(hash(Buffer.concat(seen))).toBe(hash(large));
  });
});
