import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyInvocationError } from '../../src/retry/classify-invocation-error.js';
import * as errors from '../../src/errors.js';
import { decodeFailure, encodeFailure, maxFailureBytes } from '../../src/shared/failure-codec.js';
import { serviceException } from '../../src/testing/service-exception.js';

const overTheWire = (error: unknown): unknown => decodeFailure(JSON.parse(JSON.stringify(encodeFailure(error))));

/** What an error holds of its own, its cause apart. */
const fieldsOf = (error: Error): Record<string, unknown> =>
  Object.fromEntries([...Object.entries(error), ['message', error.message]]);

const networkError = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });

const own: errors.LambdaStreamError[] = [
  new errors.FunctionError({
    functionName: 'chat',
    errorCode: 'Unhandled',
    errorDetails: '{"errorType":"Oh","errorMessage":"no","trace":["a","b"]}',
    logTail: 'REPORT',
  }),
  new errors.TruncatedStreamError({ functionName: 'chat', chunks: 2, bytes: 9, cause: networkError }),
  new errors.ProtocolError('bad checksum'),
  new errors.DetachedPayloadError(),
  new errors.InvalidTextError('not UTF-8'),
  new errors.InvalidRecordError('not JSON', { line: 3, offset: 12, text: '{' }),
  new errors.LineTooLongError({ line: 3, offset: 12, maxLineBytes: 9 }),
  new errors.HttpStatusError({ statusCode: 503, headers: { 'retry-after': '2' }, body: new Uint8Array([0, 255, 7]) }),
  new errors.ResponseTooLargeError('too large', { maxBytes: 9 }),
  new errors.ReplayLimitError({ maxReplayBytes: Infinity }),
  new errors.ReplayMismatchError('other bytes', { deliveredBytes: 9 }),
];

describe('a failure that travels', () => {
  test.each(own.map((error) => [error.name, error] as const))(
    '%s keeps its class, code, message, fields and verdict',
    (_name, error) => {
      const decoded = overTheWire(error) as errors.LambdaStreamError;
      expect(decoded).toBeInstanceOf(error.constructor);
      expect(errors.isLambdaStreamError(decoded)).toBe(true);
      expect(fieldsOf(decoded)).toEqual(fieldsOf(error));
      // A native error, as structuredClone and consoles know it.
      expect(Object.prototype.toString.call(decoded)).toBe('[object Error]');
      expect(classifyInvocationError(decoded)).toEqual(classifyInvocationError(error));
    },
  );

  test('keeps the causes that tell why a connection broke', () => {
    const { cause } = overTheWire(own[1]) as Error;
    expect(cause).toMatchObject({ name: 'Error', message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' });
  });

  test.each([
    serviceException('TooManyRequestsException', { retryAfterSeconds: 8, Reason: 'CallerRateLimitExceeded' }),
    serviceException('TooManyRequestsException', { Reason: 'ConcurrentSnapshotCreateLimitExceeded' }),
    serviceException('ServiceException'),
    serviceException('SomethingNewException', {
      $response: { headers: { 'retry-after': 'Sat, 01 Jan 2022 00:01:00 GMT', date: 'Sat, 01 Jan 2022 00:00:00 GMT' } },
      $metadata: { httpStatusCode: 504 },
    }),
    serviceException('InvalidSignatureException', { $metadata: { httpStatusCode: 403, clockSkewCorrected: true } }),
    networkError,
    new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }),
    new TypeError('Failed to fetch'),
    new DOMException('Aborted', 'AbortError'),
  ])('$name keeps its name, message, fields and verdict', (error) => {
    const decoded = overTheWire(error) as Error;
    expect(decoded).toBeInstanceOf(Error);
    expect(decoded).toMatchObject({ name: error.name, message: error.message });
    for (const field of ['$fault', '$metadata', 'Reason', 'retryAfterSeconds']) {
      expect((decoded as unknown as Record<string, unknown>)[field]).toEqual(
        (error as unknown as Record<string, unknown>)[field],
      );
    }
    expect(classifyInvocationError(decoded)).toEqual(classifyInvocationError(error));
  });

  test.each([undefined, null, 'text', 0, NaN, 12n, true])('%s, thrown as it is, comes back as it is', (value) => {
    expect(overTheWire(value)).toEqual(value);
  });

  test('leaves out fields that no list allows', () => {
    const error = Object.assign(new Error('no'), { config: { credentials: 'secret' }, Payload: 'secret' });
    expect(JSON.stringify(encodeFailure(error))).not.toContain('secret');
  });

  test('gives an error no class for its name alone', () => {
    expect(overTheWire(Object.assign(new Error('x'), { name: 'FunctionError' }))).not.toBeInstanceOf(
      errors.FunctionError,
    );
  });

  const throwing = new Proxy(new Error('never seen'), {
    get() {
      throw new Error('from the trap');
    },
  });
  test.each([
    ['an object without a prototype', Object.create(null) as unknown],
    ['a Proxy that throws', throwing],
    ['a symbol', Symbol('secret')],
    ['a function', () => undefined],
    [
      'a cause of itself',
      Object.assign(
        new Error('round'),
        {},
        (() => {
          const error: { cause?: unknown } = new Error('round');
          error.cause = error;
          return error;
        })(),
      ),
    ],
    ['texts of megabytes', Object.assign(new Error('x'.repeat(1e6)), { errorDetails: '\u{1f600}'.repeat(1e6) })],
    [
      'lists of megabytes',
      Object.assign(new Error('x'), {
        trace: Array(1e5).fill('line'),
        headers: Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`h${i}`, 'v'.repeat(99)])),
      }),
    ],
  ])('is described within the limit where it is %s', (_name, error) => {
    const encoded = encodeFailure(error);
    expect(new TextEncoder().encode(JSON.stringify(encoded)).length).toBeLessThanOrEqual(maxFailureBytes);
    expect(() => decodeFailure(encoded)).not.toThrow();
  });

  test('is decoded from any JSON without throwing, and changes no prototype', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        decodeFailure(json);
        decodeFailure(JSON.parse(`{"name":"x","__proto__":{"polluted":true},"cause":${JSON.stringify(json)}}`));
        expect('polluted' in {}).toBe(false);
      }),
    );
  });
});
