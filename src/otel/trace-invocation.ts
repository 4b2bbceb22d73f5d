import { context, SpanKind, SpanStatusCode, trace, type Attributes, type Meter, type Tracer } from '@opentelemetry/api';
import { asyncScheduler, ignoreElements, Observable, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { LambdaStreamEvent } from '../events.js';
import { callback, checkOptions, checkValue, text, objectLike, type OptionRule } from '../shared/check-options.js';
import { names } from './semantic-names.js';

/** Options of {@link traceInvocation}. */
export interface TraceInvocationOptions {
  /** The function's name, as the span and the metrics have it. */
  readonly functionName: string;
  /**
   * Makes the spans.
   *
   * @defaultValue the global tracer provider's tracer `rx-lambda-stream`
   */
  readonly tracer?: Tracer;
  /**
   * Makes the metrics: histograms of the time to the first chunk and of the duration, both in seconds, and of the bytes
   * of a response; a counter of retries.
   *
   * @defaultValue no metrics
   */
  readonly meter?: Meter;
}

const { attributes, events, metrics } = names;

/**
 * Traces an invocation: one CLIENT span from the subscription to the end, whatever the end is.
 *
 *     source  --h--a-b----(c|)    h: head, a, b: chunks, c: complete
 *     result  --h--a-b----(c|)
 *
 * - **Emits** the source's events, each in the caller's context, so that later operators do not run inside this span.
 * - **Completes** with the source. The span ends with its chunks, bytes, attempts and request id.
 * - **Errors** with the source's error, unchanged. The span's status is ERROR, with the exception.
 * - **Unsubscribing** unsubscribes from the source. The span ends with the outcome `cancelled`, which is not an error.
 * - **Memory** a few counters.
 *
 * Place it after `retryInvocation`, so that one span holds all attempts: a `retry` is an event of the span. The spans
 * of OpenTelemetry's instrumentations of the SDK and of HTTP become its children.
 *
 * @example
 * invokeWithResponseStream(client, () => withTraceContext({ FunctionName: 'chat' }))
 *   .pipe(retryInvocation(), traceInvocation({ functionName: 'chat' }), decodeText())
 *   .subscribe({ next: (text) => process.stdout.write(text), error: console.error });
 *
 * @param options.functionName - The function's name.
 * @param options.tracer - Makes the spans. @defaultValue the global tracer provider's
 * @param options.meter - Makes the metrics. @defaultValue no metrics
 * @throws TypeError at the call for an option of another type.
 * @see https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#outgoing-invocations the names followed
 */
export function traceInvocation(options: TraceInvocationOptions): MonoTypeOperatorFunction<LambdaStreamEvent> {
  checkValue('traceInvocation', 'options', options, objectLike('{ functionName }'));
  checkOptions('traceInvocation', options, { tracer: withMethod('startSpan'), meter: withMethod('createHistogram') });
  const { functionName, tracer = trace.getTracer('rx-lambda-stream'), meter } = options;
  checkValue('traceInvocation', 'functionName', functionName, text);
  const record = meter && createMetrics(meter, { [attributes.functionName]: functionName });

  return (source) =>
    new Observable((subscriber) => {
      const caller = context.active();
      const startMs = asyncScheduler.now();
      const span = tracer.startSpan(
        `invoke ${functionName}`,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            [attributes.functionName]: functionName,
            [attributes.provider]: 'aws',
            [attributes.rpcSystem]: 'aws-api',
            [attributes.rpcService]: 'Lambda',
            [attributes.rpcMethod]: 'InvokeWithResponseStream',
          },
        },
        caller,
      );
      let attempts = 1;
      /** When the last attempt begins, after its backoff. */
      let attemptAt = startMs;
      let chunks = 0;
      let bytes = 0;
      let firstChunkMs: number | undefined;
      /** The function failed, and the failure came as an event. */
      let hasFailed = false;
      let ended = false;

      function note(event: LambdaStreamEvent): void {
        switch (event.type) {
          case 'head':
            span.addEvent(events.head);
            if (event.requestId !== undefined) span.setAttribute(attributes.requestId, event.requestId);
            if (event.executedVersion !== undefined) {
              span.setAttribute(attributes.executedVersion, event.executedVersion);
            }
            break;
          case 'chunk':
            if (chunks === 0 && firstChunkMs === undefined) {
              firstChunkMs = asyncScheduler.now() - startMs;
              span.addEvent(events.firstChunk);
            }
            chunks++;
            bytes += event.payload.length;
            break;
          case 'retry':
            attempts = event.attempt;
            attemptAt = asyncScheduler.now() + event.delayMs;
            span.addEvent(events.retry, {
              [attributes.errorType]: errorType(event.error),
              [attributes.retryMode]: event.mode,
              [attributes.retryDelayMs]: event.delayMs,
            });
            if (event.mode === 'restart') chunks = bytes = 0;
            break;
          case 'complete':
            if (event.errorCode === undefined) break;
            hasFailed = true;
            fail(event.errorCode);
            break;
          case 'http-head':
          case 'unknown':
            break;
        }
      }

      function fail(type: string): void {
        span.setAttribute(attributes.errorType, type);
        span.setStatus({ code: SpanStatusCode.ERROR, message: type });
      }

      function end(outcome: 'complete' | 'failed' | 'cancelled'): void {
        if (ended) return;
        ended = true;
        span.setAttributes({
          [attributes.outcome]: outcome,
          [attributes.attempts]: attempts,
          [attributes.chunks]: chunks,
          [attributes.bytes]: bytes,
        });
        span.end();
        record?.({ outcome, attempts, bytes, firstChunkMs, durationMs: asyncScheduler.now() - startMs });
      }

      subscriber.add(() => {
        // Left during a backoff: the attempt that was announced has not begun.
        if (!ended && asyncScheduler.now() < attemptAt) attempts--;
        end(hasFailed ? 'failed' : 'cancelled');
      });
      // The source captures this context for its whole life, so that the SDK's spans are children of this span. The
      // caller's context is entered for each event, because the consumer must not run inside this span.
      const inCaller = (deliver: () => void): void => context.with(caller, deliver);
      const traced = source.pipe(
        tap({
          next(event) {
            note(event);
            inCaller(() => subscriber.next(event));
          },
          error(error: unknown) {
            fail(errorType(error));
            span.recordException(error instanceof Error ? error : String(error));
            end('failed');
            inCaller(() => subscriber.error(error));
          },
          complete() {
            end(hasFailed ? 'failed' : 'complete');
            inCaller(() => subscriber.complete());
          },
        }),
        ignoreElements(),
      );
      // Linked to the subscriber itself, so that a synchronous source stops where the consumer leaves.
      context.with(trace.setSpan(caller, span), () => traced.subscribe(subscriber));
    });
}

/** The facts about an ended invocation that the metrics record. */
interface Measured {
  readonly outcome: 'complete' | 'failed' | 'cancelled';
  readonly attempts: number;
  readonly bytes: number;
  readonly firstChunkMs: number | undefined;
  readonly durationMs: number;
}

function createMetrics(meter: Meter, common: Attributes): (measured: Measured) => void {
  const firstChunk = meter.createHistogram(metrics.firstChunk, {
    unit: 's',
    description: 'Time from the subscription to the first chunk',
  });
  const duration = meter.createHistogram(metrics.duration, {
    unit: 's',
    description: 'Time from the subscription to the end',
  });
  const size = meter.createHistogram(metrics.bytes, { unit: 'By', description: 'Payload bytes of a response' });
  const retries = meter.createCounter(metrics.retries, { unit: '{retry}', description: 'Attempts after the first' });
  return ({ outcome, attempts, bytes, firstChunkMs, durationMs }) => {
    const labels = { ...common, [attributes.outcome]: outcome };
    if (firstChunkMs !== undefined) firstChunk.record(firstChunkMs / 1_000, labels);
    duration.record(durationMs / 1_000, labels);
    size.record(bytes, labels);
    if (attempts > 1) retries.add(attempts - 1, labels);
  };
}

/** Returns the name of a failure: of AWS's exception, of this package's error, or of the runtime's. */
function errorType(error: unknown): string {
  const { name } = Object(error) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name : '_OTHER';
}

function withMethod(name: string): OptionRule {
  return {
    expected: `an object with ${name}()`,
    isValid: (value) => callback.isValid((Object(value) as Readonly<Record<string, unknown>>)[name]),
  };
}
