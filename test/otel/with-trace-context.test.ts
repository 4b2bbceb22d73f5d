import { context, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectResponse, invokeWithResponseStream } from '../../src/index.js';
import { withTraceContext } from '../../src/otel/index.js';
import { startLive } from '../support/live.js';

const spanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
};
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const active = trace.setSpanContext(ROOT_CONTEXT, spanContext);
const inTrace = <T>(callback: () => T): T => context.with(active, callback);

beforeAll(() => {
  // With the W3C propagator, its default.
  new NodeTracerProvider().register();
});
afterAll(() => {
  context.disable();
  propagation.disable();
});

describe('withTraceContext', () => {
  it('puts what the propagator injects under custom, beside what is there', () => {
    const input = { FunctionName: 'f', ClientContext: { env: { a: 1 }, custom: { tenant: 't' } } };
    expect(inTrace(() => withTraceContext(input))).toEqual({
      FunctionName: 'f',
      ClientContext: { env: { a: 1 }, custom: { tenant: 't', traceparent } },
    });
    expect(input.ClientContext.custom).toEqual({ tenant: 't' });
  });

  it('reads a ClientContext that is base64 already', () => {
    const ClientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');
    expect(inTrace(() => withTraceContext({ FunctionName: 'f', ClientContext })).ClientContext).toEqual({
      custom: { a: 1, traceparent },
    });
  });

  it.each([
    ['text that is no JSON', 'bm90IGpzb24='],
    ['a JSON array', Buffer.from('[1]').toString('base64')],
    ['one whose custom is a text', { custom: 'text' }],
    ['one whose custom is an array', { custom: [1] }],
    ['one that would pass 3,583 bytes', { custom: { filler: 'x'.repeat(2_650) } }],
  ])('leaves %s as it was', (_what, ClientContext) => {
    const input = { FunctionName: 'f', ClientContext };
    expect(inTrace(() => withTraceContext(input))).toBe(input);
  });

  it.each([
    ['nothing', undefined],
    ['a function', () => ({ FunctionName: 'f' })],
    ['a name', 'f'],
  ])('refuses %s instead of an input', (_what, input) => {
    expect(() => inTrace(() => withTraceContext(input as never))).toThrow(
      /^withTraceContext: input must be an object such as \{ FunctionName \}, not /,
    );
  });

  it('takes what just fits, and the source accepts it', async () => {
    const { client } = await startLive({
      f: (_event: unknown, { clientContext }: { clientContext?: unknown }) =>
        Promise.resolve(Object.keys((clientContext as { custom: object }).custom)),
    });
    const input = { FunctionName: 'f', ClientContext: { custom: { filler: 'x'.repeat(2_580) } } };
    const traced = inTrace(() => withTraceContext(input));
    expect(traced).not.toBe(input);
    const response = await lastValueFrom(invokeWithResponseStream(client, traced).pipe(collectResponse()));
    expect(response.json()).toEqual(['filler', 'traceparent']);
  });

  it('leaves an input outside of a trace as it was', () => {
    const input = { FunctionName: 'f' };
    expect(withTraceContext(input)).toBe(input);
  });

  it('reaches the function, which continues the trace', async () => {
    const { client } = await startLive({
      f: (_event: unknown, lambda: { clientContext?: unknown }) => Promise.resolve(lambda.clientContext),
    });
    const response = await inTrace(() =>
      lastValueFrom(
        invokeWithResponseStream(client, () => withTraceContext({ FunctionName: 'f' })).pipe(collectResponse()),
      ),
    );
    expect(response.json()).toMatchObject({ custom: { traceparent } });
  });
});
