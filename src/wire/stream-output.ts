import type {
  InvokeWithResponseStreamCommandOutput,
  InvokeWithResponseStreamResponseEvent,
} from '@aws-sdk/client-lambda';
import type { Subscriber } from 'rxjs';
import { isLambdaStreamError, TruncatedStreamError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import type { BodyReader } from './body-reader.js';
import { deliverComplete } from './deliver-complete.js';
import { pull } from './pull.js';
import type { InvocationContext } from './stream-events.js';
import { toCompleteEvent, toHeadEvent } from './to-event.js';

/**
 * Reads the command's output by its `EventStream`: for mocked clients, which run no middleware and have no connection.
 *
 * @returns The reader of its events, not yet reading, or undefined where there is nothing to read.
 */
export function streamOutput(
  output: InvokeWithResponseStreamCommandOutput,
  { functionName, functionErrors }: InvocationContext,
  subscriber: Subscriber<LambdaStreamEvent>,
): Pick<BodyReader, 'pause' | 'resume'> | undefined {
  let chunks = 0;
  let bytes = 0;

  const { StatusCode = 200, ExecutedVersion, ResponseStreamContentType } = output;
  const requestId = (output.$metadata as { requestId?: string } | undefined)?.requestId;
  subscriber.next(
    toHeadEvent(StatusCode, {
      ...(ResponseStreamContentType !== undefined && { 'content-type': ResponseStreamContentType }),
      ...(ExecutedVersion !== undefined && { 'x-amz-executed-version': ExecutedVersion }),
      ...(requestId !== undefined && { 'x-amzn-requestid': requestId }),
    }),
  );
  if (StatusCode === 204) {
    subscriber.complete();
    return undefined;
  }

  const iterator = (output.EventStream ?? none())[Symbol.asyncIterator]();
  const events = pull(() => iterator.next(), {
    next(event: InvokeWithResponseStreamResponseEvent) {
      if (event.PayloadChunk) {
        const payload = event.PayloadChunk.Payload ?? new Uint8Array(0);
        chunks++;
        bytes += payload.length;
        // Plain, also where the mock was given a Buffer.
        subscriber.next({
          type: 'chunk',
          payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength),
        });
      } else if (event.InvokeComplete) {
        events.stop();
        deliverComplete(toCompleteEvent(event.InvokeComplete), { functionName, functionErrors }, subscriber);
      } else if ('$unknown' in event) {
        // The SDK's own iterator drops unknown events; a mock may hold some, with no frame behind them.
        const [eventType] = event.$unknown;
        subscriber.next({ type: 'unknown', eventType, headers: {}, payload: new Uint8Array(0) });
      }
    },
    complete: () => subscriber.error(new TruncatedStreamError({ functionName, chunks, bytes })),
    error: (cause) =>
      subscriber.error(isFinal(cause) ? cause : new TruncatedStreamError({ functionName, chunks, bytes, cause })),
  });
  subscriber.add(() => {
    events.stop();
    // A generator that rejects while it is being closed has nobody left to tell.
    iterator.return?.().catch(() => undefined);
  });
  return events;
}

/** An error that says already what it is: AWS's own, or this package's. Everything else is a broken connection. */
function isFinal(error: unknown): boolean {
  return isLambdaStreamError(error) || (typeof error === 'object' && error !== null && '$fault' in error);
}

async function* none(): AsyncGenerator<never> {
  // No events at all.
}
