import type { Subscriber } from 'rxjs';
import { LambdaStreamError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import type { RunInContext } from '../shared/async-context.js';
import { assertAttached, plainBytes } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';
import type { EventDelivery } from './event-delivery.js';
import type { LambdaStreamOutput, LambdaStreamOutputEvent } from './lambda-stream-client.js';
import { pull, type Pull } from './pull.js';
import { toCompleteEvent } from './to-event.js';

/**
 * Reads the output of a mocked client by its `EventStream`. Such a client runs no middleware and has no connection.
 *
 * @returns The reader of the events, which is still paused. Undefined where the output has no events.
 */
export function streamOutput(
  output: LambdaStreamOutput,
  delivery: EventDelivery,
  subscriber: Subscriber<LambdaStreamEvent>,
  runInContext: RunInContext,
): Pull | undefined {
  const { StatusCode = 200, ExecutedVersion, ResponseStreamContentType, EventStream = none() } = output;
  const head = defined({
    type: 'head' as const,
    statusCode: StatusCode,
    executedVersion: ExecutedVersion,
    contentType: ResponseStreamContentType,
    requestId: output.$metadata?.requestId,
    headers: {},
  });
  runInContext(delivery.head, head);
  if (StatusCode === 204) {
    runInContext(() => subscriber.complete(), undefined);
    return undefined;
  }

  const iterator = iterate(EventStream);
  subscriber.add(() => close(iterator));

  function take({ PayloadChunk, InvokeComplete, $unknown }: LambdaStreamOutputEvent): void {
    if (PayloadChunk) {
      const { Payload = new Uint8Array(0) } = PayloadChunk;
      assertAttached(Payload);
      // A plain view, also where the mock was given a Buffer.
      delivery.chunk({ type: 'chunk', payload: plainBytes(Payload) });
    } else if (InvokeComplete) {
      delivery.complete(toCompleteEvent(InvokeComplete));
    } else if ($unknown) {
      // The SDK's own iterator drops unknown events. A mock may hold some, with no frame behind them.
      subscriber.next({ type: 'unknown', eventType: $unknown[0], headers: {}, payload: new Uint8Array(0) });
    }
  }

  function fail(cause: unknown): void {
    if (isFinal(cause)) delivery.fail(cause);
    else delivery.truncated(cause);
  }

  return pull(
    () => iterator.next(),
    {
      next: (event) => runInContext(take, event),
      complete: () => runInContext(delivery.truncated, undefined),
      error: (cause) => runInContext(fail, cause),
    },
    () => subscriber.closed,
  );
}

/** The iterator of a mock. Its methods may return promises or plain values. */
interface EventIterator {
  next(): IteratorResult<LambdaStreamOutputEvent> | Promise<IteratorResult<LambdaStreamOutputEvent>>;
  return?(): unknown;
}

/** Iterates a mock's events: an async iterable, as the SDK's, or a plain array. */
function iterate(events: AsyncIterable<LambdaStreamOutputEvent> | Iterable<LambdaStreamOutputEvent>): EventIterator {
  return Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]();
}

/** Closes a mock's iterator. Its errors are dropped, because the subscriber has left or was told of the end. */
function close(iterator: EventIterator): void {
  new Promise((resolve) => resolve(iterator.return?.())).catch(() => undefined);
}

/** Tells an exception of AWS or an error of this package from a broken connection. */
function isFinal(error: unknown): boolean {
  return error instanceof LambdaStreamError || '$fault' in (Object(error) as object);
}

async function* none(): AsyncGenerator<never> {
  // There are no events.
}
