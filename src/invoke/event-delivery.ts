import type { Subscriber } from 'rxjs';
import { FunctionError, ProtocolError, TruncatedStreamError } from '../errors.js';
import type { ChunkEvent, CompleteEvent, HeadEvent, LambdaStreamEvent } from '../events.js';
import { assertAttached } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';

/** Delivers the events of one response to its subscriber, and turns its end into a completion or an error. */
export interface EventDelivery {
  readonly head: (event: HeadEvent) => void;
  /** @throws DetachedPayloadError for a chunk whose buffer was transferred, because it would count as empty. */
  readonly chunk: (event: ChunkEvent) => void;
  /** Takes the InvokeComplete. Its ErrorCode becomes a FunctionError, unless the caller asked for the event. */
  readonly complete: (event: CompleteEvent) => void;
  /** Takes an end without InvokeComplete. @param cause - The error that broke the connection. Absent at a plain end. */
  readonly truncated: (cause?: unknown) => void;
  /** Takes any other failure. A ProtocolError gets the function's name and the request's id. */
  readonly fail: (error: unknown) => void;
  /** Tells the request's id, for the errors. The head event tells it too. */
  readonly identify: (requestId: string | undefined) => void;
}

export function createEventDelivery(
  functionName: string,
  functionErrors: 'throw' | 'emit',
  subscriber: Subscriber<LambdaStreamEvent>,
): EventDelivery {
  let requestId: string | undefined;
  let chunks = 0;
  let bytes = 0;
  return {
    identify(id) {
      requestId = id;
    },
    head(event) {
      requestId = event.requestId;
      subscriber.next(event);
    },
    chunk(event) {
      assertAttached(event.payload);
      chunks++;
      bytes += event.payload.length;
      subscriber.next(event);
    },
    complete(event) {
      const { errorCode, errorDetails = '', logTail } = event;
      if (errorCode !== undefined && functionErrors === 'throw') {
        subscriber.error(new FunctionError({ functionName, requestId, errorCode, errorDetails, logTail }));
      } else {
        subscriber.next(event);
        subscriber.complete();
      }
    },
    truncated(cause) {
      subscriber.error(new TruncatedStreamError(defined({ functionName, requestId, chunks, bytes, cause })));
    },
    fail(error) {
      subscriber.error(
        error instanceof ProtocolError
          ? new ProtocolError(error.message, defined({ functionName, requestId, cause: error.cause }))
          : error,
      );
    },
  };
}
