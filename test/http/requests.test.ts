import { NEVER } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { fetchResponseStream, type FetchFunction, type FetchTargetSource } from 'rx-lambda-stream/http';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { startHttp } from '../support/live-http.js';
import { expectNoStrays } from '../support/no-strays.js';

expectNoStrays();

describe('the request', () => {
  it('is sent once for each subscription, and not before', async () => {
    const server = await startHttp((response) => response.end('all'));
    const stream = fetchResponseStream(server.url);
    await outcomeOf(stream);
    await outcomeOf(stream);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /', 'GET /']);
  });

  it.each([
    ['a string', (url: string) => url],
    ['a URL', (url: string) => new URL(url)],
    ['a Request', (url: string) => new Request(url)],
    ['a function that makes a string', (url: string) => () => url],
    ['a function that makes a URL', (url: string) => () => new URL(url)],
    ['a function that promises a Request', (url: string) => () => Promise.resolve(new Request(url))],
  ] as [string, (url: string) => FetchTargetSource][])('may be %s', async (_what, targetOf) => {
    const server = await startHttp((response) => response.end('all'));
    const { values, completed } = await outcomeOf(fetchResponseStream(targetOf(`${server.url}x?y=1`)));
    expect([typesOf(values), textOf(values), completed]).toEqual(['head http-head chunk complete', 'all', true]);
    expect(server.requests[0]?.url).toBe('/x?y=1');
  });

  it('serves several subscriptions at once, each with the whole body', async () => {
    const server = await startHttp((response, { body }) => response.end(body));
    const bodies: [string, BodyInit][] = [
      ['text', 'ask me'],
      ['bytes', new TextEncoder().encode('ask me')],
      ['a Blob', new Blob(['ask me'])],
      ['a stream', new Blob(['ask me']).stream()],
    ];
    for (const [what, body] of bodies) {
      const init = { method: 'POST', body, headers: { 'x-what': what }, duplex: 'half' };
      const stream = fetchResponseStream(new Request(server.url, init));
      const together = await Promise.all([outcomeOf(stream), outcomeOf(stream)]);
      const last = await outcomeOf(stream);
      for (const { values } of [...together, last]) expect([what, textOf(values)]).toEqual([what, 'ask me']);
    }
    expect(server.requests).toHaveLength(12);
    expect(server.requests.every(({ headers, method }) => method === 'POST' && headers['x-what'])).toBe(true);
  });

  it('is asked for anew by each subscription where a function makes it', async () => {
    const server = await startHttp((response, { url }) => response.end(url));
    let attempt = 0;
    const stream = fetchResponseStream(() => `${server.url}${++attempt}`);
    expect(attempt).toBe(0);
    expect(textOf((await outcomeOf(stream)).values)).toBe('/1');
    expect(textOf((await outcomeOf(stream)).values)).toBe('/2');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no token');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no token'))],
  ] as [string, () => Promise<Request>][])(
    'that a function %s instead of making is the stream’s error',
    async (_how, make) => {
      const { values, error } = await outcomeOf(fetchResponseStream(make));
      expect([values, error]).toEqual([[], new Error('no token')]);
    },
  );

  it('goes through another fetch, called as a plain function', async () => {
    const server = await startHttp((response, { headers }) => response.end(headers['authorization']));
    const sign: FetchFunction = function (this: unknown, request, init) {
      expect(this).toBeUndefined();
      const signed = new Request(request);
      signed.headers.set('authorization', 'signed');
      return fetch(signed, init);
    };
    const { values } = await outcomeOf(fetchResponseStream(server.url, { fetch: sign }));
    expect(textOf(values)).toBe('signed');
  });

  it('goes through the global fetch of the moment: interceptors may replace it later', async () => {
    const stream = fetchResponseStream('http://127.0.0.1:1/');
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('intercepted')));
    const { values } = await outcomeOf(stream);
    vi.unstubAllGlobals();
    expect(textOf(values)).toBe('intercepted');
  });
});

describe('refused at the call', () => {
  const url = 'http://127.0.0.1:1/';
  const call = fetchResponseStream as (request: unknown, options?: unknown) => unknown;

  it.each([undefined, null, 1, {}, [], NEVER, new Response('x'), Promise.resolve(url)])(
    'a request of %s',
    (request) => {
      expect(() => call(request)).toThrow(TypeError);
      expect(() => call(request)).toThrow(/^fetchResponseStream: request must be a URL, a Request, or a function/);
    },
  );

  it.each([
    '',
    '/relative',
    'localhost:3001/x',
    'ftp://host/x',
    'http://user:secret@host/?token=secret',
    'http://[secret',
  ])('a URL of %j, which the message does not quote', async (request) => {
    expect(() => call(request)).toThrow(TypeError);
    expect(() => call(request)).toThrow(/^fetchResponseStream: request must be an absolute http or https URL/);
    // As what a function makes it is the stream's error.
    const { error } = await outcomeOf(fetchResponseStream(() => request));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain('secret');
    expect((error as Error).cause).toBeUndefined();
  });

  it('a Request whose body was read, there and by a function', async () => {
    const request = new Request(url, { method: 'POST', body: 'x' });
    await request.text();
    expect(() => call(request)).toThrow('the body of this Request was read already');
    expect((await outcomeOf(fetchResponseStream(() => request))).error).toBeInstanceOf(TypeError);
  });

  it.each([
    [{ fetch: 1 }, 'fetch must be a function'],
    [{ pauseWhile: true }, 'pauseWhile must be an Observable'],
    [{ failOnStatus: 'yes' }, 'failOnStatus must be true, false or a function'],
    [{ failOnStatus: 400 }, 'failOnStatus must be true, false or a function'],
    [3, 'options must be an object'],
    [null, 'options must be an object'],
    [{ method: 'POST' }, 'method belongs to the request: pass new Request(url, { method: … })'],
    [{ headers: {}, body: '' }, 'headers belongs to the request'],
    [{ signal: AbortSignal.abort() }, 'signal belongs to the request'],
  ])('options of %o', (options, message) => {
    expect(() => call(url, options)).toThrow(TypeError);
    expect(() => call(url, options)).toThrow(`fetchResponseStream: ${message}`);
  });
});
