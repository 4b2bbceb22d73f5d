import { LambdaClient } from '@aws-sdk/client-lambda';
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { decodeText, invokeWithResponseStream, observeInvocation, retryInvocation } from 'rx-lambda-stream';

const reader = new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() });
const provider = new MeterProvider({ readers: [reader] });
const firstChunk = provider.getMeter('chat').createHistogram('chat.first_chunk', {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
});

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat' })
  .pipe(
    retryInvocation(),
    observeInvocation(({ outcome, firstChunkMs }) => {
      if (firstChunkMs !== undefined) firstChunk.record(firstChunkMs / 1_000, { outcome });
    }),
    decodeText(),
  )
  .subscribe({ error: () => (process.exitCode = 1) })
  .add(() => void provider.shutdown());
