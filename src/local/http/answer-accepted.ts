import type { IncomingMessage } from 'node:http';
import type { FunctionFailure } from '../invocation/describe-failure.js';
import type { IncomingInvocation, Invocation } from '../invocation/invocation.js';
import { requestTooLarge } from './service-errors.js';

/** A body up to this many times over the limit is read and dropped before its answer. A longer one is cut off. */
const patience = 8;

/**
 * Reads the payload of a request, accepts the invocation, answers it, and frees its place. Every door answers in this
 * order.
 *
 * @param accept - Accepts the invocation. Throws a ServiceRefusal for a request that is refused before the function
 * runs.
 * @param answer - Answers to the end of the response. Resolves with the function's failure, if it failed.
 */
export async function answerAccepted(
  incoming: IncomingInvocation,
  request: IncomingMessage,
  accept: (payload: Uint8Array) => Invocation,
  answer: (invocation: Invocation) => Promise<FunctionFailure | undefined>,
): Promise<FunctionFailure | undefined> {
  const { settings, record } = incoming;
  const body = await readRequestBody(request, settings.maxRequestBytes);
  // The client went away before its request was complete.
  if (body === undefined) return undefined;
  record.payload = body;
  const invocation = accept(body);
  try {
    return await answer(invocation);
  } finally {
    invocation.release();
  }
}

/**
 * Reads the body of a request. Resolves with undefined when the client went away.
 *
 * @throws ServiceRefusal with status 413 for a body over the limit.
 */
async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    // The rest of a much too long body is left unread, so that the refusal can still be sent.
    const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const part of body) {
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else if (length > maxBytes * patience) break;
      else parts.length = 0;
    }
  } catch (error) {
    // A client that breaks the connection destroys the request. Any other error is a fault of this endpoint.
    if (!request.destroyed) throw error;
    return undefined;
  }
  if (length > maxBytes) throw requestTooLarge(maxBytes);
  // A plain Uint8Array, so that a test can compare a record's payload with the bytes that a client sent.
  return new Uint8Array(Buffer.concat(parts, length));
}
