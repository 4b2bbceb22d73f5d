import { describe, expect, it } from 'vitest';
import { asyncScheduler } from 'rxjs';
import { retryAfter } from '../../src/retry/retry-after.js';
import { serviceException, type ServiceExceptionFields } from '../../src/testing/index.js';
import { marbles } from '../support/marbles.js';

const of = (fields: ServiceExceptionFields): number | undefined =>
  retryAfter(serviceException('TooManyRequestsException', fields));
const ofHeaders = (headers: Record<string, string>): number | undefined => of({ $response: { headers } });

describe('retryAfter', () => {
  it('reads seconds as milliseconds', () => {
    expect(of({ retryAfterSeconds: '8' })).toBe(8_000);
    expect(of({ retryAfterSeconds: '0.25' })).toBe(250);
    expect(ofHeaders({ 'retry-after': '120' })).toBe(120_000);
  });

  it('reads x-amz-retry-after as milliseconds', () => {
    expect(ofHeaders({ 'x-amz-retry-after': '1500' })).toBe(1_500);
    expect(ofHeaders({ 'x-amz-retry-after': '1500.5' })).toBe(1_501);
  });

  it("measures an HTTP date from the response's own date", () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    expect(ofHeaders({ date, 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' })).toBe(60_000);
    expect(of({ retryAfterSeconds: 'Sun, 06 Nov 1994 08:49:45 GMT', $response: { headers: { date } } })).toBe(8_000);
  });

  it(
    "measures it from RxJS's clock where the response has none",
    marbles((m) => {
      asyncScheduler.schedule(() => {
        expect(ofHeaders({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' })).toBe(7_000);
      }, 3_000);
      m.flush();
      expect.assertions(1);
    }),
  );

  it('takes the longest where there are several', () => {
    const headers = { 'retry-after': '3', 'x-amz-retry-after': '9000' };
    expect(of({ retryAfterSeconds: 5, $response: { headers } })).toBe(9_000);
    expect(of({ retryAfterSeconds: 5, $response: { headers: { ...headers, 'x-amz-retry-after': '1' } } })).toBe(5_000);
  });

  it.each(['0', '-5', '', 'soon', 'NaN', 'Sun, 06 Nov 1994 08:49:37 GMT'])('has nothing to say of %j', (text) => {
    expect(ofHeaders({ date: 'Sun, 06 Nov 1994 08:49:40 GMT', 'retry-after': text })).toBeUndefined();
    expect(of({ retryAfterSeconds: text })).toBeUndefined();
    expect(ofHeaders({ 'x-amz-retry-after': text })).toBeUndefined();
  });

  it('has nothing to say of errors without such fields', () => {
    for (const error of [new Error('x'), {}, serviceException('ServiceException'), { $response: {} }]) {
      expect(retryAfter(error)).toBeUndefined();
    }
  });
});
