import type { Subscriber } from 'rxjs';
import { ProtocolError } from '../errors.js';
import type { LambdaStreamEvent, MessageHeaders } from '../events.js';
import { createMessageDecoder } from '../event-stream/message-decoder.js';
import type { RunInContext } from '../shared/async-context.js';
import { mediaTypeOf } from '../shared/media-type.js';
import type { EventDelivery } from './event-delivery.js';
import type { RawResponse } from './seamed-command.js';
import { readBody, type BodyReader } from './read-body.js';
import { parseJsonObject, textHeader, toCompleteEvent, toHeadEvent } from './to-event.js';

const eventStreamContentType = 'application/vnd.amazon.eventstream';

export interface StreamEventsOptions {
  readonly response: RawResponse;
  readonly delivery: EventDelivery;
  readonly subscriber: Subscriber<LambdaStreamEvent>;
  /** Enters the async context of the subscription. Called once per read. */
  readonly runInContext: RunInContext;
  /** Aborts the request, because the bodies of some HTTP handlers do not close the connection. */
  readonly abort: () => void;
}

/**
 * Reads a response into a subscriber: its head, its frames, its end. Unsubscribing closes the connection.
 *
 * @returns The body's reader, which is still paused.
 * @throws TypeError for a body that cannot be read. The caller makes it the subscriber's error, which aborts the
 * request.
 */
export function streamEvents(options: StreamEventsOptions): BodyReader {
  const { delivery, subscriber, runInContext, abort } = options;
  const { statusCode, headers, body: rawBody, toException } = options.response;
  /** Whether the response ended as it should. Then its connection stays open for the next request. */
  let isEnded = false;
  // Assigned below. The teardown reads it also where `readBody` has thrown.
  let body = undefined as BodyReader | undefined;
  /** The headers that the chunks of this stream share. They are the same object: see `MessageListener`. */
  let chunkHeaders: MessageHeaders | undefined;

  const decoder = createMessageDecoder((frame, payload) => {
    if (frame !== chunkHeaders) {
      const messageType = frame[':message-type'];
      if (messageType === 'exception') return fail(textHeader(frame, ':exception-type'), payload);
      if (messageType === 'error') {
        const message = frame[':error-message'] === undefined ? undefined : textHeader(frame, ':error-message');
        return fail(textHeader(frame, ':error-code'), new TextEncoder().encode(JSON.stringify({ message })));
      }
      if (messageType !== 'event') {
        throw new ProtocolError('A frame has no :message-type of event, exception or error');
      }
      const eventType = textHeader(frame, ':event-type');
      if (eventType === 'InvokeComplete') {
        const event = toCompleteEvent(parseJsonObject(payload, eventType));
        drain();
        delivery.complete(event);
        return false;
      }
      if (eventType !== 'PayloadChunk') {
        subscriber.next({ type: 'unknown', eventType, headers: frame, payload });
        return !subscriber.closed;
      }
      chunkHeaders = frame;
    }
    delivery.chunk({ type: 'chunk', payload });
    return !subscriber.closed;
  });

  function drain(): void {
    isEnded = true;
    body?.drain();
  }

  /** Ends the stream with an exception that arrived within it. */
  function fail(errorType: string, payload: Uint8Array): false {
    const members = parseJsonObject(payload, errorType);
    body?.cancel();
    const deliver = (error: unknown): void => runInContext(delivery.fail, error);
    toException(errorType, members, payload.length > 0 ? payload : emptyJson).then(deliver, deliver);
    return false;
  }

  function decode(bytes: Uint8Array): void {
    try {
      decoder.decode(bytes);
    } catch (error) {
      delivery.fail(error);
    }
  }

  subscriber.add(() => {
    if (isEnded) return;
    body?.cancel();
    abort();
  });
  body = readBody(rawBody, {
    next: (bytes) => runInContext(decode, bytes),
    complete: () => runInContext(delivery.truncated, undefined),
    error: (cause) => runInContext(delivery.truncated, cause),
  });
  // The consumer has unsubscribed before the headers came. The teardown above had no body to close.
  if (subscriber.closed) {
    body.cancel();
    return body;
  }

  delivery.identify(headers['x-amzn-requestid']);
  // A 204 is an accepted DryRun. It has no body.
  const isEmpty = statusCode === 204;
  if (isEmpty) drain();
  // Without a Content-Type the checksums of the frames decide.
  const contentType = headers['content-type'] ?? eventStreamContentType;
  if (isEmpty || mediaTypeOf(contentType) === eventStreamContentType) {
    runInContext(delivery.head, toHeadEvent(statusCode, headers));
  } else {
    const error = new ProtocolError(
      `HTTP ${statusCode} with Content-Type "${contentType.slice(0, 100)}" instead of ${eventStreamContentType}: ` +
        `the endpoint may not support InvokeWithResponseStream (local emulators usually do not)`,
    );
    runInContext(delivery.fail, error);
  }
  if (isEmpty) runInContext(() => subscriber.complete(), undefined);
  return body;
}

const emptyJson = /* @__PURE__ */ new TextEncoder().encode('{}');
