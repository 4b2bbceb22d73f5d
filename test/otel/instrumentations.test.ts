/** With OpenTelemetry's instrumentations of the SDK and of HTTP, which patch modules as these are required. */
import { createRequire } from 'node:module';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AwsInstrumentation } from '@opentelemetry/instrumentation-aws-sdk';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { lastValueFrom, tap } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register({ contextManager: new AsyncLocalStorageContextManager() });
const tracer = provider.getTracer('test');
const instrumentations = [new AwsInstrumentation(), new HttpInstrumentation()];
for (const instrumentation of instrumentations) instrumentation.setTracerProvider(provider);

/** What is loaded after the instrumentations, as an application loads it. */
async function load() {
  const require = createRequire(import.meta.url);
  require('@aws-sdk/client-lambda');
  const [core, otel, local, live] = await Promise.all([
    import('../../src/index.js'),
    import('../../src/otel/index.js'),
    import('../../src/local/index.js'),
    import('../support/live.js'),
  ]);
  return { ...core, ...otel, ...local, ...live };
}
let loaded: Awaited<ReturnType<typeof load>>;

beforeAll(async () => (loaded = await load()));
beforeEach(() => exporter.reset());
afterAll(async () => {
  for (const instrumentation of instrumentations) instrumentation.disable();
  await provider.shutdown();
  context.disable();
  trace.disable();
});

/** The spans of clients: ours, the SDK's, and those of its HTTP requests. The endpoint's own are left out. */
const clientSpans = (name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.kind === SpanKind.CLIENT && span.name === name);

const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId;

test('the spans of the SDK and of HTTP are children of ours, and the pipeline is a child of the caller’s', async () => {
  const { invokeWithResponseStream, retryInvocation, scripted, startLive, traceInvocation } = loaded;
  const { client } = await startLive({
    chat: scripted((_request, attempt) =>
      attempt === 1
        ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]
        : [{ chunk: 'a' }, { waitMs: 1 }, { chunk: 'b' }, { complete: {} }],
    ),
  });
  const parent = tracer.startSpan('request');
  const activeIds = new Set<string | undefined>();
  await context.with(trace.setSpan(context.active(), parent), () =>
    lastValueFrom(
      invokeWithResponseStream(client, { FunctionName: 'chat' }).pipe(
        retryInvocation({ initialDelayMs: 1 }),
        traceInvocation({ functionName: 'chat', tracer }),
        tap(() => {
          activeIds.add(trace.getActiveSpan()?.spanContext().spanId);
          tracer.startSpan('work of the pipeline').end();
        }),
      ),
    ),
  );
  parent.end();

  const [ours, ...others] = clientSpans('invoke chat');
  expect(others).toEqual([]);
  expect(ours?.parentSpanContext?.spanId).toBe(idOf(parent as unknown as ReadableSpan));
  expect(activeIds).toEqual(new Set([parent.spanContext().spanId]));
  const sdk = clientSpans('Lambda.InvokeWithResponseStream');
  expect(sdk.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([idOf(ours), idOf(ours)]);
  // The span of a request ends with its connection's part in it, which may be after the stream's end.
  const http = await vi.waitFor(() => {
    const spans = clientSpans('POST');
    expect(spans).toHaveLength(2);
    return spans;
  });
  expect(http.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(sdk.map(idOf));
  const work = exporter.getFinishedSpans().filter(({ name }) => name === 'work of the pipeline');
  expect(work.length).toBeGreaterThan(0);
  for (const span of work) expect(span.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
});

test('a function that fails is an error of our span, where the SDK’s span sees none', async () => {
  const { invokeWithResponseStream, scripted, startLive, traceInvocation } = loaded;
  const { client } = await startLive({
    chat: scripted([{ chunk: 'a' }, { waitMs: 1 }, { complete: { errorCode: 'Unhandled', errorDetails: '{}' } }]),
  });
  const events = invokeWithResponseStream(client, { FunctionName: 'chat' });
  const traced = events.pipe(traceInvocation({ functionName: 'chat', tracer }));
  await expect(lastValueFrom(traced)).rejects.toThrow('Unhandled');
  const statusOf = (name: string): unknown[] => clientSpans(name).map(({ status }) => status.code);
  expect(statusOf('invoke chat')).toEqual([SpanStatusCode.ERROR]);
  expect(statusOf('Lambda.InvokeWithResponseStream')).toEqual([SpanStatusCode.UNSET]);
});
