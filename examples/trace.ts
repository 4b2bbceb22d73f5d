import { LambdaClient } from '@aws-sdk/client-lambda';
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { decodeText, invokeWithResponseStream, retryInvocation } from 'rx-lambda-stream';
import { traceInvocation, withTraceContext } from 'rx-lambda-stream/otel';

const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] });
provider.register();

invokeWithResponseStream(new LambdaClient({}), () => withTraceContext({ FunctionName: 'chat' }))
  .pipe(retryInvocation(), traceInvocation({ functionName: 'chat' }), decodeText())
  .subscribe({ error: () => (process.exitCode = 1) });
