import {
  FunctionError,
  InvalidRecordError,
  InvalidTextError,
  ProtocolError,
  ReplayMismatchError,
  TruncatedStreamError,
  LineTooLongError,
  HttpStatusError,
} from '../../src/errors.js';
import { NEVER, TimeoutError, firstValueFrom, timeout } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { classifyInvocationError, type InvocationErrorClass } from '../../src/retry/classify-invocation-error.js';
import { exceptionTable } from '../../src/retry/exception-table.js';
import { serviceException } from '../../src/testing/index.js';

const soon = { verdict: 'soon', mayHaveRun: false };
const later = { verdict: 'later', mayHaveRun: false };
const never = { verdict: 'never', mayHaveRun: false };
const ambiguous = { verdict: 'soon', mayHaveRun: true };
const unknown = { verdict: 'never', mayHaveRun: true };

/** An error as Node makes them. */
function systemError(code: string, message = `${code} in a test`, fields: object = {}): Error {
  return Object.assign(new Error(message), { code, ...fields });
}

describe('classifyInvocationError', () => {
  it.each([
    [[429, 503], soon],
    [[408, 425, 500, 502, 504], ambiguous],
    [[300, 400, 401, 403, 404, 409, 413, 418, 501, 505, 599], unknown],
  ])('takes HTTP responses of status %o for what HTTP says of them', (statuses, expected) => {
    for (const statusCode of statuses) {
      const error = new HttpStatusError({ statusCode, headers: {}, body: new Uint8Array() });
      expect([statusCode, classifyInvocationError(error)]).toEqual([statusCode, expected]);
    }
  });

  it('reads Retry-After from the headers of an HttpStatusError, seconds and dates', () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    const of = (headers: Record<string, string>): unknown =>
      classifyInvocationError(new HttpStatusError({ statusCode: 503, headers, body: new Uint8Array() }));
    expect(of({ 'retry-after': '7' })).toEqual({ ...soon, retryAfterMs: 7_000 });
    expect(of({ date, 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' })).toEqual({ ...soon, retryAfterMs: 60_000 });
    // Another error's headers are its own affair.
    expect(classifyInvocationError(Object.assign(new Error('x'), { headers: { 'retry-after': '7' } }))).toEqual(
      unknown,
    );
  });

  // Written out, not derived: what users of each exception can rely on.
  const verdicts: Record<keyof typeof exceptionTable, InvocationErrorClass['verdict']> = {
    TooManyRequestsException: 'soon',
    ServiceException: 'soon',
    EC2ThrottledException: 'soon',
    EC2UnexpectedException: 'soon',
    EFSMountTimeoutException: 'soon',
    S3FilesMountTimeoutException: 'soon',
    SnapStartTimeoutException: 'soon',
    EFSMountConnectivityException: 'later',
    S3FilesMountConnectivityException: 'later',
    ResourceNotReadyException: 'later',
    ResourceConflictException: 'later',
    SnapStartNotReadyException: 'later',
    SnapStartRegenerationFailureException: 'later',
    CodeArtifactUserPendingException: 'later',
    CodeArtifactUserDeletedException: 'later',
    ENILimitReachedException: 'later',
    SubnetIPAddressLimitReachedException: 'later',
    EFSIOException: 'later',
    CodeArtifactUserFailedException: 'never',
    ServiceQuotaExceededException: 'never',
    SnapStartException: 'never',
    RecursiveInvocationException: 'never',
    InvalidParameterValueException: 'never',
    InvalidRequestContentException: 'never',
    NoPublishedVersionException: 'never',
    EFSMountFailureException: 'never',
    S3FilesMountFailureException: 'never',
    ResourceNotFoundException: 'never',
    RequestTooLargeException: 'never',
    SerializedRequestEntityTooLargeException: 'never',
    UnsupportedMediaTypeException: 'never',
    EC2AccessDeniedException: 'never',
    InvalidRuntimeException: 'never',
    InvalidSecurityGroupIDException: 'never',
    InvalidSubnetIDException: 'never',
    InvalidZipFileException: 'never',
    KMSAccessDeniedException: 'never',
    KMSDisabledException: 'never',
    KMSInvalidStateException: 'never',
    KMSNotFoundException: 'never',
  };

  it.each(Object.entries(verdicts))('says of %s: %s', (name, verdict) => {
    const mayHaveRun = name === 'EFSIOException';
    expect(classifyInvocationError(serviceException(name))).toEqual({ verdict, mayHaveRun });
  });

  it.each(Object.keys(verdicts))('says the same of %s within the stream, in either form the SDK gives it', (name) => {
    const overHttp = classifyInvocationError(serviceException(name));
    const withStatus200 = serviceException(name, { $metadata: { httpStatusCode: 200 } });
    expect(classifyInvocationError(withStatus200)).toEqual(overHttp);
    const plain = Object.assign(new Error('{"message":"raw JSON"}'), { name });
    expect(classifyInvocationError(plain)).toEqual(overHttp);
  });

  it.each([
    ['ConcurrentInvocationLimitExceeded', soon],
    ['ReservedFunctionConcurrentInvocationLimitExceeded', soon],
    ['FunctionInvocationRateLimitExceeded', soon],
    ['ReservedFunctionInvocationRateLimitExceeded', soon],
    ['CallerRateLimitExceeded', soon],
    ['ConcurrentSnapshotCreateLimitExceeded', later],
    ['SomeReasonOfTomorrow', soon],
  ])('counts the Reason of a TooManyRequestsException: %s', (Reason, expected) => {
    expect(classifyInvocationError(serviceException('TooManyRequestsException', { Reason }))).toEqual(expected);
  });

  it.each([
    ['ThrottlingException', 400, soon],
    ['Throttling', 400, soon],
    ['ThrottledException', 400, soon],
    ['RequestThrottled', 400, soon],
    ['RequestThrottledException', 400, soon],
    ['RequestLimitExceeded', 503, soon],
    ['LimitExceededException', 400, soon],
    ['SlowDown', 503, soon],
    ['Unknown', 429, soon],
    ['InternalFailure', 500, soon],
    ['InternalServerError', 500, soon],
    ['ServiceUnavailable', 503, soon],
    ['ServiceUnavailableException', 503, soon],
    ['Unknown', 500, soon],
    ['Unknown', 503, soon],
    ['Unknown', 502, ambiguous],
    ['Unknown', 504, ambiguous],
    ['ExpiredTokenException', 403, never],
    ['ExpiredToken', 400, never],
    ['UnrecognizedClientException', 403, never],
    ['AccessDeniedException', 403, never],
    ['InvalidSignatureException', 403, never],
    ['Unknown', 404, never],
    ['Unknown', 400, never],
    ['PolicyLengthExceededException', 400, never],
    ['CodeStorageExceededException', 400, never],
  ])('of a service error outside of the model, %s with HTTP %i', (name, httpStatusCode, expected) => {
    expect(classifyInvocationError(serviceException(name, { $metadata: { httpStatusCode } }))).toEqual(expected);
  });

  it('knows throttles and failures of the service by name where they come within the stream', () => {
    for (const name of ['ThrottlingException', 'InternalFailure', 'ServiceUnavailable']) {
      const exception = serviceException(name, { $metadata: { httpStatusCode: 200 } });
      expect(classifyInvocationError(exception)).toEqual(soon);
    }
  });

  it('goes at once where the SDK has corrected its clock, and not at all where it has not', () => {
    for (const name of ['InvalidSignatureException', 'RequestExpired', 'RequestTimeTooSkewed']) {
      const $metadata = { httpStatusCode: 403, clockSkewCorrected: true };
      expect(classifyInvocationError(serviceException(name, { $metadata }))).toEqual({ ...soon, retryAfterMs: 0 });
      expect(classifyInvocationError(serviceException(name, { $metadata: { httpStatusCode: 403 } }))).toEqual(never);
    }
  });

  it('goes by the exception where the SDK corrected its clock along the way', () => {
    const skewed = { $metadata: { clockSkewCorrected: true } };
    expect(classifyInvocationError(serviceException('ResourceNotFoundException', skewed))).toEqual(never);
    expect(
      classifyInvocationError(serviceException('TooManyRequestsException', { ...skewed, retryAfterSeconds: 8 })),
    ).toEqual({ ...soon, retryAfterMs: 8_000 });
  });

  it.each([
    systemError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9', { syscall: 'connect' }),
    systemError('ENOTFOUND', 'getaddrinfo ENOTFOUND lambda.nowhere', { syscall: 'getaddrinfo' }),
    systemError('EAI_AGAIN', 'getaddrinfo EAI_AGAIN lambda.nowhere'),
    systemError('EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.1:443'),
    systemError('ENETUNREACH', 'connect ENETUNREACH 10.0.0.1:443'),
    systemError('ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.1:443', { syscall: 'connect' }),
    systemError('ECONNRESET', 'Client network socket disconnected before secure TLS connection was established'),
    systemError('EPROTO', 'write EPROTO 80:error:1408F10B:SSL routines'),
    systemError('CERT_HAS_EXPIRED', 'certificate has expired'),
    systemError('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'),
    systemError('ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"),
    systemError('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'),
    systemError('ERR_SSL_WRONG_VERSION_NUMBER', 'write EPROTO'),
    Object.assign(
      new Error(
        '@smithy/node-http-handler - the request socket did not establish a connection with the server ' +
          'within the configured timeout of 1 ms.',
      ),
      { name: 'TimeoutError' },
    ),
    new TypeError('fetch failed', { cause: systemError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9') }),
    new TypeError('fetch failed', { cause: systemError('UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error') }),
    new TypeError('fetch failed', { cause: systemError('ENOTFOUND', 'getaddrinfo ENOTFOUND lambda.nowhere') }),
  ])('of a request that was never sent: %s', (error) => {
    expect(classifyInvocationError(error)).toEqual(soon);
  });

  it.each([
    systemError('ECONNRESET', 'socket hang up'),
    systemError('ECONNRESET', 'aborted'),
    systemError('EPIPE', 'write EPIPE'),
    systemError('ETIMEDOUT', 'read ETIMEDOUT'),
    systemError('ERR_STREAM_PREMATURE_CLOSE', 'Premature close'),
    systemError('ERR_HTTP2_STREAM_ERROR', 'Stream closed with error code NGHTTP2_INTERNAL_ERROR'),
    systemError('UND_ERR_SOCKET', 'other side closed'),
    systemError('UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error'),
    Object.assign(new Error('Request did not complete within 5 ms'), { name: 'TimeoutError' }),
    new DOMException('The operation timed out', 'TimeoutError'),
    new TruncatedStreamError({ functionName: 'f', chunks: 1, bytes: 1 }),
    new TruncatedStreamError({ functionName: 'f', chunks: 1, bytes: 1, cause: systemError('ECONNREFUSED') }),
    new TypeError('Failed to fetch'),
    new TypeError('network error'),
    new TypeError('NetworkError when attempting to fetch resource.'),
    new TypeError('Load failed'),
    new TypeError('The network connection was lost.'),
    new TypeError('Network request failed'),
    new TypeError('Error in input stream'),
    new TypeError('fetch failed'),
    new TypeError('fetch failed', { cause: systemError('UND_ERR_SOCKET', 'other side closed') }),
    new TypeError('terminated', { cause: systemError('UND_ERR_SOCKET', 'other side closed') }),
  ])('of a request that may have been sent: %s', (error) => {
    expect(classifyInvocationError(error)).toEqual(ambiguous);
  });

  it("of RxJS's own TimeoutError", async () => {
    const error: unknown = await firstValueFrom(NEVER.pipe(timeout(1))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(classifyInvocationError(error)).toEqual(ambiguous);
  });

  it.each<[string, unknown]>([
    ['an AbortError', new DOMException('Aborted', 'AbortError')],
    ['an AbortError of the SDK', Object.assign(new Error('Request aborted'), { name: 'AbortError' })],
    ['a FunctionError', new FunctionError({ functionName: 'f', errorCode: 'Unhandled', errorDetails: '' })],
    [
      'a FunctionError that quotes an error of a connection',
      new FunctionError({
        functionName: 'f',
        errorCode: 'Unhandled',
        errorDetails: '{"errorType":"Error","errorMessage":"connect ECONNREFUSED 10.0.0.1:5432"}',
      }),
    ],
    [
      'an InvalidRecordError that quotes one',
      new InvalidRecordError('no JSON', { line: 1, offset: 0, text: 'ECONNREFUSED connect E before secure TLS' }),
    ],
    ['an error whose message alone speaks of a connection', new Error('connect ECONNREFUSED 10.0.0.1:5432')],
    ['an InvalidTextError', new InvalidTextError('x')],
    [
      'an InvalidRecordError',
      new InvalidRecordError('x', { line: 1, offset: 0, text: '', cause: new TypeError('network') }),
    ],
    ['a LineTooLongError', new LineTooLongError({ line: 1, offset: 0, maxLineBytes: 1 })],
    [
      'an HttpStatusError of another status',
      new HttpStatusError({ statusCode: 404, headers: {}, body: new Uint8Array() }),
    ],
    ['a ProtocolError', new ProtocolError('bad CRC')],
    ['a ReplayMismatchError', new ReplayMismatchError('x', { deliveredBytes: 1, cause: systemError('ECONNRESET') })],
    ['a bug', new TypeError("Cannot read properties of undefined (reading 'fetch')")],
    ['a syntax error', new SyntaxError('Unexpected token')],
    [
      'missing credentials',
      Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' }),
    ],
    ['undefined', undefined],
    ['null', null],
    ['a text', 'ServiceException'],
    ['an object without a name', {}],
    ['a name of Object.prototype', { name: 'constructor' }],
    ['an object without a prototype', Object.create(null)],
  ])('never retries %s', (_, error) => {
    expect(classifyInvocationError(error)).toEqual(unknown);
  });

  it('adds what the service asks to wait', () => {
    const error = serviceException('TooManyRequestsException', { retryAfterSeconds: 8 });
    expect(classifyInvocationError(error)).toEqual({ ...soon, retryAfterMs: 8_000 });
    expectTypeOf(classifyInvocationError).returns.toEqualTypeOf<InvocationErrorClass>();
  });
});
