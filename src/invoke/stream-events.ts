import type { Subscriber } from 'rxjs';
import { ProtocolError } from '../errors.js';
import type { LambdaStreamEvent, MessageHeaders } from '../events.js';
import { createMessageDecoder } from '../event-stream/message-decoder.js';
import type { RunInContext } from '../shared/async-context.js';
import type { EventDelivery } from './event-delivery.js';
import type { RawResponse } from './seamed-command.js';
import { readBody, type BodyReader } from './read-body.js';
import { parseJsonObject, textHeader, toCompleteEvent, toHeadEvent } from './to-event.js';

const eventStreamContentType = 'application/vnd.amazon.eventstream';

export interface StreamEventsOptions {
  readonly response: RawResponse;
  readonly delivery: EventDelivery;
  readonly subscriber: Subscriber<LambdaStreamEvent>;
  /** Enters the subscription's async context, once a read. */
  readonly runInContext: RunInContext;
  /** Aborts the request, for HTTP handlers whose body does not close the connection by itself. */
  readonly abort: () => void;
}

/**
 * Reads a response into a subscriber: its head, its frames, its end. Unsubscribing closes the connection.
 *
 * @returns The body's reader, not yet reading.
 * @throws TypeError for a body that cannot be read. The request is aborted with the subscriber's error.
 */
export function streamEvents(options: StreamEventsOptions): BodyReader {
  const { delivery, subscriber, runInContext, abort } = options;
  const { statusCode, headers, body: rawBody, toException } = options.response;
  /** The response ended as it should: its connection stays open for the next request. */
  let isEnded = false;
  // Assigned below; also read by the teardown of a body that cannot be read.
  let body = undefined as BodyReader | undefined;
  /** The header block that the chunks of this stream share: recognised by identity, see `MessageListener`. */
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
  // Unsubscribed before the headers came: the teardown above ran before there was a body to close.
  if (subscriber.closed) {
    body.cancel();
    return body;
  }

  delivery.identify(headers['x-amzn-requestid']);
  // A 204 is an accepted DryRun: there is nothing to wait for.
  const isEmpty = statusCode === 204;
  if (isEmpty) drain();
  // Without a Content-Type the frames' checksums decide.
  const contentType = headers['content-type'] ?? eventStreamContentType;
  if (isEmpty || isEventStream(contentType)) {
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

/** Compares the media type, which is case-insensitive and ends at its parameters. */
function isEventStream(contentType: string): boolean {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() === eventStreamContentType;
}
