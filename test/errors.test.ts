import type { AnyLambdaStreamError, LambdaStreamErrorCode } from 'rx-lambda-stream';
import * as api from 'rx-lambda-stream';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';

const {
  DetachedPayloadError,
  FunctionError,
  HttpStatusError,
  InvalidRecordError,
  InvalidTextError,
  InvocationStoppedError,
  isLambdaStreamError,
  LineTooLongError,
  LogUnavailableError,
  ProducerLostError,
  ProtocolError,
  ReplayLimitError,
  ReplayMismatchError,
  ResponseTooLargeError,
  TruncatedStreamError,
  UnknownInvocationError,
} = api;

/** One error of each class: a new class does not compile until it stands here. */
const all: { readonly [Code in LambdaStreamErrorCode]: Extract<AnyLambdaStreamError, { code: Code }> } = {
  'function-error': new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '' }),
  truncated: new TruncatedStreamError({ functionName: 'f', chunks: 1, bytes: 2 }),
  protocol: new ProtocolError('A frame is odd'),
  'detached-payload': new DetachedPayloadError(),
  'invalid-text': new InvalidTextError('no UTF-8'),
  'invalid-record': new InvalidRecordError('it is not JSON', { line: 1, offset: 0, text: '{' }),
  'line-too-long': new LineTooLongError({ line: 1, offset: 0, maxLineBytes: 9 }),
  'http-status': new HttpStatusError({ statusCode: 500, headers: {}, body: new Uint8Array(3) }),
  'response-too-large': new ResponseTooLargeError('The response is over maxBytes', { maxBytes: 1 }),
  'replay-limit': new ReplayLimitError({ maxReplayBytes: 1 }),
  'replay-mismatch': new ReplayMismatchError('it ended early', { deliveredBytes: 1 }),
  'producer-lost': new ProducerLostError({ key: 'k', reason: 'lease', position: '7-12' }),
  'unknown-invocation': new UnknownInvocationError({ key: 'k' }),
  stopped: new InvocationStoppedError({ key: 'k' }),
  'log-unavailable': new LogUnavailableError('it did not answer for 30 s', { key: 'k' }),
};

describe('isLambdaStreamError', () => {
  it.each(Object.entries(all))('recognises %s, whose class has the name and the code that it says', (code, error) => {
    expect(isLambdaStreamError(error)).toBe(true);
    expect(error.code).toBe(code);
    expect(error).toBeInstanceOf(api.LambdaStreamError);
    expect((api as Readonly<Record<string, unknown>>)[error.name]).toBe(error.constructor);
  });

  it('knows every class that the package exports', () => {
    const exported = Object.keys(api).filter((name) => name.endsWith('Error') && name !== 'LambdaStreamError');
    const classes = exported.filter((name) => /^[A-Z]/.test(name));
    expect(
      Object.values(all)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(classes.sort());
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'FunctionError'],
    ['an error of the platform', new TypeError('no')],
    [
      'an error with the same name and code',
      Object.assign(new Error('x'), { name: 'ProtocolError', code: 'protocol' }),
    ],
  ])('is false for %s', (_what, value) => {
    expect(isLambdaStreamError(value)).toBe(false);
  });

  it('recognises the errors of another copy of the package, which instanceof does not', async () => {
    vi.resetModules();
    const other = await import('rx-lambda-stream');
    const error: unknown = new other.ProtocolError('x');
    expect([error instanceof ProtocolError, isLambdaStreamError(error)]).toEqual([false, true]);
    expect(other.isLambdaStreamError(all.protocol)).toBe(true);
  });

  it('narrows by code', () => {
    const error: unknown = all.truncated;
    if (!isLambdaStreamError(error) || error.code !== 'truncated') throw new Error('not recognised');
    expectTypeOf(error).toEqualTypeOf<api.TruncatedStreamError>();
    expect(error.bytes).toBe(2);
    expectTypeOf<LambdaStreamErrorCode>().toEqualTypeOf<AnyLambdaStreamError['code']>();
    expectTypeOf<Parameters<typeof JSON.stringify>[0]>().not.toEqualTypeOf<AnyLambdaStreamError>();
  });

  it('adds no field to an error', () => {
    expect(Object.keys(all.protocol).sort()).toEqual(['code', 'name']);
    expect(JSON.parse(JSON.stringify(all.truncated))).toEqual({
      name: 'TruncatedStreamError',
      code: 'truncated',
      functionName: 'f',
      chunks: 1,
      bytes: 2,
    });
  });
});

describe('the function and the request', () => {
  const origin = { functionName: 'chat', requestId: 'r-1' };

  it('are fields of the errors that know them, and stand in the message', () => {
    const errors = [
      new FunctionError({ ...origin, errorCode: 'Unhandled', errorDetails: 'it died' }),
      new TruncatedStreamError({ ...origin, chunks: 1, bytes: 2 }),
      new ProtocolError('A frame is odd', origin),
    ];
    for (const error of errors) expect(error).toMatchObject(origin);
    expect(errors.map(({ message }) => message)).toEqual([
      'Function "chat" failed with Unhandled (it died) (request r-1)',
      'The response stream of function "chat" ended without InvokeComplete, after 1 chunks (2 bytes) (request r-1): ' +
        'the response is not complete. The function may have run, so that a retry needs idempotent: true',
      'A frame is odd (function "chat") (request r-1)',
    ]);
  });

  it('are absent where they are not known', () => {
    const errors = [
      new FunctionError({ errorCode: 'Unhandled', errorDetails: '' }),
      new TruncatedStreamError({ chunks: 1, bytes: 2, cause: new Error('reset') }),
      new ProtocolError('A frame is odd'),
    ];
    for (const error of errors) {
      expect(error).not.toHaveProperty('functionName');
      expect(error).not.toHaveProperty('requestId');
    }
    expect(errors.map(({ message }) => message)).toEqual([
      'The function failed with Unhandled',
      'The body of the HTTP response broke before its end, after 1 chunks (2 bytes): ' +
        'the response is not complete. The function may have run, so that a retry needs idempotent: true',
      'A frame is odd',
    ]);
  });
});

describe('the errors of a log', () => {
  it('say which invocation, where, and what happened', () => {
    expect(all['producer-lost']).toMatchObject({ key: 'k', reason: 'lease', position: '7-12' });
    expect(all['producer-lost'].message).toBe(
      'The invocation "k" at 7-12 was lost: the process that read the response no longer renews its lease. ' +
        'The response is not complete, and the function may have run',
    );
    expect(new ProducerLostError({ key: 'k', reason: 'log' }).message).toContain('the log has lost entries');
    expect(new ProducerLostError({ key: 'k', reason: 'closed' }).message).toContain('was closed');
    expect(all['unknown-invocation'].message).toContain('knows no invocation "k"');
    expect(all.stopped.message).toContain('"k" was stopped');
    expect(all['log-unavailable'].message).toBe(
      'The invocation log is not available for "k": it did not answer for 30 s',
    );
  });

  it('quote a key that a stranger chose on one line, cut', () => {
    const { message, key } = new UnknownInvocationError({ key: `a\u001b[31m\n${'x'.repeat(1_000)}` });
    expect(message).toContain('"a\\u001b[31m\\n');
    expect(message.length).toBeLessThan(400);
    expect(key).toHaveLength(1_007);
  });

  it('keep the cause', () => {
    const cause = new Error('OOM');
    expect(new LogUnavailableError('it refused', { cause }).cause).toBe(cause);
    expect(new ProducerLostError({ key: 'k', reason: 'log', cause }).cause).toBe(cause);
  });
});
