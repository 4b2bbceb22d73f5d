import { InvalidZipFileException, ResourceNotFoundException, TooManyRequestsException } from '@aws-sdk/client-lambda';
import {
  decodeText,
  FunctionError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  LineTooLongError,
  ProtocolError,
  ReplayLimitError,
  ReplayMismatchError,
  ResponseTooLargeError,
  TruncatedStreamError,
  collectResponse,
  decodeHttpResponse,
  invokeWithResponseStream,
  isLambdaStreamError,
  parseNdjson,
  retryInvocation,
  shareInvocation,
  type InvokeWithResponseStreamOptions,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { firstValueFrom, tap, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createClient, defineFunction, type BrowserFunction } from '../support/browser-lambda.js';
import type { BrowserStep } from '../support/browser-protocol.js';
import { showsHeadersAlone } from '../support/browser-platform.js';
import { outcomeOf, typesOf, type Outcome } from '../support/collect.js';
import { chunkFrame, encodeFrame } from '../support/frames.js';

async function invoke(
  steps: readonly BrowserStep[],
  options: InvokeWithResponseStreamOptions = {},
): Promise<Outcome<LambdaStreamEvent>> {
  const { name } = await defineFunction(steps);
  return outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }, options));
}

/** Opens the gate once this many events have arrived: a reset would take with it what nobody has read yet. */
function openAfter(
  count: number,
  { open }: BrowserFunction,
): (source: Observable<LambdaStreamEvent>) => Observable<LambdaStreamEvent> {
  let seen = 0;
  return tap(() => {
    if (++seen === count) void open('reset');
  });
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
      $metadata: { httpStatusCode: 429 },
    });
    expect((error as Error).cause).toBeUndefined();
    expect(isLambdaStreamError(error)).toBe(false);
  });

  it('of a function that does not exist is a ResourceNotFoundException', async () => {
    const { error } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: 'nobody' }));
    expect(error).toBeInstanceOf(ResourceNotFoundException);
  });
});

describe('exceptions within the stream', () => {
  it('are the SDK’s real classes with all their fields', async () => {
    const { values, error } = await invoke([
      { chunk: 'some' },
      {
        exception: 'TooManyRequestsException',
        body: { message: 'Rate Exceeded.', Reason: 'CallerRateLimitExceeded', retryAfterSeconds: 3 },
      },
      { chunk: 'never seen' },
    ]);
    expect(typesOf(values)).toBe('head chunk');
    expect(error).toBeInstanceOf(TooManyRequestsException);
    expect(error).toMatchObject({
      message: 'Rate Exceeded.',
      Reason: 'CallerRateLimitExceeded',
      retryAfterSeconds: '3',
      $metadata: { httpStatusCode: 200 },
    });
  });

  it('read Message as well as message', async () => {
    const { error } = await invoke([{ exception: 'InvalidZipFileException', body: { Message: 'no zip' } }]);
    expect(error).toBeInstanceOf(InvalidZipFileException);
    expect(error).toMatchObject({ message: 'no zip' });
  });

  it('of the kind error have their code for a name', async () => {
    const { error } = await invoke([{ errorFrame: { code: 'InternalFailure', message: 'it broke' } }]);
    expect(error).toMatchObject({ name: 'InternalFailure', message: 'it broke' });
  });
});

describe('FunctionError', () => {
  const errorDetails = JSON.stringify({ errorType: 'TypeError', errorMessage: 'x is not a function', trace: ['at y'] });
  const steps = [{ chunk: 'part' }, { complete: { errorCode: 'Unhandled', errorDetails, logTail: 'log' } }];

  it('comes of an InvokeComplete with an ErrorCode', async () => {
    const { values, error } = await invoke(steps);
    expect(typesOf(values)).toBe('head chunk');
    expect(error).toBeInstanceOf(FunctionError);
    expect(error).toMatchObject({
      errorMessage: 'x is not a function',
      errorType: 'TypeError',
      trace: ['at y'],
      logTail: 'log',
    });
  });

  it("is an ordinary complete event with functionErrors: 'emit'", async () => {
    const { values, completed } = await invoke(steps, { functionErrors: 'emit' });
    expect(completed).toBe(true);
    expect(values.at(-1)).toEqual({ type: 'complete', errorCode: 'Unhandled', errorDetails, logTail: 'log' });
  });
});

describe('TruncatedStreamError', () => {
  it.each<[string, readonly BrowserStep[], number, number]>([
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

  const betweenHeadersAndFirstFrame: [string, readonly BrowserStep[], number, number] = [
    'between the headers and the first frame',
    ['flush', { gate: 'reset' }, 'reset'],
    0,
    0,
  ];

  it.each<[string, readonly BrowserStep[], number, number]>([
    ...(showsHeadersAlone ? [betweenHeadersAndFirstFrame] : []),
    ['mid-stream', [{ chunk: 'abc' }, { gate: 'reset' }, 'reset'], 1, 3],
  ])('comes of a reset %s, with the browser’s error kept', async (_when, steps, chunks, bytes) => {
    const fn = await defineFunction(steps);
    const source = invokeWithResponseStream(createClient(), { FunctionName: fn.name });
    const { values, error } = await outcomeOf(source.pipe(openAfter(1 + chunks, fn)));
    expect(values).toHaveLength(1 + chunks);
    expect(error).toBeInstanceOf(TruncatedStreamError);
    expect(error).toMatchObject({ chunks, bytes });
    expect((error as Error).cause).toBeInstanceOf(TypeError);
  });
});

describe('ProtocolError', () => {
  it.each<[string, BrowserStep, RegExp]>([
    ['a wrong prelude checksum', { badCrc: 'prelude' }, /prelude checksum/],
    ['a wrong message checksum', { badCrc: 'message' }, /message checksum/],
    ['a length that cannot be', { bogusLength: 3 }, /impossible lengths/],
    ['a length over the limit', { bogusLength: 0xffff_ff00 }, /over the limit/],
    ['a frame without :message-type', { raw: encodeFrame({ ':event-type': 'PayloadChunk' }) }, /:message-type/],
    ['an event without :event-type', { raw: encodeFrame({ ':message-type': 'event' }) }, /:event-type/],
    ['an unknown :message-type', { raw: encodeFrame({ ':message-type': 'gossip' }) }, /:message-type/],
    [
      'an InvokeComplete that is no JSON',
      { raw: encodeFrame({ ':message-type': 'event', ':event-type': 'InvokeComplete' }, '{"a":') },
      /InvokeComplete carries 5 bytes that are not a JSON/,
    ],
  ])('comes of %s, and the server sees the connection close', async (_what, step, message) => {
    const { name, closedEarly } = await defineFunction([{ chunk: 'ok' }, step, 'stall']);
    const { values, error } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
    expect(typesOf(values)).toBe('head chunk');
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toMatch(message);
    expect(await closedEarly(0)).toBe(true);
  });

  it.each<string[]>([
    ['JSON', 'application/json', '{"message":"secret token"}'],
    ['HTML', 'text/html; charset=utf-8', '  <html>secret token'],
    // Where the headers come with the body's first byte, a body without one shows nothing.
    ...(showsHeadersAlone ? [['nothing', 'text/plain', '']] : []),
  ])('comes of a body of %s that is no event stream, at the headers', async (_what, contentType = '', body = '') => {
    const { name, closedEarly } = await defineFunction([
      { head: { headers: { 'content-type': contentType } } },
      { raw: body },
      'stall',
    ]);
    const { values, error } = await outcomeOf(invokeWithResponseStream(createClient(), { FunctionName: name }));
    expect(values).toEqual([]);
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain(`Content-Type "${contentType}" instead of`);
    expect((error as Error).message).not.toContain('secret');
    expect(await closedEarly(0)).toBe(true);
  });
});

describe('the operators’ own errors', () => {
  const prelude = `{"statusCode":503}${'\0'.repeat(8)}try later`;

  it.each<[string, readonly BrowserStep[], OperatorFunction<LambdaStreamEvent, unknown>, unknown]>([
    [
      'InvalidTextError',
      [{ chunk: Uint8Array.of(0xff) }, { complete: {} }],
      decodeText({ fatal: true }),
      InvalidTextError,
    ],
    ['InvalidRecordError', [{ chunk: '{"a":1}\nno json\n' }, { complete: {} }], parseNdjson(), InvalidRecordError],
    ['LineTooLongError', [{ chunk: '"too long"' }, 'stall'], parseNdjson({ maxLineBytes: 4 }), LineTooLongError],
    [
      'ResponseTooLargeError',
      [{ chunk: 'too large' }, 'stall'],
      collectResponse({ maxBytes: 4 }),
      ResponseTooLargeError,
    ],
    [
      'HttpStatusError',
      [{ chunk: prelude }, { complete: {} }],
      decodeHttpResponse({ failOnStatus: true }),
      HttpStatusError,
    ],
  ])('%s', async (_name, steps, operator, type) => {
    const { name } = await defineFunction(steps);
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const { error } = await outcomeOf(source.pipe(operator));
    expect(error).toBeInstanceOf(type);
    expect(isLambdaStreamError(error)).toBe(true);
  });

  it('ReplayMismatchError, where the function answers otherwise the second time', async () => {
    const { name, requests } = await defineFunction([{ chunk: 'one' }, 'end'], [{ chunk: 'two' }, { complete: {} }]);
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const replay = retryInvocation({ idempotent: true, afterFirstChunk: 'replay', initialDelayMs: 1 });
    const { error } = await outcomeOf(source.pipe(replay));
    expect(error).toBeInstanceOf(ReplayMismatchError);
    expect(await requests(0)).toHaveLength(2);
  });

  it('ReplayLimitError, for a consumer that comes too late', async () => {
    const { name } = await defineFunction([{ chunk: 'too much to be held' }, 'stall']);
    const source = invokeWithResponseStream(createClient(), { FunctionName: name });
    const shared = source.pipe(shareInvocation({ maxReplayBytes: 4 }));
    const early = shared.subscribe();
    await firstValueFrom(shared.pipe(decodeText()));
    const { error } = await outcomeOf(shared);
    early.unsubscribe();
    expect(error).toBeInstanceOf(ReplayLimitError);
  });
});
