import type { Subscriber } from 'rxjs';
import { FunctionError, TruncatedStreamError } from '../errors.js';
import type { ChunkEvent, CompleteEvent, LambdaStreamEvent } from '../events.js';
import { defined } from '../shared/defined.js';

/** Delivers a response's events, and knows what an end means. */
export interface EventDelivery {
  readonly chunk: (event: ChunkEvent) => void;
  /** The InvokeComplete: an ErrorCode is the stream's error, unless the caller wants it as an event. */
  readonly complete: (event: CompleteEvent) => void;
  /** An end without InvokeComplete. @param cause - What broke the connection, where it did not just end. */
  readonly truncated: (cause?: unknown) => void;
}

export function createEventDelivery(
  functionName: string,
  functionErrors: 'throw' | 'emit',
  subscriber: Subscriber<LambdaStreamEvent>,
): EventDelivery {
  let chunks = 0;
  let bytes = 0;
  return {
    chunk(event) {
      chunks++;
      bytes += event.payload.length;
      subscriber.next(event);
    },
    complete(event) {
      const { errorCode, errorDetails = '', logTail } = event;
      if (errorCode !== undefined && functionErrors === 'throw') {
        subscriber.error(new FunctionError({ functionName, errorCode, errorDetails, logTail }));
      } else {
        subscriber.next(event);
        subscriber.complete();
      }
    },
    truncated(cause) {
      subscriber.error(new TruncatedStreamError(defined({ functionName, chunks, bytes, cause })));
    },
  };
}
