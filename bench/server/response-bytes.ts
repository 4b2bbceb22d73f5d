import { chunkFrame, completeFrame, concat } from '../../test/support/frames.js';
import type { Shape } from '../events/shapes.js';

const ascii = new TextEncoder();

/** The number of payloads, so that no two frames in a row are equal, as in real streams. */
const differentFrames = 8;

/** The smallest write, so that the server has little to do. It holds many HTTP chunks, each with its own length. */
const minWriteBytes = 64 * 1024;

const headOf = (...headers: string[]): string =>
  ['HTTP/1.1 200 OK', ...headers, 'transfer-encoding: chunked', '\r\n'].join('\r\n');

/** The head of Lambda's response. */
export const responseHead = headOf(
  'content-type: application/vnd.amazon.eventstream',
  'x-amzn-remapped-content-type: application/octet-stream',
  'x-amzn-requestid: 00000000-0000-0000-0000-000000000000',
  'x-amz-executed-version: $LATEST',
);

/** The head of a response that is no event stream. */
export const bodyHead = headOf('content-type: application/octet-stream');

const lastChunk = ascii.encode('0\r\n\r\n');

/** The end of Lambda's response. */
export const responseEnd = concat(httpChunk(completeFrame()), lastChunk);

/** Payloads of this size, which follow each other again and again. */
function makePayloads(payloadBytes: number): Uint8Array[] {
  return Array.from({ length: differentFrames }, (_, i) =>
    Uint8Array.from({ length: payloadBytes }, (_, at) => (at * 31 + i * 17) & 255),
  );
}

/** Frames of such payloads. */
export function makeFrames(payloadBytes: number): Uint8Array[] {
  return makePayloads(payloadBytes).map((payload) => chunkFrame(payload));
}

/** Bytes as they travel with `transfer-encoding: chunked`. */
export function httpChunk(bytes: Uint8Array): Uint8Array {
  return concat(ascii.encode(`${bytes.length.toString(16)}\r\n`), bytes, ascii.encode('\r\n'));
}

/** A response's body: writes that are repeated, and the rest after them. */
export interface ResponseBody {
  readonly block: readonly Uint8Array[];
  readonly times: number;
  readonly rest: Uint8Array;
}

/** The event stream of a shape, as it travels. */
export function makeEventStream(shape: Shape): ResponseBody {
  return makeBody(shape, makeFrames(shape.payloadBytes), responseEnd);
}

/** The payloads of a shape, as they travel without frames. */
export function makePlainBody(shape: Shape): ResponseBody {
  return makeBody(shape, makePayloads(shape.payloadBytes), lastChunk);
}

/** Yields the payloads of a shape as writes of their own, and the end. */
export function* eachPayload({ payloadBytes, events }: Shape): Generator<Uint8Array> {
  const chunks = makePayloads(payloadBytes).map(httpChunk);
  for (let i = 0; i < events; i++) yield chunks[i % differentFrames]!;
  yield lastChunk;
}

function makeBody({ events, eventsPerWrite }: Shape, frames: readonly Uint8Array[], end: Uint8Array): ResponseBody {
  const chunksOf = (count: number): Uint8Array[] => {
    const chunks: Uint8Array[] = [];
    for (let sent = 0; sent < count; sent += eventsPerWrite) {
      const length = Math.min(eventsPerWrite, count - sent);
      chunks.push(httpChunk(concat(...Array.from({ length }, (_, i) => frames[(sent + i) % differentFrames]!))));
    }
    return chunks;
  };
  // After this many events both the frames and the HTTP chunks begin anew.
  const period = differentFrames * eventsPerWrite;
  const eventsPerBlock = period * Math.ceil(minWriteBytes / (period * frames[0]!.length));
  const times = Math.floor(events / eventsPerBlock);
  return {
    block: times > 0 ? joinSmall(chunksOf(eventsPerBlock)) : [],
    times,
    rest: concat(...chunksOf(events - times * eventsPerBlock), end),
  };
}

function joinSmall(chunks: readonly Uint8Array[]): Uint8Array[] {
  const writes: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    group.push(chunk);
    size += chunk.length;
    if (size < minWriteBytes && chunk !== chunks.at(-1)) continue;
    writes.push(concat(...group));
    group = [];
    size = 0;
  }
  return writes;
}
