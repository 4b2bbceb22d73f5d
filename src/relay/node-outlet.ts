import type { Outlet } from './exchange.js';
import type { RelayResponse } from './node-exchange.js';

/** A response of node:http. This file can frame its chunks. */
interface ChunkedResponse extends RelayResponse {
  /** Whether `write` frames its bytes as an HTTP/1.1 chunk. */
  chunkedEncoding?: boolean;
  /** Absent while a pipelined request waits for its turn. */
  readonly socket?: { write(bytes: Uint8Array): boolean } | null;
}

/** The used members of Node's global object. They are absent in other runtimes. */
const { process, Buffer } = globalThis as {
  readonly process?: { readonly versions?: Readonly<Record<string, unknown>> };
  readonly Buffer?: { concat(parts: readonly Uint8Array[]): Uint8Array };
};
const { bun, deno } = process?.versions ?? {};
const encoder = new TextEncoder();
const lineEnd = encoder.encode('\r\n');
const noBytes = new Uint8Array(0);

/** The last chunk and its frame. Clients at the same position of an invocation get the same bytes. */
let framed: { readonly bytes: Uint8Array; readonly chunk: Uint8Array } | undefined;

/** Makes an HTTP/1.1 chunk in one piece. Node would write it in four. */
function toChunk(bytes: Uint8Array): Uint8Array {
  if (framed?.bytes !== bytes) {
    const size = encoder.encode(`${bytes.length.toString(16)}\r\n`);
    framed = { bytes, chunk: Buffer?.concat([size, bytes, lineEnd]) ?? bytes };
  }
  return framed.chunk;
}

/**
 * Tells whether chunks may be framed here: in Node itself, over HTTP/1.1, and only if nothing has replaced `write`. A
 * compressing middleware replaces it.
 */
function isPlain(response: ChunkedResponse): boolean {
  const isNode = Buffer !== undefined && bun === undefined && deno === undefined;
  return isNode && response.chunkedEncoding === true && !Object.hasOwn(response, 'write');
}

/**
 * Makes the sending side of a response whose headers were sent.
 *
 * Where possible a chunk is framed here, once for all clients, and written to the socket. Node would frame it anew for
 * each client, in four writes, and hold the socket back until the next tick. That costs more than everything else that
 * the relay does for a message (bench/relay).
 */
export function createNodeOutlet(response: ChunkedResponse, queued: () => number): Outlet {
  const framesItself = isPlain(response);
  if (framesItself) response.chunkedEncoding = false;

  function write(bytes: Uint8Array): boolean {
    // A chunk without bytes would end the response.
    if (bytes.length === 0) return true;
    if (!framesItself) return response.write(bytes);
    const chunk = toChunk(bytes);
    if (!response.socket) return response.write(chunk);
    // The response emits 'drain' only after its own `write` has returned false. So it writes no bytes here.
    return response.socket.write(chunk) || response.write(noBytes);
  }

  return {
    write,
    waiting: () => response.writableLength + queued(),
    end() {
      // Node itself writes the last chunk.
      if (framesItself) response.chunkedEncoding = true;
      response.end('');
    },
    cut: () => void response.destroy(),
  };
}
