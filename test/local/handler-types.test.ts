import type {
  APIGatewayProxyHandlerV2,
  Callback,
  Context,
  Handler,
  LambdaFunctionURLHandler,
  StreamifyHandler,
} from 'aws-lambda';
import type { LocalFunction, LocalFunctionConfig, LocalLambdaOptions } from 'rx-lambda-stream/local';
import { streamifyResponse } from 'rx-lambda-stream/local';
import { expect, expectTypeOf, test } from 'vitest';
import { drive } from './drive.js';

const plain: Handler<{ n: number }, { twice: number }> = async ({ n }) => Promise.resolve({ twice: 2 * n });
const called: Handler<{ n: number }, number> = (event, _context, callback) => callback(null, event.n);
const contextual = async (event: { n: number }, context: Context): Promise<string> =>
  Promise.resolve(`${context.functionName} ${event.n} ${context.clientContext?.client.appTitle ?? 'no client'}`);
const withCallback = (event: string, _context: Context, callback: Callback<string>): void => callback(null, event);
const gateway: APIGatewayProxyHandlerV2 = async (event) => Promise.resolve({ statusCode: 200, body: event.rawPath });
const url: LambdaFunctionURLHandler = async (event) => Promise.resolve({ body: event.rawPath, statusCode: 201 });
// What a handler file gets from the global `awslambda`, as `@types/aws-lambda` declares it.
const streaming = streamifyResponse(async (event: { word: string }, stream) => {
  stream.write(event.word);
  await Promise.resolve();
  stream.end();
}) as unknown as StreamifyHandler<{ word: string }, void>;

test('handlers typed by @types/aws-lambda are accepted as they are, and run', async () => {
  const { read } = await drive({
    plain,
    called,
    contextual,
    withCallback,
    gateway,
    url,
    streaming,
    configured: { handler: streaming, timeoutMs: 1_000 },
  });
  const text = async (name: string, event: unknown): Promise<string> =>
    (await read(name, { Payload: JSON.stringify(event) })).text;
  expect(await text('plain', { n: 2 })).toBe('{"twice":4}');
  expect(await text('called', { n: 2 })).toBe('2');
  expect(await text('contextual', { n: 3 })).toBe('"contextual 3 no client"');
  expect(await text('withCallback', 'back')).toBe('"back"');
  expect(await text('gateway', { rawPath: '/a' })).toBe('{"statusCode":200,"body":"/a"}');
  expect(await text('url', { rawPath: '/a' })).toBe('{"body":"/a","statusCode":201}');
  expect(await text('streaming', { word: 'hi' })).toBe('hi');
  expect(await text('configured', { word: 'hi' })).toBe('hi');
});

test('the parameters of a handler that is written inline are inferred', () => {
  const options: LocalLambdaOptions = {
    functions: {
      fn: (_event, context, callback) => {
        expectTypeOf(context.awsRequestId).toEqualTypeOf<string>();
        callback(null, context.getRemainingTimeInMillis());
      },
    },
  };
  expect(Object.keys(options.functions)).toEqual(['fn']);
  expectTypeOf<Handler>().toExtend<LocalFunction>();
  expectTypeOf<StreamifyHandler>().toExtend<LocalFunction>();
  expectTypeOf<null>().not.toExtend<LocalFunction>();
  expectTypeOf<string>().not.toExtend<LocalFunction>();
  expectTypeOf<object>().not.toExtend<LocalFunction>();
  expectTypeOf<{ timeoutMs: number }>().not.toExtend<LocalFunctionConfig>();
});

test("the context's old ways to end end the invocation of a plain handler", async () => {
  const { read } = await drive({
    done: (_event: unknown, context) => context.done(null, 'done'),
    succeed: (_event: unknown, context) => context.succeed('succeeded'),
    fail: (_event: unknown, context) => context.fail(new RangeError('failed')),
    later: (_event: unknown, context, _callback) => setImmediate(() => context.succeed('later')),
  });
  expect((await read('done')).text).toBe('"done"');
  expect((await read('succeed')).text).toBe('"succeeded"');
  expect((await read('fail')).complete?.ErrorCode).toBe('RangeError');
  expect((await read('later')).text).toBe('"later"');
});
