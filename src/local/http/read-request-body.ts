import type { IncomingMessage } from 'node:http';
import { requestTooLarge } from './service-errors.js';

/** A body up to this many times over the limit is read and dropped before its answer; a longer one is cut off. */
const patience = 8;

/**
 * Reads a request's body. Resolves with undefined where the client went away.
 *
 * @throws ServiceRefusal with status 413 for a body over the limit.
 */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
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
    // The client broke the connection. Any other error is ours.
    if (!request.destroyed) throw error;
    return undefined;
  }
  if (length > maxBytes) throw requestTooLarge(maxBytes);
  // A plain Uint8Array of its own, so that records compare with what a client sent.
  return new Uint8Array(Buffer.concat(parts, length));
}
