import { scripted, startLocalLambda, type LocalLambdaOptions, type LocalProblem } from 'rx-lambda-stream/local';
import { describe, expect, onTestFinished, test } from 'vitest';
import { post, rawExchange, streamPath, type RawRequest, type RawResponse } from './drive.js';

/** An endpoint with both doors, and how often its function ran. */
async function start(options: Partial<LocalLambdaOptions> = {}) {
  let runs = 0;
  const problems: LocalProblem[] = [];
  const local = await startLocalLambda({
    functions: { fn: () => ++runs, script: scripted([{ chunk: 'x' }, { complete: {} }]) },
    functionUrls: true,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  onTestFinished(() => local.close());
  const doors: Record<string, (sent?: RawRequest) => Promise<RawResponse>> = {
    stream: (sent) => post(local, { path: streamPath('fn'), ...sent }),
    invoke: (sent) => post(local, { path: '/2015-03-31/functions/fn/invocations', ...sent }),
    url: (sent) => post({ ...local, endpoint: (local.functionUrls['fn'] ?? '').slice(0, -1) }, { path: '/', ...sent }),
    unknown: (sent) => post(local, { path: '/', ...sent }),
  };
  return { local, problems, doors, runs: () => runs };
}

const doorNames = ['stream', 'invoke', 'url'];

describe('a page', () => {
  test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://localhost', ''])(
    'of the origin %j runs nothing through any door, with cors off',
    async (origin) => {
      const { local, doors, problems, runs } = await start();
      for (const door of [...doorNames, 'unknown']) {
        const { statusCode, headers, body } = (await doors[door]?.({ headers: { origin }, body: '{}' })) as RawResponse;
        expect([door, statusCode, headers['x-amzn-errortype']]).toEqual([door, 403, 'AccessDeniedException']);
        expect(headers).not.toHaveProperty('access-control-allow-origin');
        expect(body.toString()).toContain('option cors');
      }
      expect(runs()).toBe(0);
      expect(local.requests).toHaveLength(0);
      expect(problems.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'refused', 'refused']);
    },
  );

  test('is answered through every door where cors lists its origin, and no other origin is', async () => {
    const { doors, runs } = await start({ cors: ['https://app.example'] });
    for (const door of doorNames) {
      const answer = (origin: string) => doors[door]?.({ headers: { origin } });
      expect((await answer('https://app.example'))?.statusCode).toBe(200);
      expect((await answer('https://app.example'))?.headers['access-control-allow-origin']).toBe('https://app.example');
      for (const origin of ['https://app.example.evil', 'https://evil-app.example', 'http://app.example', 'null']) {
        expect((await answer(origin))?.statusCode).toBe(403);
      }
    }
    expect(runs()).toBe(6);
  });

  test('of any origin is answered with cors true, null too', async () => {
    const { doors } = await start({ cors: true });
    for (const door of doorNames) {
      const answer = await doors[door]?.({ headers: { origin: 'null' } });
      expect([answer?.statusCode, answer?.headers['access-control-allow-origin']]).toEqual([200, 'null']);
    }
  });

  test('may call the origin that it came from, whatever name of the loopback address it used', async () => {
    const { local, doors } = await start();
    const { port } = new URL(local.functionUrls['fn'] ?? '');
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `app.localhost:${port}`]) {
      const answer = await doors['url']?.({ headers: { host, origin: `http://${host}` } });
      expect([host, answer?.statusCode]).toEqual([host, 200]);
    }
  });

  test('of another site loads no image, script or frame from here, but may link to here', async () => {
    const { doors, runs } = await start();
    const ask = (mode: string, dest: string, site = 'cross-site') =>
      doors['url']?.({
        method: 'GET',
        headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
      });
    expect((await ask('no-cors', 'image'))?.statusCode).toBe(403);
    expect((await ask('no-cors', 'script'))?.statusCode).toBe(403);
    expect((await ask('navigate', 'iframe'))?.statusCode).toBe(403);
    expect(runs()).toBe(0);
    expect((await ask('navigate', 'document'))?.statusCode).toBe(200);
    expect((await ask('no-cors', 'image', 'same-origin'))?.statusCode).toBe(200);
  });

  test('that is refused is refused before its body has arrived', async () => {
    const { local } = await start();
    const head = `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example`;
    const answer = await rawExchange(local, `${head}\r\ncontent-length: 1000\r\n\r\nhalf`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('a host name', () => {
  test.each([
    'evil.example',
    'evil.example:3001',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    '[fe80::1]',
  ])('%s is refused on a loopback address, through every door', async (host) => {
    const { doors, runs, problems } = await start({ cors: true });
    for (const door of doorNames) {
      const answer = await doors[door]?.({ headers: { host } });
      expect([door, answer?.statusCode, answer?.body.toString()]).toEqual([
        door,
        403,
        expect.stringContaining('allowedHosts'),
      ]);
    }
    expect(runs()).toBe(0);
    expect(problems).toHaveLength(3);
  });

  test.each(['localhost', 'LOCALHOST:80', 'localhost.', 'a.localhost:1', '127.0.0.1', '127.1.2.3:99', '[::1]:3001'])(
    '%s is accepted',
    async (host) => {
      const { doors } = await start();
      for (const door of doorNames) expect((await doors[door]?.({ headers: { host } }))?.statusCode).toBe(200);
    },
  );

  test('in allowedHosts is accepted, with any port and in any case', async () => {
    const { doors } = await start({ allowedHosts: ['Host.docker.internal'] });
    for (const host of ['host.docker.internal:3001', 'HOST.docker.internal']) {
      for (const door of doorNames) expect((await doors[door]?.({ headers: { host } }))?.statusCode).toBe(200);
    }
  });

  test('with control characters reaches the report escaped', async () => {
    const { doors, problems } = await start();
    await doors['stream']?.({ headers: { origin: 'https://evil\u009b31m.example' } });
    expect(problems[0]?.message).not.toMatch(/\p{Cc}/u);
  });
});

test.each<[string, unknown]>([
  ['a string', 'https://app.example'],
  ['a list with a path', ['https://app.example/']],
  ['a list with a star', ['*']],
  ['a list of something else', [1]],
  ['a number', 1],
])('cors given as %s is a TypeError', async (_name, cors) => {
  const starting = startLocalLambda({ functions: {}, cors: cors as boolean });
  await expect(starting).rejects.toThrow(TypeError);
  await expect(starting).rejects.toThrow(/startLocalLambda: cors must be true, false or an array of origins/);
});
