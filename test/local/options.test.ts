import { InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda';
import { startLocalLambda, type LocalLambdaOptions } from 'rx-lambda-stream/local';
import { describe, expect, test } from 'vitest';
import { drive } from './drive.js';

const start = (options: unknown): Promise<unknown> => startLocalLambda(options as LocalLambdaOptions);
const handler = (): number => 1;

test.each<[unknown, string]>([
  [null, 'functions.a must be'],
  ['x', 'functions.a must be'],
  [{}, 'functions.a must be'],
  [[], 'functions.a must be'],
  [1, 'functions.a must be'],
  [{ handler: null }, 'functions.a.handler must be'],
  [{ handler: {} }, 'functions.a.handler must be'],
  [{ handler, environment: { A: 1 } }, 'functions.a.environment must be'],
  [{ handler, aliases: ['a'] }, 'functions.a.aliases must be'],
  [{ handler, versions: [1] }, 'functions.a.versions must be'],
  [{ handler, tenantId: '' }, 'functions.a.tenantId must be a tenant ID'],
  [{ handler, memoryMb: '128' }, 'functions.a.memoryMb must be'],
])('the function %j is a TypeError at the start, with its name', async (fn, message) => {
  await expect(start({ functions: { a: fn } })).rejects.toThrow(TypeError);
  await expect(start({ functions: { a: fn } })).rejects.toThrow(`startLocalLambda: ${message}`);
});

test.each([NaN, 0, -1, 2 ** 31])('the time-out %s is a RangeError', async (timeoutMs) => {
  await expect(start({ functions: { a: { handler, timeoutMs } } })).rejects.toThrow(RangeError);
  await expect(start({ functions: { a: { handler, timeoutMs } } })).rejects.toThrow('functions.a.timeoutMs must be');
});

test.each([
  ['port', -1],
  ['port', 65_536],
  ['port', 1.5],
  ['maxRequestBytes', -1],
  ['maxResponseBytes', NaN],
  ['requestTimeoutMs', 0],
  ['requestTimeoutMs', 2 ** 31],
])('%s of %s is a RangeError', async (name, value) => {
  await expect(start({ functions: {}, [name]: value })).rejects.toThrow(RangeError);
  await expect(start({ functions: {}, [name]: value })).rejects.toThrow(`startLocalLambda: ${name} must be`);
});

test.each<[string, unknown]>([
  ['host', 1],
  ['port', '3001'],
  ['functionUrls', 'yes'],
  ['allowedHosts', 'localhost'],
  ['allowedHosts', ['localhost:3001']],
  ['errorReporting', 'loud'],
  ['dryRun', true],
  ['bandwidth', 'fast'],
  ['bandwidth', { freeBytes: 1 }],
  ['keepRequests', 'no'],
  ['onInvocation', {}],
  ['onProblem', 'log'],
])('%s of %j is a TypeError', async (name, value) => {
  await expect(start({ functions: {}, [name]: value })).rejects.toThrow(TypeError);
  await expect(start({ functions: {}, [name]: value })).rejects.toThrow(`startLocalLambda: ${name} must be`);
});

test.each([undefined, null, [], 'x', { functions: undefined }, { functions: null }, { functions: [] }])(
  'options of %j are a TypeError',
  async (options) => {
    await expect(start(options)).rejects.toThrow(TypeError);
  },
);

describe('Infinity is no limit', () => {
  test('for a time-out, and the handler is told so', async () => {
    const { read } = await drive({
      fn: {
        handler: (_event: unknown, context) => String(context.getRemainingTimeInMillis()),
        timeoutMs: Infinity,
        reservedConcurrency: Infinity,
      },
    });
    expect((await read('fn')).text).toBe('"Infinity"');
  });

  test('for the endpoint', async () => {
    const { read } = await drive(
      { fn: (event: string) => event.length },
      { maxRequestBytes: Infinity, maxResponseBytes: Infinity, requestTimeoutMs: Infinity },
    );
    expect((await read('fn', { Payload: JSON.stringify('x'.repeat(7_000_000)) })).text).toBe('7000000');
  });
});

test('a concurrency of 0 lets no invocation in, as on AWS', async () => {
  const { read } = await drive({ fn: { handler, reservedConcurrency: 0 } }, {}, { maxAttempts: 1 });
  await expect(read('fn')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
});

test('a value added later that is not a function is a ServiceException that names it', async () => {
  const functions: Record<string, typeof handler> = {};
  const { read } = await drive(functions, {}, { maxAttempts: 1 });
  functions['late'] = null as never;
  await expect(read('late')).rejects.toMatchObject({
    name: 'ServiceException',
    message: expect.stringContaining('functions.late must be') as string,
  });
});

test('a 404 lists the functions that there are', async () => {
  const { read } = await drive({ chat: handler, orders: handler });
  await expect(read('chatt')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: expect.stringMatching(/function:chatt .*it has chat, orders$/) as string,
  });
  const many = await drive(Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`fn${n}`, handler])));
  await expect(many.read('nope')).rejects.toThrow(/fn19, and 5 more$/);
  await expect((await drive({})).read('nope')).rejects.toThrow(/it has none$/);
});

test('names that are asked for and unknown leave nothing behind: each request is the first', async () => {
  const { local, client } = await drive({ fn: handler });
  const ask = (FunctionName: string) =>
    client
      .send(new InvokeWithResponseStreamCommand({ FunctionName }))
      .then((output) => output.EventStream !== undefined)
      .catch((error: unknown) => (error as Error).name);
  for (let n = 0; n < 3; n++) expect(await ask('nope')).toBe('ResourceNotFoundException');
  await ask('fn');
  await ask('fn');
  expect(local.requests.map(({ functionName, attempt }) => [functionName, attempt])).toEqual([
    ['nope', 1],
    ['nope', 1],
    ['nope', 1],
    ['fn', 1],
    ['fn', 2],
  ]);
});
