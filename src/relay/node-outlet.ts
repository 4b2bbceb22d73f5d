import type { Outlet } from './exchange.js';
import type { RelayResponse } from './node-exchange.js';

/** A response of node:http, whose chunks can be framed here. */
interface ChunkedResponse extends RelayResponse {
  /** Whether `write` frames what it is given as an HTTP/1.1 chunk. */
  chunkedEncoding?: boolean;
  /** Absent before a pipelined request's turn. */
  readonly socket?: { write(bytes: Uint8Array): boolean } | null;
}

/** Node's own members that are needed here, where there is a Node. */
const { process, Buffer } = globalThis as {
  readonly process?: { readonly versions?: Readonly<Record<string, unknown>> };
  readonly Buffer?: { concat(parts: readonly Uint8Array[]): Uint8Array };
};
const { bun, deno } = process?.versions ?? {};
const encoder = new TextEncoder();
const lineEnd = encoder.encode('\r\n');
const noBytes = new Uint8Array(0);

/** What was framed last: clients at the same place of an invocation are sent the same bytes. */
let framed: { readonly bytes: Uint8Array; readonly chunk: Uint8Array } | undefined;

/** An HTTP/1.1 chunk as Node would write it in four pieces, in one. */
function toChunk(bytes: Uint8Array): Uint8Array {
  if (framed?.bytes !== bytes) {
    const size = encoder.encode(`${bytes.length.toString(16)}\r\n`);
    framed = { bytes, chunk: Buffer?.concat([size, bytes, lineEnd]) ?? bytes };
  }
  return framed.chunk;
}

/**
 * Whether chunks may be framed here: by Node itself, over HTTP/1.1, and with nobody's `write` in the place of Node's,
 * as a compressing middleware has it.
 */
function isPlain(response: ChunkedResponse): boolean {
  const isNode = Buffer !== undefined && bun === undefined && deno === undefined;
  return isNode && response.chunkedEncoding === true && !Object.hasOwn(response, 'write');
}

/**
 * The sending side of a response whose headers were sent.
 *
 * Chunks are framed here where they can be, once for all clients, and written to the socket. Node frames each client's
 * anew, in four writes, and holds the socket back until the next tick, which costs more than all else that the relay
 * does for a message (bench/relay).
 */
export function createNodeOutlet(response: ChunkedResponse, queued: () => number): Outlet {
  const framesItself = isPlain(response);
  if (framesItself) response.chunkedEncoding = false;

  function write(bytes: Uint8Array): boolean {
    // A chunk without bytes would be the last one.
    if (bytes.length === 0) return true;
    if (!framesItself) return response.write(bytes);
    const chunk = toChunk(bytes);
    if (!response.socket) return response.write(chunk);
    // The response tells of 'drain' once its own write, though of nothing, has been refused too.
    return response.socket.write(chunk) || response.write(noBytes);
  }

  return {
    write,
    waiting: () => response.writableLength + queued(),
    end() {
      // Node writes the last chunk.
      if (framesItself) response.chunkedEncoding = true;
      response.end('');
    },
    cut: () => void response.destroy(),
  };
}
