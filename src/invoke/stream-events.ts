import type { Subscriber } from 'rxjs';
import { ProtocolError } from '../errors.js';
import type { LambdaStreamEvent, MessageHeaders } from '../events.js';
import type { BodyReader } from './body-reader.js';
import type { EventDelivery } from './event-delivery.js';
import { createMessageDecoder } from '../event-stream/message-decoder.js';
import type { RawResponse } from './open-response.js';
import { readBody } from './read-body.js';
import { parseJsonObject, textHeader, toCompleteEvent, toHeadEvent } from './to-event.js';

const eventStreamContentType = 'application/vnd.amazon.eventstream';

/**
 * Reads a response into a subscriber: its head, its frames, its end. Unsubscribing closes the connection.
 *
 * @param abort - Aborts the request, for HTTP handlers whose body does not close the connection by itself.
 * @returns The body's reader, not yet reading.
 */
export function streamEvents(
  { statusCode, headers, body: rawBody, toException }: RawResponse,
  delivery: EventDelivery,
  subscriber: Subscriber<LambdaStreamEvent>,
  abort: () => void,
): BodyReader {
  /** The response ended as it should: its connection stays open for the next request. */
  let ended = false;
  /** The header block that the chunks of this stream share: recognised by identity, see `MessageListener`. */
  let chunkHeaders: MessageHeaders | undefined;

  const decoder = createMessageDecoder((frame, payload) => {
    if (frame !== chunkHeaders) {
      const messageType = frame[':message-type'];
      if (messageType === 'exception') {
        const errorType = textHeader(frame, ':exception-type');
        return fail(errorType, parseJsonObject(payload, errorType));
      }
      if (messageType === 'error') {
        return fail(textHeader(frame, ':error-code'), { message: frame[':error-message'] });
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
    ended = true;
    body.drain();
  }

  /** An exception within the stream: the end of it. */
  function fail(errorType: string, members: Readonly<Record<string, unknown>>): false {
    body.cancel();
    toException(errorType, members).then(delivery.fail, delivery.fail);
    return false;
  }

  function decode(bytes: Uint8Array): void {
    try {
      decoder.decode(bytes);
    } catch (error) {
      delivery.fail(error);
    }
  }

  const body = readBody(rawBody, { next: decode, complete: delivery.truncated, error: delivery.truncated });
  subscriber.add(() => {
    if (ended) return;
    body.cancel();
    abort();
  });

  delivery.identify(headers['x-amzn-requestid']);
  // An accepted DryRun: there is nothing to wait for.
  const isEmpty = statusCode === 204;
  if (isEmpty) drain();
  // Without a Content-Type the frames' checksums decide.
  const contentType = headers['content-type'] ?? eventStreamContentType;
  if (isEmpty || contentType.startsWith(eventStreamContentType)) {
    delivery.head(toHeadEvent(statusCode, headers));
  } else {
    delivery.fail(
      new ProtocolError(
        `HTTP ${statusCode} with Content-Type "${contentType.slice(0, 100)}" instead of ${eventStreamContentType}: ` +
          `the endpoint may not support InvokeWithResponseStream (local emulators usually do not)`,
      ),
    );
  }
  if (isEmpty) subscriber.complete();
  return body;
}
