import { of } from 'rxjs';
import { chunkEvent, completeEvent, headEvent } from 'rx-lambda-stream/testing';
import { describe, expect, test } from 'vitest';
import { createRelay, RelayRefusal, type RelayGrant, type RelayOptions } from '../../src/relay/index.js';
import { ask, lambdaPath, startRelay, type Answer } from './relay-server.js';

const listed = 'https://app.example.com';

/** A relay that counts what it lets in and what it runs. */
async function startGuarded(
  options: Partial<RelayOptions> = {},
): Promise<{ url: string; host: string; asked: () => number; ran: () => number }> {
  let asked = 0;
  let ran = 0;
  const { url, host } = await startRelay({
    origins: [listed],
    authorize(): RelayGrant {
      asked++;
      return {
        open() {
          ran++;
          return of(headEvent(), chunkEvent('hello'), completeEvent());
        },
      };
    },
    ...options,
  });
  return { url, host, asked: () => asked, ran: () => ran };
}

describe('the doors, on every method, before authorize', () => {
  const cases: [sentence: string, headers: Record<string, string>, isIn: boolean][] = [
    ['an origin of origins is let in, from any site', { origin: listed, 'sec-fetch-site': 'cross-site' }, true],
    ['sec-fetch-site same-origin is let in', { 'sec-fetch-site': 'same-origin', origin: 'http://any.example' }, true],
    ['sec-fetch-site none is let in without an origin', { 'sec-fetch-site': 'none' }, true],
    ['sec-fetch-site none with an origin is refused', { 'sec-fetch-site': 'none', origin: 'null' }, false],
    ['sec-fetch-site same-site is refused', { 'sec-fetch-site': 'same-site' }, false],
    ['sec-fetch-site cross-site is refused', { 'sec-fetch-site': 'cross-site' }, false],
    ['an origin whose host is the host is let in', { origin: 'http://HOST' }, true],
    ['a secure origin whose host is the host is let in, behind a proxy', { origin: 'https://HOST' }, true],
    ['an origin of another host is refused', { origin: 'https://evil.example' }, false],
    ['an origin of another port is refused', { origin: 'http://127.0.0.1:1' }, false],
    ['an origin that has the host as a prefix is refused', { origin: 'http://HOST.evil.example' }, false],
    ['the origin null is refused', { origin: 'null' }, false],
    ['an origin that is no URL is refused', { origin: 'garbage' }, false],
    ['an origin like a listed one is refused', { origin: `${listed}.evil.example` }, false],
    ['a listed origin in other letters is refused', { origin: listed.toUpperCase() }, false],
    ['neither header comes from no browser and is let in', {}, true],
  ];

  test.each(cases)('%s', async (_, template, isIn) => {
    const { url, host, asked, ran } = await startGuarded();
    const headers = Object.fromEntries(
      Object.entries(template).map(([name, value]) => [name, value.replace('HOST', host)]),
    );
    for (const method of ['POST', 'DELETE', 'GET', 'OPTIONS', 'PUT']) {
      const before = asked();
      const answer = await ask(url, { method, headers: { ...headers, accept: 'text/event-stream' } });
      if (isIn) expect([200, 204, 404, 405]).toContain(answer.status);
      else {
        expect(answer.status).toBe(403);
        expect(asked()).toBe(before);
      }
    }
    expect(ran()).toBe(isIn ? 2 : 0);
  });

  test("the scheme's own port may be spelled out in Host", async () => {
    const { url } = await startGuarded();
    const headers = { host: 'app.example.org:443', origin: 'https://app.example.org' };
    expect((await ask(url, { headers })).status).toBe(200);
    expect((await ask(url, { headers: { ...headers, host: 'app.example.org:80' } })).status).toBe(403);
  });

  test('any other Host than hosts is refused, also without an Origin', async () => {
    const { url, host, asked } = await startGuarded({ hosts: ['LOCALHOST:1234'] });
    expect((await ask(url)).status).toBe(403);
    expect((await ask(url, { headers: { host, 'sec-fetch-site': 'same-origin' } })).status).toBe(403);
    expect(asked()).toBe(0);
    expect((await ask(url, { headers: { host: 'localhost:1234' } })).status).toBe(200);
  });

  test.each(['user:password@relay', '@', 'relay/path', 'relay?x', 'relay#x', 'relay\\path', 'two words'])(
    'a Host that is no host is a 400 before authorize: %s',
    async (host) => {
      const { url, asked } = await startGuarded();
      const { status, text } = await ask(url, { headers: { host } });
      expect(status).toBe(400);
      expect(text).not.toContain(host);
      expect(asked()).toBe(0);
    },
  );

  test('CORS headers go to listed origins only', async () => {
    const { url, host } = await startGuarded();
    const allowed = await ask(url, { headers: { origin: listed } });
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers':
        'x-rx-invocation, x-amzn-requestid, x-amzn-errortype, x-amz-executed-version, ' +
        'x-amzn-remapped-content-type, retry-after',
    });
    for (const origin of ['https://evil.example', `http://${host}`, 'null']) {
      const { headers } = await ask(url, { headers: { origin } });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('a preflight is answered without authorize, and what it asks for is reflected', async () => {
    const { url, asked } = await startGuarded();
    const headers = {
      origin: listed,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-own',
    };
    const answer = await ask(url, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-headers': 'authorization,x-own',
      'access-control-allow-methods': 'POST, GET, DELETE',
    });
    expect(asked()).toBe(0);
  });

  test('a GET without Accept: text/event-stream is 406 and runs nothing', async () => {
    const { url, asked } = await startGuarded();
    for (const accept of ['*/*', 'text/html', 'image/avif,image/webp,*/*', '']) {
      expect((await ask(url, { method: 'GET', headers: { accept } })).status).toBe(406);
    }
    expect(asked()).toBe(0);
  });

  test('other methods are 405', async () => {
    const { url, asked } = await startGuarded();
    const answer = await ask(url, { method: 'PUT' });
    expect([answer.status, answer.headers['allow'], asked()]).toEqual([405, 'POST, GET, DELETE, OPTIONS', 0]);
  });

  test('every answer is neither cached, nor sniffed, nor buffered, and varies by origin', async () => {
    const { url } = await startGuarded();
    const answers: Answer[] = [
      await ask(url),
      await ask(url, { method: 'GET', headers: { accept: 'text/event-stream' } }),
      await ask(url, { method: 'GET' }),
      await ask(url, { method: 'OPTIONS' }),
      await ask(url, { method: 'PUT' }),
      await ask(url, { method: 'DELETE' }),
      await ask(url, { headers: { origin: 'null' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 406, 204, 405, 404, 403]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        vary: 'origin',
        'cache-control': 'no-store, no-transform',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      });
    }
  });

  test.each(['/', '/api/x', '/2021-11-15/functions/%E0%A4%A/response-streaming-invocations'])(
    'a path that cannot be decoded names no function: %s',
    async (path) => {
      const names: unknown[] = [];
      const { url } = await startRelay({
        authorize({ functionName }) {
          names.push(functionName);
          throw new RelayRefusal(404, 'No such function');
        },
      });
      expect((await ask(url, { path })).status).toBe(path.includes('%') ? 400 : 404);
      expect(names).toEqual(path.includes('%') ? [] : [undefined]);
    },
  );
});

describe('options of createRelay', () => {
  const authorize = (): RelayGrant => ({});
  test.each<[string, unknown]>([
    ['authorize', {}],
    ['authorize', undefined],
    ['authorize', { authorize: 'all' }],
    ['origins', { authorize, origins: '*' }],
    ['origins', { authorize, origins: ['*'] }],
    ['origins', { authorize, origins: ['null'] }],
    ['origins', { authorize, origins: ['https://*.example.com'] }],
    ['origins', { authorize, origins: ['https://app.example.com/'] }],
    ['origins', { authorize, origins: ['https://app.example.com:443'] }],
    ['origins', { authorize, origins: ['https://App.example.com'] }],
    ['origins', { authorize, origins: ['app.example.com'] }],
    ['hosts', { authorize, hosts: ['http://localhost'] }],
    ['admit', { authorize, admit: true }],
    ['log', { authorize, log: {} }],
  ])('%s: anything else is a TypeError at the call', (name, options) => {
    expect(() => createRelay(options as RelayOptions)).toThrow(TypeError);
    expect(() => createRelay(options as RelayOptions)).toThrow(name);
  });

  test.each([
    'maxBodyBytes',
    'maxPendingBodyBytes',
    'bodyTimeoutMs',
    'maxStreams',
    'maxStreamsPerClient',
    'pingMs',
    'stalledMs',
    'lingerMs',
    'ttlMs',
    'maxReplayBytes',
  ])('%s out of range is a RangeError', (name) => {
    expect(() => createRelay({ authorize, [name]: -1 })).toThrow(RangeError);
    expect(() => createRelay({ authorize, [name]: NaN })).toThrow(RangeError);
  });

  test('custom schemes are origins too', () => {
    expect(() => createRelay({ authorize, origins: ['capacitor://localhost', 'http://localhost:4200'] })).not.toThrow();
  });

  test('lingerMs over ttlMs is a RangeError', () => {
    expect(() => createRelay({ authorize, lingerMs: 2_000, ttlMs: 1_000 })).toThrow(RangeError);
  });

  test.each([399, 600, 200, NaN, 404.5])('a RelayRefusal of status %s is a RangeError', (status) => {
    expect(() => new RelayRefusal(status, 'no')).toThrow(RangeError);
  });

  test('neither fetch nor listener needs this', async () => {
    const { fetch, close } = createRelay({ authorize: () => ({ open: () => of(headEvent(), completeEvent()) }) });
    expect((await fetch(new Request(`http://x.example${lambdaPath}`, { method: 'POST' }))).status).toBe(200);
    await close();
  });
});
