/**
 * The names of spans, attributes, events and metrics, in one place: OpenTelemetry's where there is one.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#outgoing-invocations
 * @see https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/
 */
export const names = {
  attributes: {
    functionName: 'faas.invoked_name',
    provider: 'faas.invoked_provider',
    rpcSystem: 'rpc.system',
    rpcService: 'rpc.service',
    rpcMethod: 'rpc.method',
    requestId: 'aws.request_id',
    errorType: 'error.type',
    executedVersion: 'rx.lambda.stream.executed_version',
    attempts: 'rx.lambda.stream.attempts',
    chunks: 'rx.lambda.stream.chunks',
    bytes: 'rx.lambda.stream.bytes',
    outcome: 'rx.lambda.stream.outcome',
    retryMode: 'rx.lambda.stream.retry.mode',
    retryDelayMs: 'rx.lambda.stream.retry.delay_ms',
  },
  events: {
    head: 'rx.lambda.stream.head',
    firstChunk: 'rx.lambda.stream.first_chunk',
    retry: 'rx.lambda.stream.retry',
  },
  metrics: {
    firstChunk: 'rx.lambda.stream.first_chunk',
    duration: 'rx.lambda.stream.duration',
    bytes: 'rx.lambda.stream.bytes',
    retries: 'rx.lambda.stream.retries',
  },
} as const;
