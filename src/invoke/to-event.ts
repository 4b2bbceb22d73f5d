import type { CompleteEvent, HeadEvent, MessageHeaders } from '../events.js';
import { ProtocolError } from '../errors.js';
import { textFromBase64 } from '../shared/bytes.js';
import { defined } from '../shared/defined.js';
import { asText, parseObject } from '../shared/json.js';
import type { InvokeCompleteFields } from './lambda-stream-client.js';

/** Makes the head event of a response. */
export function toHeadEvent(statusCode: number, headers: Readonly<Record<string, string>>): HeadEvent {
  return defined({
    type: 'head' as const,
    statusCode,
    executedVersion: headers['x-amz-executed-version'],
    contentType: headers['x-amzn-remapped-content-type'] ?? headers['content-type'],
    requestId: headers['x-amzn-requestid'],
    headers,
  });
}

/** Makes the complete event of an InvokeComplete. */
export function toCompleteEvent({ ErrorCode, ErrorDetails, LogResult }: InvokeCompleteFields): CompleteEvent {
  const log = asText(LogResult);
  return defined({
    type: 'complete' as const,
    errorCode: errorCodeText(ErrorCode),
    errorDetails: asText(ErrorDetails),
    logTail: log === undefined ? undefined : textFromBase64(log),
  });
}

/** Describes an ErrorCode as text. A service may send an ErrorCode that is not text, and it is still a failure. */
function errorCodeText(errorCode: unknown): string | undefined {
  if (!errorCode) return undefined;
  if (typeof errorCode === 'string') return errorCode;
  try {
    return JSON.stringify(errorCode);
  } catch {
    // Nested too deep for JSON.stringify, though JSON.parse has read it.
    return 'An ErrorCode that is not text';
  }
}

/**
 * Reads the JSON object that a frame carries; an empty payload counts as `{}`.
 *
 * @throws {@link ProtocolError} for anything else.
 */
export function parseJsonObject(payload: Uint8Array, what: string): Record<string, unknown> {
  const parsed = parseObject(new TextDecoder().decode(payload) || '{}');
  if (parsed && !Array.isArray(parsed)) return parsed;
  throw new ProtocolError(`${what} carries ${payload.length} bytes that are not a JSON object`);
}

/**
 * Reads a header that every frame of this kind has.
 *
 * @throws {@link ProtocolError} where it is absent, or is not text.
 */
export function textHeader(headers: MessageHeaders, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') throw new ProtocolError(`A frame has no ${name} header that is text`);
  return value;
}
