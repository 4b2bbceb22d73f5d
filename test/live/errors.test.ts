import {
  InvalidZipFileException,
  LambdaServiceException,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import {
  FunctionError,
  invokeWithResponseStream,
  isLambdaStreamError,
  ProtocolError,
  TruncatedStreamError,
} from 'rx-lambda-stream';
import { scripted, type ScriptStep } from 'rx-lambda-stream/local';
import { describe, expect, it } from 'vitest';
import { outcomeOf, textOf, typesOf } from '../support/collect.js';
import { chunkFrame, completeFrame, concat, encodeFrame } from '../support/frames.js';
import { httpHandlers, startLive } from '../support/live.js';

describe.each(httpHandlers)('with %s', (_name, requestHandler) => {
  async function invoke(steps: readonly ScriptStep[], options = {}, FunctionName = 'f') {
    const { client } = await startLive({ f: scripted(steps) }, { requestHandler: requestHandler() });
    return outcomeOf(invokeWithResponseStream(client, { FunctionName }, options));
  }

  describe('HTTP errors', () => {
    it('are the SDK’s own exception objects', async () => {
      const { values, error } = await invoke([
        {
          httpError: {
            statusCode: 429,
            name: 'TooManyRequestsException',
            message: 'Rate exceeded',
            headers: { 'retry-after': '8' },
            body: { Reason: 'CallerRateLimitExceeded' },
          },
        },
      ]);
      expect(values).toEqual([]);
      expect(error).toBeInstanceOf(TooManyRequestsException);
      expect(error).toMatchObject({
        name: 'TooManyRequestsException',
        message: 'Rate exceeded',
        Reason: 'CallerRateLimitExceeded',
        retryAfterSeconds: '8',
        $fault: 'client',
        $metadata: { httpStatusCode: 429 },
      });
      expect(isLambdaStreamError(error)).toBe(false);
    });

    it('of a function that does not exist is a ResourceNotFoundException', async () => {
      expect((await invoke([], {}, 'nobody')).error).toBeInstanceOf(ResourceNotFoundException);
    });

    it('of a refused connection passes through', async () => {
      const { local, client } = await startLive({ f: scripted([]) }, { requestHandler: requestHandler() });
      await local.close();
      const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
      expect(error).toBeInstanceOf(Error);
      expect(isLambdaStreamError(error)).toBe(false);
    });
  });

  describe('exceptions within the stream', () => {
    it('are the SDK’s real classes with all their fields', async () => {
      const { values, error } = await invoke([
        { chunk: 'some' },
        {
          exception: 'TooManyRequestsException',
          body: {
            Type: 'User',
            message: 'Rate Exceeded.',
            Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
            retryAfterSeconds: 3,
          },
        },
        { chunk: 'never seen' },
      ]);
      expect(typesOf(values)).toBe('head chunk');
      expect(error).toBeInstanceOf(TooManyRequestsException);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({
        name: 'TooManyRequestsException',
        message: 'Rate Exceeded.',
        Type: 'User',
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
        // A number in the frame, the SDK's own string here.
        retryAfterSeconds: '3',
        $fault: 'client',
        $metadata: { httpStatusCode: 200 },
      });
      const [head] = values;
      expect((error as TooManyRequestsException).$metadata.requestId).toBe(head?.type === 'head' && head.requestId);
    });

    it('read Message as well as message', async () => {
      const { error } = await invoke([{ exception: 'InvalidZipFileException', body: { Message: 'no zip' } }]);
      expect(error).toBeInstanceOf(InvalidZipFileException);
      expect(error).toMatchObject({ $fault: 'server', message: 'no zip' });
    });

    it('without a body still have their class', async () => {
      const { error } = await invoke([
        { raw: encodeFrame({ ':message-type': 'exception', ':exception-type': 'InvalidZipFileException' }) },
      ]);
      expect(error).toBeInstanceOf(InvalidZipFileException);
    });

    it('that the SDK does not know are a LambdaServiceException with their name and message', async () => {
      const { error } = await invoke([{ exception: 'BrandNewException', body: { message: 'brand new' } }]);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({ name: 'BrandNewException', message: 'brand new' });
    });

    it('of the kind error are a LambdaServiceException with code and message', async () => {
      const { error } = await invoke([
        { chunk: 'x' },
        { errorFrame: { code: 'InternalFailure', message: 'it broke' } },
      ]);
      expect(error).toBeInstanceOf(LambdaServiceException);
      expect(error).toMatchObject({ name: 'InternalFailure', message: 'it broke' });
    });
  });

  it.each<[string, readonly ScriptStep[]]>([
    ['function-error', [{ complete: { errorCode: 'Unhandled' } }]],
    ['truncated', [{ chunk: 'a' }, 'end']],
    ['protocol', [{ raw: new Uint8Array(64) }]],
    ['protocol', [{ raw: encodeFrame({ ':message-type': 'odd' }) }]],
  ])('%s says which function failed, and in which request', async (code, steps) => {
    const { values, error } = await invoke(steps);
    const [head] = values;
    if (head?.type !== 'head') throw new Error('no head');
    expect(head.requestId).toMatch(/.{10}/);
    expect(error).toMatchObject({ code, functionName: 'f', requestId: head.requestId });
    expect((error as Error).message).toContain('function "f"'.slice(1));
    expect((error as Error).message).toContain(`(request ${String(head.requestId)})`);
  });

  describe('FunctionError', () => {
    const details = { errorType: 'TypeError', errorMessage: 'x is not a function', trace: ['TypeError: x', 'at y'] };

    it('comes of an InvokeComplete with an ErrorCode, its details parsed', async () => {
      const errorDetails = JSON.stringify(details);
      const { values, error } = await invoke([
        { chunk: 'part' },
        { complete: { errorCode: 'Unhandled', errorDetails, logTail: 'log' } },
      ]);
      expect(typesOf(values)).toBe('head chunk');
      expect(error).toBeInstanceOf(FunctionError);
      expect(error).toMatchObject({
        ...details,
        code: 'function-error',
        errorCode: 'Unhandled',
        errorDetails,
        logTail: 'log',
      });
      expect((error as Error).message).toContain('Function "f" failed with Unhandled (TypeError: x is not a function)');
    });

    it.each([
      ['plain text', 'it just died'],
      ['nothing', ''],
      ['JSON that is no object', '42'],
    ])('keeps the raw text where ErrorDetails is %s', async (_what, errorDetails) => {
      const { error } = await invoke([{ complete: { errorCode: 'Runtime.ExitError', errorDetails } }]);
      expect(error).toMatchObject({ errorCode: 'Runtime.ExitError', errorDetails });
      expect((error as FunctionError).errorType).toBeUndefined();
      expect((error as FunctionError).trace).toBeUndefined();
    });

    it('reads stackTrace, as Python names it', async () => {
      const errorDetails = JSON.stringify({ errorType: 'KeyError', errorMessage: 'a', stackTrace: ['line 1'] });
      const { error } = await invoke([{ complete: { errorCode: 'Unhandled', errorDetails } }]);
      expect((error as FunctionError).trace).toEqual(['line 1']);
    });

    it('is one whatever its members are, and whatever frames a trace has', async () => {
      const completes = (payload: string): ScriptStep => ({
        raw: encodeFrame({ ':message-type': 'event', ':event-type': 'InvokeComplete' }, payload),
      });
      const nulls = await invoke([completes('{"ErrorCode":"X","ErrorDetails":null,"LogResult":null}')]);
      expect(nulls.error).toMatchObject({ errorCode: 'X', errorDetails: '' });
      expect((nulls.error as Error).message).toMatch(/^Function "f" failed with X \(request /);
      expect(nulls.error).not.toHaveProperty('logTail');
      const ErrorDetails = '{"trace":["at x",{"toString":1},7]}';
      const odd = await invoke([completes(JSON.stringify({ ErrorCode: 'X', ErrorDetails }))]);
      expect(odd.error).toBeInstanceOf(FunctionError);
      expect((odd.error as FunctionError).trace).toEqual(['at x', '{"toString":1}', '7']);
      const { values, completed } = await invoke([completes('{"ErrorCode":null,"ErrorDetails":null,"LogResult":7}')]);
      expect([values.at(-1), completed]).toEqual([{ type: 'complete' }, true]);
    });

    it("is an ordinary complete event with functionErrors: 'emit'", async () => {
      const { values, completed } = await invoke(
        [{ chunk: 'part' }, { complete: { errorCode: 'Unhandled', errorDetails: 'why', logTail: 'log' } }],
        { functionErrors: 'emit' },
      );
      expect(completed).toBe(true);
      expect(values.at(-1)).toEqual({ type: 'complete', errorCode: 'Unhandled', errorDetails: 'why', logTail: 'log' });
    });
  });

  describe('TruncatedStreamError', () => {
    it.each<[string, readonly ScriptStep[], number, number]>([
      ['a clean end without InvokeComplete', [{ chunk: 'abc' }, { chunk: 'de' }, 'end'], 2, 5],
      ['an empty 200', ['flush', 'end'], 0, 0],
      ['a cut inside the four bytes of a length', [{ chunk: 'abc' }, { raw: Uint8Array.of(0, 0) }, 'end'], 1, 3],
      ['a cut inside a frame', [{ chunk: 'abc' }, { raw: chunkFrame('cut').subarray(0, 60) }, 'end'], 1, 3],
    ])('comes of %s', async (_what, steps, chunks, bytes) => {
      const { error } = await invoke(steps);
      expect(error).toBeInstanceOf(TruncatedStreamError);
      expect(error).toMatchObject({ code: 'truncated', chunks, bytes });
      expect((error as Error).cause).toBeUndefined();
    });

    it('comes of a reset mid-stream, with the cause kept', async () => {
      const { values, error } = await invoke(['flush', { chunk: 'abc' }, { waitMs: 20 }, 'reset']);
      expect(typesOf(values)).toBe('head chunk');
      expect(error).toMatchObject({ code: 'truncated', chunks: 1, bytes: 3 });
      expect((error as Error).cause).toBeInstanceOf(Error);
    });

    it('comes of a reset between the headers and the first frame, after the head', async () => {
      const { values, error } = await invoke(['flush', { waitMs: 20 }, 'reset']);
      expect(typesOf(values)).toBe('head');
      expect(error).toMatchObject({ code: 'truncated', chunks: 0, bytes: 0 });
    });
  });

  describe('ProtocolError', () => {
    it.each<[string, readonly ScriptStep[], RegExp]>([
      ['a wrong prelude checksum', [{ chunk: 'ok' }, { badCrc: 'prelude' }], /prelude checksum/],
      ['a wrong message checksum', [{ chunk: 'ok' }, { badCrc: 'message' }], /message checksum/],
      ['a length that cannot be', [{ chunk: 'ok' }, { bogusLength: 3 }], /impossible lengths/],
      ['a length over the limit', [{ chunk: 'ok' }, { bogusLength: 0xffff_ff00 }], /over the limit/],
      [
        'a frame without :message-type',
        [{ chunk: 'ok' }, { raw: encodeFrame({ ':event-type': 'PayloadChunk' }) }],
        /:message-type/,
      ],
      [
        'an event without :event-type',
        [{ chunk: 'ok' }, { raw: encodeFrame({ ':message-type': 'event' }) }],
        /:event-type/,
      ],
      [
        'an unknown :message-type',
        [{ chunk: 'ok' }, { raw: encodeFrame({ ':message-type': 'gossip' }) }],
        /:message-type/,
      ],
      [
        'an InvokeComplete that is no JSON',
        [{ chunk: 'ok' }, { raw: encodeFrame({ ':message-type': 'event', ':event-type': 'InvokeComplete' }, '{"a":') }],
        /InvokeComplete carries 5 bytes that are not a JSON/,
      ],
    ])('comes of %s, and the connection is closed', async (_what, steps, message) => {
      const { local, client } = await startLive(
        { f: scripted([...steps, 'stall']) },
        { requestHandler: requestHandler() },
      );
      const { values, error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
      expect(typesOf(values)).toBe('head chunk');
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as Error).message).toMatch(message);
      expect(await local.requests[0]?.closedEarly).toBe(true);
    });

    it.each([
      ['JSON', 'application/json', '{"message":"secret token"}'],
      ['HTML', 'text/html; charset=utf-8', '  <html>secret token'],
      ['bytes', 'application/octet-stream', Uint8Array.of(0, 1, 2, 3)],
      ['nothing', 'text/plain', ''],
    ])('comes of a body of %s that is no event stream, at the headers', async (_what, contentType, body) => {
      const { local, client } = await startLive(
        { f: scripted([{ head: { headers: { 'content-type': contentType } } }, { raw: body }, 'stall']) },
        { requestHandler: requestHandler() },
      );
      const { values, error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f' }));
      expect(values).toEqual([]);
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as Error).message).toContain(
        `HTTP 200 with Content-Type "${contentType}" instead of application/vnd.amazon.eventstream: ` +
          `the endpoint may not support InvokeWithResponseStream (local emulators usually do not)`,
      );
      expect((error as Error).message).toMatch(/ \(function "f"\) \(request [^)]+\)$/);
      expect(await local.requests[0]?.closedEarly).toBe(true);
    });
  });
});

const recorded = concat(
  chunkFrame('first'),
  chunkFrame('€ second'),
  encodeFrame({ ':message-type': 'event', ':event-type': 'Progress' }, 'new'),
  chunkFrame(''),
  completeFrame({ LogResult: 'bG9n' }),
);

it('a cut at every byte offset of a recorded stream is a TruncatedStreamError with what was delivered', async () => {
  const { client } = await startLive({
    cut: scripted(({ payload }) => [
      { raw: recorded.slice(0, (JSON.parse(new TextDecoder().decode(payload)) as { at: number }).at) },
      'end',
    ]),
  });
  const lengths = [chunkFrame('first'), chunkFrame('€ second')].map(({ length }) => length);
  for (let at = 0; at < recorded.length; at++) {
    const { values, error, completed } = await outcomeOf(
      invokeWithResponseStream(client, { FunctionName: 'cut', Payload: { at } }),
    );
    const expected = at < lengths[0]! ? '' : at < lengths[0]! + lengths[1]! ? 'first' : 'first€ second';
    expect([at, completed, (error as TruncatedStreamError).code]).toEqual([at, false, 'truncated']);
    expect([at, textOf(values)]).toEqual([at, expected]);
    expect((error as TruncatedStreamError).bytes).toBe(new TextEncoder().encode(expected).length);
  }
  const { values, completed } = await outcomeOf(
    invokeWithResponseStream(client, { FunctionName: 'cut', Payload: { at: recorded.length } }),
  );
  expect([typesOf(values), completed]).toEqual(['head chunk chunk unknown chunk complete', true]);
});

it('no message holds the payload or the credentials', async () => {
  const { client } = await startLive(
    {
      f: scripted([{ chunk: 'the payload' }, { raw: 'PAYLOAD that is no frame' }]),
    },
    { credentials: { accessKeyId: 'AKIDSECRET', secretAccessKey: 'SECRETKEY', sessionToken: 'SESSION' } },
  );
  const { error } = await outcomeOf(invokeWithResponseStream(client, { FunctionName: 'f', Payload: 'INPUT' }));
  expect(error).toBeInstanceOf(ProtocolError);
  const { message, stack } = error as Error;
  for (const secret of ['PAYLOAD', 'INPUT', 'AKIDSECRET', 'SECRETKEY', 'SESSION']) {
    expect(`${message}${stack ?? ''}`).not.toContain(secret);
  }
});
