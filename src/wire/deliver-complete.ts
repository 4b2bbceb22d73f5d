import type { Subscriber } from 'rxjs';
import { FunctionError } from '../errors.js';
import type { CompleteEvent, LambdaStreamEvent } from '../events.js';

/** Ends a stream with its InvokeComplete: an ErrorCode is the stream's error, unless the caller wants it as an event. */
export function deliverComplete(
  event: CompleteEvent,
  { functionName, functionErrors }: { functionName: string; functionErrors: 'throw' | 'emit' },
  subscriber: Subscriber<LambdaStreamEvent>,
): void {
  const { errorCode, errorDetails = '', logTail } = event;
  if (errorCode !== undefined && functionErrors === 'throw') {
    const log = logTail !== undefined && { logTail };
    subscriber.error(new FunctionError({ functionName, errorCode, errorDetails, ...log }));
    return;
  }
  subscriber.next(event);
  subscriber.complete();
}
