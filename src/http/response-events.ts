import type { Subscriber } from 'rxjs';
import { HttpStatusError, ProtocolError, TruncatedStreamError } from '../errors.js';
import type { HttpHeadEvent, LambdaStreamEvent } from '../events.js';
import { toHeadEvent } from '../invoke/to-event.js';
import { createByteCollector } from '../shared/byte-collector.js';
import { plainBytes } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';

/** How much of a failed response's body the error carries, in bytes: as much as `decodeHttpResponse` keeps. */
const maxErrorBodyBytes = 64 * 1024;

/** Delivers one HTTP response as events. */
export interface ResponseEvents {
  /** Delivers the head, and also the HTTP head unless the status is a failure. */
  readonly begin: () => void;
  readonly chunk: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /** Ends the events after the connection broke. */
  readonly broke: (cause: unknown) => void;
}

/**
 * Makes the events of one response.
 *
 * @throws {@link ProtocolError} for a response that a page must not read; whatever `isFailure` throws.
 */
export function createResponseEvents(
  response: Response,
  subscriber: Subscriber<LambdaStreamEvent>,
  isFailure: (statusCode: number) => boolean,
): ResponseEvents {
  const { status: statusCode } = response;
  if (statusCode === 0) {
    throw new ProtocolError(
      `The response is ${response.type}: the browser hides its status and body. Request it with mode 'cors', let its ` +
        `server answer with Access-Control-Allow-Origin, and let fetch follow redirects`,
    );
  }
  const headers = headersOf(response.headers);
  const errorBody = isFailure(statusCode) ? createByteCollector() : undefined;
  const head = toHeadEvent(statusCode, headers);
  const { requestId } = head;
  let chunks = 0;
  let bytes = 0;

  function failWith(body: Uint8Array): void {
    const { headers } = toHttpHeadEvent(response);
    subscriber.error(new HttpStatusError({ statusCode, headers, body }));
  }

  return {
    begin() {
      subscriber.next(head);
      if (!errorBody) subscriber.next(toHttpHeadEvent(response));
    },
    chunk(piece) {
      // A replaced fetch may stream text, which would otherwise count as no bytes.
      if (!ArrayBuffer.isView(piece)) {
        throw new TypeError('fetchResponseStream: the body of the response holds something else than bytes');
      }
      if (errorBody) {
        errorBody.append(piece.subarray(0, maxErrorBodyBytes - errorBody.length));
        if (errorBody.length === maxErrorBodyBytes) failWith(errorBody.toBytes());
        return;
      }
      chunks++;
      bytes += piece.length;
      subscriber.next({ type: 'chunk', payload: plainBytes(piece) });
    },
    end() {
      if (errorBody) {
        failWith(errorBody.toBytes());
        return;
      }
      subscriber.next({ type: 'complete' });
      subscriber.complete();
    },
    broke(cause) {
      // The status is known. It says more than the later break of the connection.
      if (errorBody) failWith(errorBody.toBytes());
      else subscriber.error(new TruncatedStreamError(defined({ requestId, chunks, bytes, cause })));
    },
  };
}

/** Returns all headers, with names in lower case. */
function headersOf(headers: Headers): Record<string, string> {
  const all: Record<string, string> = {};
  headers.forEach((value, name) => {
    const known = all[name];
    // Only Set-Cookie can come more than once.
    all[name] = known === undefined ? value : `${known}, ${value}`;
  });
  return all;
}

function toHttpHeadEvent({ status, headers }: Response): HttpHeadEvent {
  const { 'set-cookie': _cookies, ...others } = headersOf(headers);
  // Browsers hide the cookies of a response, and older browsers lack the method.
  const cookies = (headers as Partial<Headers>).getSetCookie?.call(headers) ?? [];
  return { type: 'http-head', statusCode: status, headers: others, cookies };
}
