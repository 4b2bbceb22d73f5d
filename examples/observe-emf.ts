import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { decodeText, invokeWithResponseStream, observeInvocation, retryInvocation } from 'rx-lambda-stream';

const metrics = new Metrics({ namespace: 'chat', serviceName: 'web' });

invokeWithResponseStream(new LambdaClient({}), { FunctionName: 'chat' })
  .pipe(
    retryInvocation(),
    observeInvocation(({ outcome, attempts, firstChunkMs, durationMs, bytes }) => {
      metrics.addDimensions({ functionName: 'chat', outcome });
      if (firstChunkMs !== undefined) metrics.addMetric('firstChunk', MetricUnit.Milliseconds, firstChunkMs);
      metrics.addMetric('duration', MetricUnit.Milliseconds, durationMs);
      metrics.addMetric('bytes', MetricUnit.Bytes, bytes);
      metrics.addMetric('attempts', MetricUnit.Count, attempts);
      metrics.publishStoredMetrics(); // one line of embedded metrics on stdout, which CloudWatch reads
    }),
    decodeText(),
  )
  .subscribe({ error: () => (process.exitCode = 1) });
