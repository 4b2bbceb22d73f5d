import { scripted, type LocalLambdaOptions } from 'rx-lambda-stream/local';
import { expect, test } from 'vitest';
import { drive, post, streamPath, type RawResponse } from './drive.js';

const functions = {
  fn: () => 1,
  slow: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]),
};
const list = (header: unknown): string[] => String(header).split(/,\s*/);

async function preflight(cors: LocalLambdaOptions['cors'], origin: string): Promise<RawResponse> {
  const { local } = await drive(functions, cors === undefined ? {} : { cors });
  return post(local, {
    method: 'OPTIONS',
    path: streamPath('fn'),
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
  });
}

test('a preflight allows each header that the SDK sends, by its name', async () => {
  const { statusCode, headers } = await preflight(true, 'https://app.example');
  expect(statusCode).toBe(204);
  expect(headers['access-control-allow-origin']).toBe('https://app.example');
  expect(headers['access-control-allow-methods']).toBe('POST');
  const { local, read } = await drive(functions);
  await read('fn', { LogType: 'Tail', ClientContext: 'e30=', TenantId: 't', InvocationType: 'RequestResponse' });
  const safelisted = ['host', 'connection', 'content-length', 'accept', 'user-agent', 'expect'];
  const sent = Object.keys(local.requests[0]?.headers ?? {}).filter((name) => !safelisted.includes(name));
  expect(sent).toContain('x-amz-tenant-id');
  expect(list(headers['access-control-allow-headers'])).toEqual(expect.arrayContaining(sent));
});

test('answers expose what an SDK in a browser has to read, errors too', async () => {
  const { local } = await drive(functions, { cors: true });
  for (const name of ['fn', 'slow', 'nope']) {
    const { headers } = await post(local, { path: streamPath(name), headers: { origin: 'https://app.example' } });
    expect(list(headers['access-control-expose-headers'])).toEqual(
      expect.arrayContaining(['x-amzn-requestid', 'x-amzn-errortype', 'x-amz-executed-version', 'retry-after']),
    );
    expect(headers.vary).toBe('origin');
  }
});

test('a list of origins allows those and no other', async () => {
  const allowed = await preflight(['https://app.example'], 'https://app.example');
  expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
  const other = await preflight(['https://app.example'], 'https://evil.example');
  expect(other.statusCode).toBe(403);
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
});

test('without cors nothing is allowed', async () => {
  const { statusCode, headers } = await preflight(undefined, 'https://app.example');
  expect(statusCode).toBe(403);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

test('preflights are not among the requests', async () => {
  const { local } = await drive(functions, { cors: true });
  const origin = { origin: 'https://app.example' };
  await post(local, { method: 'OPTIONS', path: streamPath('fn'), headers: origin });
  await post(local, { path: streamPath('fn'), headers: origin });
  expect(local.requests).toHaveLength(1);
});
