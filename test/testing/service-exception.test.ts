import { describe, expect, expectTypeOf, it } from 'vitest';
import * as sdk from '@aws-sdk/client-lambda';
import { serviceException, type ServiceExceptionName } from 'rx-lambda-stream/testing';

/** The SDK's own description of its exceptions: `[-3, namespace, name, { error, httpError }, …]`. */
const schemas = Object.entries(sdk)
  .filter(([name, value]) => /Exception\$$/.test(name) && Array.isArray(value) && value[3] !== 0)
  .map(([, value]) => {
    const [, , name, { error, httpError }] = value as unknown as [
      number,
      string,
      string,
      { error: string; httpError: number },
    ];
    return { name, fault: error, status: httpError };
  });

describe('serviceException', () => {
  it('knows all exceptions that the installed SDK describes', () => {
    expect(schemas.length).toBeGreaterThanOrEqual(56);
  });

  it.each(schemas)('builds $name with $fault fault and status $status, as the SDK describes it', (schema) => {
    const Exception = sdk[schema.name as 'ServiceException'];
    const exception = serviceException(schema.name);
    expect(exception).toBeInstanceOf(Exception);
    expect(exception).toBeInstanceOf(sdk.LambdaServiceException);
    expect(exception).toBeInstanceOf(Error);
    expect(Object.getPrototypeOf(exception)).toBe(Exception.prototype);
    expect(exception.name).toBe(schema.name);
    expect(exception.$fault).toBe(schema.fault);
    expect(exception.$metadata.httpStatusCode).toBe(schema.status);
  });

  it('has the type of the class', () => {
    expectTypeOf(serviceException('TooManyRequestsException')).toEqualTypeOf<sdk.TooManyRequestsException>();
    expectTypeOf(serviceException('ThrottlingException')).toEqualTypeOf<sdk.LambdaServiceException>();
    expectTypeOf<'TooManyRequestsException'>().toExtend<ServiceExceptionName>();
    expectTypeOf<'LambdaClient'>().not.toExtend<ServiceExceptionName>();
  });

  it('carries retryAfterSeconds as the string that the SDK has', () => {
    const exception = serviceException('TooManyRequestsException', {
      retryAfterSeconds: 8,
      Reason: 'CallerRateLimitExceeded',
      message: 'Rate exceeded',
    });
    expect(exception.retryAfterSeconds).toBe('8');
    expect(exception.Reason).toBe('CallerRateLimitExceeded');
    expect(exception.message).toBe('Rate exceeded');
  });

  it('makes a LambdaServiceException of a name that the SDK does not model, as the SDK does', () => {
    const exception = serviceException('ThrottlingException', { $metadata: { httpStatusCode: 503 } });
    expect(Object.getPrototypeOf(exception)).toBe(sdk.LambdaServiceException.prototype);
    expect(exception.name).toBe('ThrottlingException');
    expect(exception.$fault).toBe('server');
    expect(exception.$metadata).toMatchObject({ httpStatusCode: 503, requestId: expect.any(String) as string });
    expect(serviceException('ExpiredTokenException').$fault).toBe('client');
  });

  it('attaches $response as the SDK does: not enumerable, with the status', () => {
    const exception = serviceException('ServiceException', { $response: { headers: { 'retry-after': '3' } } });
    expect(exception.$response).toEqual({ statusCode: 500, headers: { 'retry-after': '3' } });
    expect(Object.keys(exception)).not.toContain('$response');
  });
});
