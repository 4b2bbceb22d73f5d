import type { Subscriber } from 'rxjs';
import { LambdaStreamError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import { defined } from '../shared/defined.js';
import type { EventDelivery } from './event-delivery.js';
import { plainBytes } from '../shared/bytes.js';
import type { LambdaStreamOutput, LambdaStreamOutputEvent } from './lambda-stream-client.js';
import { pull, type Pull } from './pull.js';
import { toCompleteEvent } from './to-event.js';

/**
 * Reads the command's output by its `EventStream`: for mocked clients, which run no middleware and have no connection.
 *
 * @returns The reader of its events, not yet reading, or undefined where there is nothing to read.
 */
export function streamOutput(
  output: LambdaStreamOutput,
  delivery: EventDelivery,
  subscriber: Subscriber<LambdaStreamEvent>,
): Pull | undefined {
  const { StatusCode = 200, ExecutedVersion, ResponseStreamContentType, EventStream = none() } = output;
  const requestId = output.$metadata?.requestId;
  delivery.head(
    defined({
      type: 'head' as const,
      statusCode: StatusCode,
      executedVersion: ExecutedVersion,
      contentType: ResponseStreamContentType,
      requestId,
      headers: {},
    }),
  );
  if (StatusCode === 204) {
    subscriber.complete();
    return undefined;
  }

  const iterator = EventStream[Symbol.asyncIterator]();
  subscriber.add(() => {
    // A generator that rejects while it is being closed has nobody left to tell.
    iterator.return?.().catch(() => undefined);
  });
  return pull(
    () => iterator.next(),
    {
      next(event: LambdaStreamOutputEvent) {
        const { PayloadChunk, InvokeComplete } = event;
        if (PayloadChunk) {
          // Plain, also where the mock was given a Buffer.
          delivery.chunk({ type: 'chunk', payload: plainBytes(PayloadChunk.Payload ?? new Uint8Array(0)) });
        } else if (InvokeComplete) {
          delivery.complete(toCompleteEvent(InvokeComplete));
        } else if (event.$unknown) {
          // The SDK's own iterator drops unknown events; a mock may hold some, with no frame behind them.
          subscriber.next({ type: 'unknown', eventType: event.$unknown[0], headers: {}, payload: new Uint8Array(0) });
        }
      },
      complete: delivery.truncated,
      error(cause) {
        if (isFinal(cause)) subscriber.error(cause);
        else delivery.truncated(cause);
      },
    },
    () => subscriber.closed,
  );
}

/** An error that says already what it is: AWS's own, or this package's. Everything else is a broken connection. */
function isFinal(error: unknown): boolean {
  return error instanceof LambdaStreamError || '$fault' in (Object(error) as object);
}

async function* none(): AsyncGenerator<never> {
  // No events at all.
}
