import { isLambdaStreamError } from '../errors.js';
import { encodeChunk, encodeEvent, encodeException } from '../event-stream/encode-message.js';
import type { CompleteEvent, HeadEvent } from '../events.js';
import { toBase64 } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';
import { parseObject } from '../shared/json.js';
import { answerFailure } from './failure-answer.js';
import { generationOf, type StreamEvent, type StreamFormat } from './stream-format.js';

/** The encoded chunks by their payload. All clients of an invocation get the same bytes. */
const encodedChunks = new WeakMap<Uint8Array, Uint8Array>();

const ping = encodeEvent('RxPing', 'application/json', '{}');

/** Whether the client may see the details of a failure. */
interface FrameFormatOptions {
  /** The client knows this package's own events (`rx=1`). */
  readonly isRx: boolean;
  readonly expose: 'all' | undefined;
}

/**
 * Writes Lambda's own frames. Every client gets pings, because clients ignore event types that they do not know. A
 * restart is sent only to a client that knows it. Any other client would join two texts, and so gets an exception.
 */
export function createFrameFormat({ isRx, expose }: FrameFormatOptions): StreamFormat {
  function ownEvent(event: object): Uint8Array[] {
    return isRx ? [encodeEvent('RxEvent', 'application/json', JSON.stringify(event))] : [];
  }

  function failure(error: unknown): Uint8Array[] {
    const { errorCode, errorDetails, logTail } = Object(error) as Partial<CompleteEvent>;
    if (isLambdaStreamError(error) && error.code === 'function-error' && errorCode !== undefined) {
      return [encodeComplete(defined({ type: 'complete' as const, errorCode, errorDetails, logTail }), expose)];
    }
    const { name, status, body } = answerFailure(error, expose);
    return [encodeException(name, { ...body, status })];
  }

  return {
    contentType: 'application/vnd.amazon.eventstream',
    ping,
    place: () => undefined,
    failure,
    event(event) {
      switch (event.type) {
        case 'chunk':
          return [encodeSharedChunk(event.payload)];
        case 'complete':
          return [encodeComplete(event, expose)];
        case 'unknown':
          return [encodeEvent(event.eventType, 'application/octet-stream', event.payload)];
        case 'head':
          return ownEvent(openHead(event, expose));
        case 'http-head': {
          const { statusCode, headers, cookies } = event;
          return ownEvent({ type: 'http-head', statusCode, headers, cookies });
        }
        case 'retry': {
          const { mode, attempt, delayMs, delivered } = event;
          const told = { type: 'retry', mode, attempt, delayMs, delivered, error: toldError(event.error, expose) };
          if (mode !== 'restart') return ownEvent(told);
          const body = JSON.stringify({ ...told, generation: generationOf(event.position) });
          return [encodeEvent('RxRestart', 'application/json', body)];
        }
      }
    },
  };
}

/** Tells whether an event ends the stream of a client that does not know this package's own events. */
export function endsPlainFrames(event: StreamEvent): boolean {
  return event.type === 'retry' && (event.mode === 'restart' || event.mode === 'continue');
}

function encodeSharedChunk(payload: Uint8Array): Uint8Array {
  let frame = encodedChunks.get(payload);
  if (frame === undefined) encodedChunks.set(payload, (frame = encodeChunk(payload)));
  return frame;
}

/** Encodes an InvokeComplete. Without `expose` it shows the class of the error, and neither its details nor the log. */
function encodeComplete({ errorCode, errorDetails, logTail }: CompleteEvent, expose: 'all' | undefined): Uint8Array {
  const { errorType } = parseObject(errorDetails ?? '') ?? {};
  const openDetails = typeof errorType === 'string' ? JSON.stringify({ errorType }) : undefined;
  const body = defined({
    ErrorCode: errorCode,
    ErrorDetails: expose === 'all' ? errorDetails : openDetails,
    LogResult: expose === 'all' && logTail !== undefined ? toBase64(new TextEncoder().encode(logTail)) : undefined,
  });
  return encodeEvent('InvokeComplete', 'application/json', JSON.stringify(body));
}

/** Returns the fields of a head that may leave the server. */
export function openHead(head: HeadEvent, expose: 'all' | undefined): Omit<HeadEvent, 'headers'> {
  const { type, statusCode, executedVersion, contentType, requestId } = head;
  return defined({
    type,
    statusCode,
    executedVersion,
    contentType,
    requestId: expose === 'all' ? requestId : undefined,
  });
}

function toldError(error: unknown, expose: 'all' | undefined): object {
  const { name, status, body } = answerFailure(error, expose);
  return { name, status, ...body };
}
