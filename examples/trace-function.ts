import { propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { AwsLambdaInstrumentation } from '@opentelemetry/instrumentation-aws-lambda';

/** On the function's side: continues the trace that `withTraceContext` has sent along. */
export const instrumentation = new AwsLambdaInstrumentation({
  eventContextExtractor(_event, { clientContext }) {
    const { custom } = { ...clientContext } as { custom?: object };
    return propagation.extract(ROOT_CONTEXT, { ...custom });
  },
});
