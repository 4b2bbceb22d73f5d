import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { collectResponse, invokeWithResponseStream } from '../../src/index.js';
import { installAwslambda } from '../../src/local/index.js';
import { traceInvocation, withTraceContext } from '../../src/otel/index.js';
import { startLive } from '../support/live.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const folder = mkdtempSync(join(tmpdir(), 'rx-lambda-stream-trace-'));

interface Handlers {
  readonly handler: (event: unknown) => unknown;
}
let handlers: Handlers;

beforeAll(async () => {
  provider.register({ contextManager: new AsyncLocalStorageContextManager() });
  // Where Lambda's runtime says that the function is, which the instrumentation patches as it is required.
  writeFileSync(
    join(folder, 'index.js'),
    `exports.handler = awslambda.streamifyResponse(async (event, stream) => stream.end('Hello'));`,
  );
  vi.stubEnv('LAMBDA_TASK_ROOT', folder);
  vi.stubEnv('_HANDLER', 'index.handler');
  installAwslambda();
  const { instrumentation } = await import('../../examples/trace-function.js');
  instrumentation.setTracerProvider(provider);
  handlers = createRequire(import.meta.url)(join(folder, 'index.js')) as Handlers;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await provider.shutdown();
  context.disable();
  trace.disable();
});

test('the function’s span, of OpenTelemetry’s own instrumentation, continues the trace of the caller', async () => {
  const { client } = await startLive({ index: handlers.handler });
  const response = await lastValueFrom(
    invokeWithResponseStream(client, () => withTraceContext({ FunctionName: 'index' })).pipe(
      traceInvocation({ functionName: 'index' }),
      collectResponse(),
    ),
  );
  expect(response.text()).toBe('Hello');
  const spans = exporter.getFinishedSpans();
  const caller = spans.find(({ kind }) => kind === SpanKind.CLIENT);
  const called = spans.find(({ kind }) => kind === SpanKind.SERVER);
  expect(caller?.name).toBe('invoke index');
  expect(called?.parentSpanContext).toMatchObject({
    traceId: caller?.spanContext().traceId,
    spanId: caller?.spanContext().spanId,
    isRemote: true,
  });
});
