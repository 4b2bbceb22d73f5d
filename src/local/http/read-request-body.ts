import type { IncomingMessage } from 'node:http';

/** A body up to this many times over the limit is read and dropped before its answer; a longer one is cut off. */
const patience = 8;

/**
 * Reads a request's body: the bytes; 'too-large' where it is over the limit; undefined where the client went away.
 */
export async function readRequestBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | 'too-large' | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else if (length > maxBytes * patience) return 'too-large';
      else parts.length = 0;
    }
  } catch (error) {
    // A broken connection is the client's affair; anything else is ours.
    if (!request.destroyed) throw error;
    return undefined;
  }
  if (length > maxBytes) return 'too-large';
  // A plain Uint8Array of its own, so that records compare with what a client sent.
  return new Uint8Array(Buffer.concat(parts, length));
}
