import { describe, expect, it } from 'vitest';
import { TooManyRequestsException } from '@aws-sdk/client-lambda';
import { chunkEvent, completeEvent, headEvent, retryEvent } from 'rx-lambda-stream/testing';

describe('the event builders', () => {
  it('headEvent is a 200 without headers, unless stated', () => {
    expect(headEvent()).toEqual({ type: 'head', statusCode: 200, headers: {} });
    expect(headEvent({ statusCode: 204, requestId: 'r' })).toEqual({
      type: 'head',
      statusCode: 204,
      headers: {},
      requestId: 'r',
    });
  });

  it('chunkEvent encodes text as UTF-8 and keeps bytes without a copy', () => {
    expect(chunkEvent('€').payload).toEqual(new Uint8Array([0xe2, 0x82, 0xac]));
    const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    const { payload } = chunkEvent(bytes);
    expect(payload).toEqual(new Uint8Array([2, 3]));
    expect(payload.buffer).toBe(bytes.buffer);
  });

  it('chunkEvent makes a plain Uint8Array of a Buffer', () => {
    const { payload } = chunkEvent(Buffer.from('ab'));
    expect(Buffer.isBuffer(payload)).toBe(false);
    expect(payload).toEqual(new Uint8Array([97, 98]));
  });

  it('completeEvent is a success, unless stated', () => {
    expect(completeEvent()).toEqual({ type: 'complete' });
    expect(completeEvent({ errorCode: 'Unhandled' })).toEqual({ type: 'complete', errorCode: 'Unhandled' });
  });

  it('retryEvent is the second attempt after a throttle, unless stated', () => {
    const event = retryEvent();
    expect(event.error).toBeInstanceOf(TooManyRequestsException);
    expect({ ...event, error: undefined }).toEqual({
      type: 'retry',
      attempt: 2,
      delayMs: 0,
      error: undefined,
      mode: 'fresh',
      delivered: { chunks: 0, bytes: 0 },
    });
    expect(retryEvent({ mode: 'restart', attempt: 3 })).toMatchObject({ mode: 'restart', attempt: 3 });
  });
});
