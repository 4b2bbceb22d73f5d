import type { Outlet } from './exchange.js';
import type { RelayResponse } from './node-exchange.js';

/** A response of node:http, whose chunks can be framed here. */
interface ChunkedResponse extends RelayResponse {
  /** Whether `write` frames what it is given as an HTTP/1.1 chunk. */
  chunkedEncoding?: boolean;
}

/** Node's own members that are needed here, where there is a Node. */
const { process, Buffer } = globalThis as {
  readonly process?: { readonly versions?: Readonly<Record<string, unknown>> };
  readonly Buffer?: { concat(parts: readonly Uint8Array[]): Uint8Array };
};
const { bun, deno } = process?.versions ?? {};
const encoder = new TextEncoder();
const lineEnd = encoder.encode('\r\n');

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
 * Chunks are framed here where they can be, once for all clients: Node frames each client's anew, in four writes, which
 * costs more than all else that the relay does for a message (bench/relay).
 */
export function createNodeOutlet(response: ChunkedResponse, queued: () => number): Outlet {
  const framesItself = isPlain(response);
  if (framesItself) response.chunkedEncoding = false;
  return {
    // A chunk without bytes would be the last one.
    write: (bytes) => bytes.length === 0 || response.write(framesItself ? toChunk(bytes) : bytes),
    get waiting() {
      return response.writableLength + queued();
    },
    end() {
      // Node writes the last chunk.
      if (framesItself) response.chunkedEncoding = true;
      response.end('');
    },
    cut: () => void response.destroy(),
  };
}
