import type { Subscriber } from 'rxjs';
import { ProtocolError, TruncatedStreamError } from '../errors.js';
import type { LambdaStreamEvent } from '../events.js';
import type { BodyReader } from './body-reader.js';
import { describeBytes } from './describe-bytes.js';
import { createMessageDecoder } from './message-decoder.js';
import type { MessageHeaders } from './message-headers.js';
import type { RawResponse } from './open-response.js';
import { deliverComplete } from './deliver-complete.js';
import { readBody } from './read-body.js';
import {
  classifyMessage,
  parseJsonObject,
  toCompleteEvent,
  toHeadEvent,
  type InvokeCompleteFields,
} from './to-event.js';

/** What the reading of a response needs to know of its invocation. */
export interface InvocationContext {
  readonly functionName: string;
  readonly functionErrors: 'throw' | 'emit';
  /** Aborts the request, for HTTP handlers whose body does not close the connection by itself. */
  readonly abort: () => void;
}

const eventStreamContentType = 'application/vnd.amazon.eventstream';

/** How many bytes of a body that is no event stream are looked at. */
const maxDescribedBytes = 64;

/**
 * Reads a response into a subscriber: its head, its frames, its end. Unsubscribing closes the connection.
 *
 * @returns The body's reader, not yet reading, or undefined where there is no body to read.
 */
export function streamEvents(
  response: RawResponse,
  { functionName, functionErrors, abort }: InvocationContext,
  subscriber: Subscriber<LambdaStreamEvent>,
): BodyReader | undefined {
  let chunks = 0;
  let bytes = 0;
  /** The response ended as it should: its connection stays open for the next request. */
  let ended = false;
  /** The header block that the chunks of this stream share: recognised by identity, see `MessageListener`. */
  let chunkHeaders: MessageHeaders | undefined;

  const decoder = createMessageDecoder((headers, payload) => {
    if (headers !== chunkHeaders) {
      const message = classifyMessage(headers);
      switch (message.kind) {
        case 'chunk':
          chunkHeaders = headers;
          break;
        case 'complete':
          complete(parseJsonObject(payload, 'InvokeComplete'));
          return false;
        case 'unknown':
          subscriber.next({ type: 'unknown', eventType: message.eventType, headers, payload });
          return !subscriber.closed;
        case 'failure':
          fail(message.errorType, message.message, payload);
          return false;
      }
    }
    chunks++;
    bytes += payload.length;
    subscriber.next({ type: 'chunk', payload });
    return !subscriber.closed;
  });

  /** What an InvokeComplete means for the subscriber. */
  function complete(fields: InvokeCompleteFields): void {
    ended = true;
    body.drain();
    deliverComplete(toCompleteEvent(fields), { functionName, functionErrors }, subscriber);
  }

  /** An exception within the stream: the end of it. */
  function fail(errorType: string, message: string | undefined, payload: Uint8Array): void {
    body.cancel();
    const error = message === undefined ? parseJsonObject(payload, `The in-stream ${errorType}`) : { message };
    void response.toException(errorType, error).then(
      (exception) => subscriber.error(exception),
      (cause: unknown) => subscriber.error(cause),
    );
  }

  const body = isEventStream(response)
    ? readBody(response.body, {
        next(read) {
          try {
            decoder.decode(read);
          } catch (error) {
            body.cancel();
            subscriber.error(error);
          }
        },
        complete: () => subscriber.error(new TruncatedStreamError({ functionName, chunks, bytes })),
        error: (cause) => subscriber.error(new TruncatedStreamError({ functionName, chunks, bytes, cause })),
      })
    : readForeignBody(response, subscriber);
  subscriber.add(() => {
    if (ended) return;
    body.cancel();
    abort();
  });

  if (response.statusCode === 204) {
    // An accepted DryRun: there is nothing to wait for.
    ended = true;
    body.drain();
    subscriber.next(toHeadEvent(response.statusCode, response.headers));
    subscriber.complete();
    return undefined;
  }
  if (isEventStream(response)) subscriber.next(toHeadEvent(response.statusCode, response.headers));
  return body;
}

/** Without a Content-Type the frames' checksums decide. A 204 has no body. */
function isEventStream({ statusCode, headers }: RawResponse): boolean {
  const contentType = headers['content-type'];
  return statusCode === 204 || contentType === undefined || contentType.startsWith(eventStreamContentType);
}

/** Reads as much of a body that is no event stream as it takes to say what it is. */
function readForeignBody(response: RawResponse, subscriber: Subscriber<LambdaStreamEvent>): BodyReader {
  const contentType = (response.headers['content-type'] ?? '').slice(0, 100);
  const refuse = (first: Uint8Array): void => {
    body.cancel();
    subscriber.error(
      new ProtocolError(
        `HTTP ${response.statusCode} with Content-Type "${contentType}" instead of ${eventStreamContentType}, ` +
          `its body begins with ${describeBytes(first.subarray(0, maxDescribedBytes))}: ` +
          `the endpoint may not support InvokeWithResponseStream (local emulators usually do not)`,
      ),
    );
  };
  const body = readBody(response.body, {
    next: refuse,
    complete: () => refuse(new Uint8Array(0)),
    error: (cause) => subscriber.error(cause),
  });
  return body;
}
