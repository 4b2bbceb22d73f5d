import { LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { concat, lastValueFrom, NEVER, of, take, tap } from 'rxjs';
import { afterAll, beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { FunctionError, invokeWithResponseStream, retryInvocation } from '../../src/index.js';
import { traceInvocation } from '../../src/otel/index.js';
import { scripted } from '../../src/local/index.js';
import { chunkEvent, completeEvent, headEvent, retryEvent } from '../../src/testing/index.js';
import { startLive } from '../support/live.js';
import { marbles } from '../support/marbles.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register({ contextManager: new AsyncLocalStorageContextManager() });
const tracer = provider.getTracer('test');

beforeEach(() => exporter.reset());
afterAll(() => provider.shutdown());

const operator = traceInvocation({ functionName: 'chat', tracer });

/** The span of the invocation that has ended. */
function spanOf(): ReadableSpan {
  const spans = exporter.getFinishedSpans().filter(({ name }) => name === 'invoke chat');
  expect(spans).toHaveLength(1);
  return spans[0]!;
}

describe('traceInvocation', () => {
  const h = headEvent({ requestId: 'r-1', executedVersion: '7' });
  const a = chunkEvent('ab');
  const b = chunkEvent('c');
  const c = completeEvent();

  it(
    'passes the events on as they come',
    marbles((m) => {
      const source = m.cold('--h--a-b----(c|)', { h, a, b, c });
      const result = '       --h--a-b----(c|)';
      const traced = source.pipe(traceInvocation({ functionName: 'chat', tracer }));
      m.expect(traced).toBeObservable(result, { h, a, b, c });
      m.expect(source).toHaveSubscriptions('^-----------!');
    }),
  );

  it('makes one CLIENT span with what was delivered', async () => {
    await lastValueFrom(of(h, a, b, c).pipe(operator));
    const span = spanOf();
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toMatchObject({
      'faas.invoked_name': 'chat',
      'faas.invoked_provider': 'aws',
      'aws.request_id': 'r-1',
      'rx.lambda.stream.executed_version': '7',
      'rx.lambda.stream.outcome': 'complete',
      'rx.lambda.stream.attempts': 1,
      'rx.lambda.stream.chunks': 2,
      'rx.lambda.stream.bytes': 3,
    });
    expect(span.events.map(({ name }) => name)).toEqual(['rx.lambda.stream.head', 'rx.lambda.stream.first_chunk']);
  });

  it('each subscription has a span of its own', async () => {
    const traced = of(h, c).pipe(operator);
    await Promise.all([lastValueFrom(traced), lastValueFrom(traced)]);
    expect(exporter.getFinishedSpans()).toHaveLength(2);
  });

  it('a retry is an event of the span, and a restart voids what was delivered', async () => {
    const r = retryEvent({ attempt: 2, delayMs: 30, mode: 'restart' });
    await lastValueFrom(of(h, a, r, h, b, c).pipe(operator));
    const span = spanOf();
    expect(span.events[2]).toMatchObject({
      name: 'rx.lambda.stream.retry',
      attributes: {
        'error.type': 'TooManyRequestsException',
        'rx.lambda.stream.retry.mode': 'restart',
        'rx.lambda.stream.retry.delay_ms': 30,
      },
    });
    expect(span.attributes).toMatchObject({ 'rx.lambda.stream.attempts': 2, 'rx.lambda.stream.bytes': 1 });
  });

  it('a synchronous source stops where the consumer leaves, and leaving is no error', async () => {
    let seen = 0;
    await lastValueFrom(
      of(h, a, b, c).pipe(
        tap(() => seen++),
        operator,
        take(2),
      ),
    );
    expect(seen).toBe(2);
    expect(spanOf().status.code).toBe(SpanStatusCode.UNSET);
    expect(spanOf().attributes['rx.lambda.stream.outcome']).toBe('cancelled');
  });

  it('a failure that is emitted as an event fails the span too', async () => {
    await lastValueFrom(of(h, completeEvent({ errorCode: 'Unhandled' })).pipe(operator));
    expect(spanOf().status).toMatchObject({ code: SpanStatusCode.ERROR, message: 'Unhandled' });
    expect(spanOf().attributes).toMatchObject({ 'error.type': 'Unhandled', 'rx.lambda.stream.outcome': 'failed' });
  });

  it('a consumer that leaves at a failure that is emitted sees it fail all the same', async () => {
    const failed = completeEvent({ errorCode: 'Unhandled' });
    await lastValueFrom(concat(of(h, failed), NEVER).pipe(operator, take(2)));
    expect(spanOf().attributes['rx.lambda.stream.outcome']).toBe('failed');
  });

  it.each([
    ['within its backoff has not begun', '^------!', 1],
    ['after its backoff has begun', '^---------!', 2],
  ])('an attempt that the consumer leaves %s', (_when, subscription, attempts) => {
    marbles((m) => {
      const values = { h, r: retryEvent({ attempt: 2, delayMs: 5 }) };
      const traced = m.cold('--h-r------', values).pipe(operator);
      m.expect(traced, subscription).toBeObservable('--h-r-', values);
    })();
    expect(spanOf().attributes['rx.lambda.stream.attempts']).toBe(attempts);
  });

  it.each([
    ['no options', undefined],
    ['a name that is no text', { functionName: 7 }],
    ['a tracer that is none', { functionName: 'f', tracer: {} }],
    ['a meter that is none', { functionName: 'f', meter: { createHistogram: 1 } }],
  ])('refuses %s at the call', (_what, options) => {
    expect(() => traceInvocation(options as never)).toThrow(TypeError);
    expect(() => traceInvocation(options as never)).toThrow(/^traceInvocation: /);
  });

  it('measures the first chunk, the duration, the bytes and the retries', async () => {
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
    const meters = new MeterProvider({ readers: [reader] });
    onTestFinished(() => meters.shutdown());
    const measured = traceInvocation({ functionName: 'chat', tracer, meter: meters.getMeter('test') });
    await lastValueFrom(of(h, retryEvent(), h, a, b, c).pipe(measured));
    await meters.forceFlush();
    const found = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics));
    expect(found.map(({ descriptor }) => descriptor.name).sort()).toEqual([
      'rx.lambda.stream.bytes',
      'rx.lambda.stream.duration',
      'rx.lambda.stream.first_chunk',
      'rx.lambda.stream.retries',
    ]);
    const bytes = found.find(({ descriptor }) => descriptor.name === 'rx.lambda.stream.bytes');
    expect(bytes?.dataPoints[0]).toMatchObject({
      value: { sum: 3, count: 1 },
      attributes: { 'faas.invoked_name': 'chat', 'rx.lambda.stream.outcome': 'complete' },
    });
  });
});

describe('over a real client', () => {
  test('one span from subscription to end, a child of the caller’s, and the pipeline is not inside it', async () => {
    const { client } = await startLive({ chat: scripted([{ chunk: 'a' }, { chunk: 'b' }, { complete: {} }]) });
    const parent = tracer.startSpan('request');
    const activeIds: (string | undefined)[] = [];
    await context.with(trace.setSpan(context.active(), parent), () =>
      lastValueFrom(
        invokeWithResponseStream(client, { FunctionName: 'chat' }).pipe(
          operator,
          tap(() => activeIds.push(trace.getActiveSpan()?.spanContext().spanId)),
        ),
      ),
    );
    parent.end();
    const span = spanOf();
    expect(span.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(activeIds).toEqual(Array(4).fill(parent.spanContext().spanId));
  });

  test('a failed function, a throttle and a cut are errors of the span; a consumer’s leaving is not', async () => {
    const { client } = await startLive({
      broken: scripted([{ chunk: 'a' }, { complete: { errorCode: 'Unhandled', errorDetails: '{}' } }]),
      busy: scripted([{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]),
      cut: scripted([{ chunk: 'a' }, 'reset']),
      endless: scripted([{ chunk: 'a' }, 'stall']),
    });
    const outcomeOf = async (functionName: string, leave = false): Promise<unknown[]> => {
      exporter.reset();
      const events = invokeWithResponseStream(client, { FunctionName: functionName }).pipe(operator);
      const error: unknown = await lastValueFrom(leave ? events.pipe(take(2)) : events).catch(
        (failure: unknown) => failure,
      );
      const span = spanOf();
      const { outcome, type } = {
        outcome: span.attributes['rx.lambda.stream.outcome'],
        type: span.attributes['error.type'],
      };
      return [outcome, type, span.status.code, error instanceof Error ? error.name : 'none'];
    };
    const { ERROR, UNSET } = SpanStatusCode;
    expect(await outcomeOf('broken')).toEqual(['failed', FunctionError.name, ERROR, 'FunctionError']);
    expect(await outcomeOf('busy')).toEqual([
      'failed',
      TooManyRequestsException.name,
      ERROR,
      'TooManyRequestsException',
    ]);
    expect(await outcomeOf('cut')).toEqual(['failed', 'TruncatedStreamError', ERROR, 'TruncatedStreamError']);
    expect(await outcomeOf('endless', true)).toEqual(['cancelled', undefined, UNSET, 'none']);
  });

  test('with retries before it, one span holds all attempts', async () => {
    const { client, local } = await startLive({
      chat: scripted((_request, attempt) =>
        attempt === 1
          ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]
          : [{ chunk: 'a' }, { complete: {} }],
      ),
    });
    expect(client).toBeInstanceOf(LambdaClient);
    await lastValueFrom(
      invokeWithResponseStream(client, { FunctionName: 'chat' }).pipe(retryInvocation({ initialDelayMs: 1 }), operator),
    );
    expect(local.requests).toHaveLength(2);
    expect(spanOf().attributes).toMatchObject({
      'rx.lambda.stream.attempts': 2,
      'rx.lambda.stream.outcome': 'complete',
    });
  });
});
