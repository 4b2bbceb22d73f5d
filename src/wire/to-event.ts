import type { CompleteEvent, HeadEvent } from '../events.js';
import { ProtocolError } from '../errors.js';
import { textFromBase64 } from './base64.js';
import type { MessageHeaders } from './message-headers.js';

/** What one frame says. `failure` names what the SDK is to build an exception of. */
export type Message =
  | { readonly kind: 'chunk' | 'complete' }
  | { readonly kind: 'unknown'; readonly eventType: string }
  | { readonly kind: 'failure'; readonly errorType: string; readonly message?: string };

/** AWS's field names in an InvokeComplete. */
export interface InvokeCompleteFields {
  readonly ErrorCode?: string | undefined;
  readonly ErrorDetails?: string | undefined;
  readonly LogResult?: string | undefined;
}

/** The head event of a response. */
export function toHeadEvent(statusCode: number, headers: Readonly<Record<string, string>>): HeadEvent {
  const executedVersion = headers['x-amz-executed-version'];
  const contentType = headers['x-amzn-remapped-content-type'] ?? headers['content-type'];
  const requestId = headers['x-amzn-requestid'];
  return {
    type: 'head',
    statusCode,
    ...(executedVersion !== undefined && { executedVersion }),
    ...(contentType !== undefined && { contentType }),
    ...(requestId !== undefined && { requestId }),
    headers,
  };
}

/** The complete event of an InvokeComplete. */
export function toCompleteEvent({ ErrorCode, ErrorDetails, LogResult }: InvokeCompleteFields): CompleteEvent {
  return {
    type: 'complete',
    ...(ErrorCode && { errorCode: ErrorCode }),
    ...(ErrorDetails !== undefined && { errorDetails: ErrorDetails }),
    ...(LogResult !== undefined && { logTail: textFromBase64(LogResult) }),
  };
}

/**
 * Classifies a frame by its headers.
 *
 * @throws {@link ProtocolError} for headers that no frame of this protocol has.
 */
export function classifyMessage(headers: MessageHeaders): Message {
  const messageType = headers[':message-type'];
  switch (messageType) {
    case 'event': {
      const eventType = textHeader(headers, ':event-type');
      if (eventType === 'PayloadChunk') return { kind: 'chunk' };
      if (eventType === 'InvokeComplete') return { kind: 'complete' };
      return { kind: 'unknown', eventType };
    }
    case 'exception':
      return { kind: 'failure', errorType: textHeader(headers, ':exception-type') };
    case 'error': {
      const message = headers[':error-message'];
      return {
        kind: 'failure',
        errorType: textHeader(headers, ':error-code'),
        ...(typeof message === 'string' && { message }),
      };
    }
    default:
      throw new ProtocolError(
        messageType === undefined
          ? 'A frame has no :message-type header'
          : 'A frame has a :message-type other than event, exception and error',
      );
  }
}

/**
 * Reads the JSON object that a frame carries; an empty payload counts as `{}`.
 *
 * @throws {@link ProtocolError} for anything else.
 */
export function parseJsonObject(payload: Uint8Array, what: string): Record<string, unknown> {
  if (payload.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    // The parser's own message quotes the payload, which must not travel in an error.
    throw new ProtocolError(`${what} carries ${payload.length} bytes that are no JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ProtocolError(`${what} carries JSON that is no object`);
  }
  return parsed as Record<string, unknown>;
}

function textHeader(headers: MessageHeaders, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') throw new ProtocolError(`A frame has no ${name} header`);
  return value;
}
